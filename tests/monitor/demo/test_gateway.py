"""The sandbox gateway as a service of its own."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from monitor.demo import RunningShop

Call = Callable[..., requests.Response]


@pytest.fixture
def call(shop: RunningShop) -> Call:
    """Give a way to call the gateway as the shop does."""

    def post(path: str, key: str | None, **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {shop.shop.settings.gateway_key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return requests.post(shop.gateway_url + path, json=body, headers=headers, timeout=5)

    return post


def asked(number: str = "4242424242424242", cents: int = 1000) -> dict[str, Any]:
    """Return a request for a payment."""
    card = {"number": number, "expiry": "09/31", "cvc": "123"}
    return {"amount_cents": cents, "currency": "USD", "reference": "KM-TEST", "card": card}


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("4242424242424242", 201, None),
        ("5555555555554444", 201, None),
        ("4000000000000002", 402, "card_declined"),
        ("4000000000009995", 402, "insufficient_funds"),
        ("1234567890123456", 402, "card_unknown"),
    ],
)
def test_each_test_card_has_its_answer(
    call: Call, number: str, status: int, code: str | None
) -> None:
    """Good cards are authorised, the others refused with the bank's reason."""
    answer = call("/v1/payments", f"cards-{number}", **asked(number))
    assert answer.status_code == status
    assert answer.json().get("error", {}).get("code") == code


def test_one_key_makes_one_payment(call: Call) -> None:
    """The same idempotency key gives the same payment, another key another one."""
    first, again = (call("/v1/payments", "once", **asked()).json()["id"] for _ in range(2))
    assert first == again
    assert call("/v1/payments", "twice", **asked()).json()["id"] != first


def test_money_moves_only_forward(call: Call) -> None:
    """Authorised, captured, refunded; every other order is a conflict (409)."""
    path = "/v1/payments/" + call("/v1/payments", "moves", **asked()).json()["id"]
    assert call(f"{path}/refund", "too-early").status_code == 409
    assert call(f"{path}/capture", "take").json()["status"] == "captured"
    assert call(f"{path}/capture", "take-again").status_code == 409
    assert call(f"{path}/refund", "back").json()["status"] == "refunded"
    assert call(f"{path}/refund", "back").json()["status"] == "refunded"
    assert call(f"{path}/refund", "back-again").status_code == 409


def test_a_change_without_key_is_refused(call: Call) -> None:
    """An idempotency key is not optional."""
    assert call("/v1/payments", None, **asked()).status_code == 400


def test_a_caller_without_the_api_key_is_refused(shop: RunningShop) -> None:
    """Nobody but the shop can charge or look."""
    url = shop.gateway_url + "/v1/payments"
    assert requests.post(url, json=asked(), timeout=5).status_code == 401
    assert requests.get(url + "/pay_x", timeout=5).status_code == 401


@pytest.mark.parametrize("body", [{}, {"amount_cents": "x"}, asked(cents=0), asked(cents=-1)])
def test_a_request_that_makes_no_sense_is_refused(call: Call, body: dict[str, Any]) -> None:
    """Missing facts and amounts that are none are a 400."""
    assert call("/v1/payments", "nonsense", **body).status_code == 400
