"""Answers for the sandbox payment gateway: a service of its own, on its own port, with test cards.

`POST /v1/payments` authorises, `…/{id}/capture` takes the money, `…/{id}/refund` gives it back,
`GET /v1/payments/{id}` tells. Each change wants an `Idempotency-Key`; one key has one effect.
No card number is kept or logged.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from monitor.demo.faults import FaultPanel

PAYMENT_LIMIT = 1_500
HANG_SECONDS = 60.0  # how long a hanging gateway keeps a caller that does not give up
HANG_CHECK_SECONDS = 0.1
CARDS = {  # test cards and what the issuing bank says to them
    "4242424242424242": "approved",
    "5555555555554444": "approved",
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
}
ALLOWED = {"capture": "authorised", "refund": "captured"}
BECOMES = {"capture": "captured", "refund": "refunded"}


@dataclass(slots=True)
class Payment:
    """Money of one customer: `authorised`, then `captured`, then perhaps `refunded`."""

    id: str
    amount_cents: int
    currency: str
    reference: str
    card_ending: str
    status: str = "authorised"

    def view(self) -> dict[str, Any]:
        """Return what the interface shows of it."""
        return {
            "id": self.id,
            "status": self.status,
            "amount_cents": self.amount_cents,
            "currency": self.currency,
            "reference": self.reference,
            "card_ending": self.card_ending,
        }


@dataclass(slots=True)
class Ledger:
    """All payments, and the answers given by idempotency key; both bounded."""

    faults: FaultPanel
    api_key: str
    payments: OrderedDict[str, Payment] = field(default_factory=OrderedDict)
    answers: OrderedDict[str, tuple[int, dict[str, Any]]] = field(default_factory=OrderedDict)

    def add(self, payment: Payment) -> None:
        """Keep a payment, forgetting the oldest past the limit."""
        self.payments[payment.id] = payment
        if len(self.payments) > PAYMENT_LIMIT:
            self.payments.popitem(last=False)

    def remember(self, key: str, status: int, body: dict[str, Any]) -> None:
        """Keep an answer for whoever repeats the request."""
        self.answers[key] = status, body
        if len(self.answers) > PAYMENT_LIMIT:
            self.answers.popitem(last=False)


Change = Callable[[Request, Ledger], Awaitable[tuple[int, dict[str, Any]]]]


def gateway_app(faults: FaultPanel, api_key: str) -> Starlette:
    """Return the gateway as an application, for callers that know the key."""
    app = Starlette(
        routes=[
            Route("/", _welcome),
            Route("/v1/payments", _changing(_authorise), methods=["POST"]),
            Route("/v1/payments/{payment_id}", _show),
            Route("/v1/payments/{payment_id}/{action}", _changing(_move), methods=["POST"]),
        ]
    )
    app.state.ledger = Ledger(faults, api_key)
    return app


def _changing(change: Change) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a change in what all changes share: the caller's key, faults, and one answer per key."""

    async def endpoint(request: Request) -> Response:
        ledger: Ledger = request.app.state.ledger
        if not _is_known(request, ledger):
            return _refuse(401, "unknown_caller")
        if await _suffer(request, ledger.faults):
            return _refuse(504, "processor_timeout")
        key = f"{request.url.path} {request.headers.get('idempotency-key', '')}"
        if key.endswith(" "):
            return _refuse(400, "idempotency_key_missing")
        await (
            request.body()
        )  # from here on nothing waits: two of the same key cannot overtake each other
        status, body = ledger.answers.get(key) or await change(request, ledger)
        if status < 400:  # a refusal may be tried again
            ledger.remember(key, status, body)
        return JSONResponse(body, status)

    return endpoint


async def _authorise(request: Request, ledger: Ledger) -> tuple[int, dict[str, Any]]:
    try:
        asked = await request.json()
        amount, number = int(asked["amount_cents"]), str(asked["card"]["number"])
        currency, reference = str(asked["currency"]), str(asked["reference"])
    except (ValueError, KeyError, TypeError):
        return 400, _error("request_invalid")
    if ledger.faults.is_on("gateway_refuses"):
        return 402, _error("processor_refused")
    verdict = CARDS.get(number, "card_unknown")
    if verdict != "approved":
        return 402, _error(verdict)
    if amount <= 0:
        return 400, _error("amount_invalid")
    payment = Payment("pay_" + secrets.token_hex(8), amount, currency, reference, number[-4:])
    ledger.add(payment)
    return 201, payment.view()


async def _move(request: Request, ledger: Ledger) -> tuple[int, dict[str, Any]]:
    payment = ledger.payments.get(request.path_params["payment_id"])
    action = request.path_params["action"]
    if payment is None or action not in ALLOWED:
        return 404, _error("not_found")
    if payment.status != ALLOWED[action]:
        return 409, _error(f"payment_is_{payment.status}")
    payment.status = BECOMES[action]
    return 200, payment.view()


async def _show(request: Request) -> Response:
    ledger: Ledger = request.app.state.ledger
    if not _is_known(request, ledger):
        return _refuse(401, "unknown_caller")
    payment = ledger.payments.get(request.path_params["payment_id"])
    return JSONResponse(payment.view()) if payment else _refuse(404, "not_found")


async def _welcome(_request: Request) -> Response:
    return JSONResponse({"service": "sandbox payment gateway", "test_cards": CARDS})


async def _suffer(request: Request, faults: FaultPanel) -> bool:
    """Wait as the faults demand; true if the caller has left or waited in vain."""
    await asyncio.sleep(faults.value("gateway_slow"))
    waited = 0.0
    while faults.is_on("gateway_times_out"):
        if waited >= HANG_SECONDS or await request.is_disconnected():
            return True
        await asyncio.sleep(HANG_CHECK_SECONDS)
        waited += HANG_CHECK_SECONDS
    return False


def _is_known(request: Request, ledger: Ledger) -> bool:
    given = request.headers.get("authorization", "")
    return secrets.compare_digest(given.encode(), f"Bearer {ledger.api_key}".encode())


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code}}


def _refuse(status: int, code: str) -> Response:
    return JSONResponse(_error(code), status)
