"""Answers for the shop's side of paying: calls the gateway and gives each failure its name."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from monitor.demo.pricing import CURRENCY
from monitor.demo.sessions import Card

GATEWAY_CALLS_AT_ONCE = 12  # a hanging gateway may hold this many threads; further payments queue


class PaymentFailed(Exception):
    """No money was taken. The shop answers `status`; its metrics call it `outcome`."""

    status = 502
    outcome = "payment_unavailable"
    saying = "Our payment partner cannot be reached at the moment."


class PaymentDeclined(PaymentFailed):
    """The gateway said no; `code` is its reason."""

    status = 402
    outcome = "declined"
    saying = "The payment was refused."

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.saying = {
            "card_declined": "Your bank declined this card.",
            "insufficient_funds": "There is not enough money on this card.",
            "card_unknown": "This card number is not known to our payment partner.",
        }.get(code, "Our payment partner refused the payment.")


class PaymentTimedOut(PaymentFailed):
    """The gateway did not answer within the shop's patience."""

    status = 504
    outcome = "payment_timeout"
    saying = "Our payment partner did not answer in time."


class Payments:
    """The gateway as the shop sees it; calls run in threads of their own."""

    def __init__(self, gateway_url: str, api_key: str, timeout_seconds: float) -> None:
        self._url = gateway_url
        self._timeout = timeout_seconds
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._pool = ThreadPoolExecutor(GATEWAY_CALLS_AT_ONCE, "shop-payments")

    async def charge(self, cents: int, card: Card, reference: str, key: str) -> str:
        """Return the id of a payment that is authorised and captured.

        Repeating it with the same key charges once.

        Raises:
            PaymentFailed: with its kind; no order may be placed.
        """
        asked = {
            "amount_cents": cents,
            "currency": CURRENCY,
            "reference": reference,
            "card": {"number": card.number, "expiry": card.expiry, "cvc": card.cvc},
        }
        payment = await self._call("/v1/payments", key, asked)
        payment_id = str(payment["id"])
        await self._call(f"/v1/payments/{payment_id}/capture", key, {})
        return payment_id

    async def refund(self, payment_id: str) -> None:
        """Give the money back, once however often it is asked, or raise `PaymentFailed`."""
        await self._call(f"/v1/payments/{payment_id}/refund", f"refund-{payment_id}", {})

    def close(self) -> None:
        """Let no further call start."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _call(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._post, path, key, body)

    def _post(self, path: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        headers = {**self._headers, "Idempotency-Key": key}
        try:
            answer = requests.post(
                self._url + path, json=body, headers=headers, timeout=self._timeout
            )
            found: dict[str, Any] = answer.json()
        except requests.Timeout as error:
            raise PaymentTimedOut from error
        except requests.RequestException as error:  # refused, cut off, or no JSON
            raise PaymentFailed from error
        if answer.status_code == requests.codes.payment_required:
            raise PaymentDeclined(found["error"]["code"])
        if not answer.ok:
            raise PaymentFailed(f"the gateway answered {answer.status_code}: {found}")
        return found
