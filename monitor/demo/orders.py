"""Answers for orders: their record, and their one identity per idempotency key."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.demo.pricing import Line, ShippingMethod, Totals

ORDER_LIMIT = 1_000  # oldest orders are forgotten past this
NUMBER_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that are mistaken for another
NUMBER_LENGTH = 8


class OrderStatus(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Order:
    """Something bought. A test order came from a probe: it was never taken off the shelf."""

    number: str
    email: str
    lines: tuple[Line, ...]
    totals: Totals
    address: dict[str, str]
    shipping: ShippingMethod
    card_ending: str
    payment_id: str
    placed_at: datetime
    promo_code: str | None = None
    account_email: str | None = None
    is_test: bool = False
    status: OrderStatus = OrderStatus.PLACED
    cancelled_at: datetime | None = None

    @property
    def quantities(self) -> dict[str, int]:
        """Give the pieces by article."""
        return {line.product.sku: line.quantity for line in self.lines}


def new_order_number() -> str:
    """Return a fresh number, `KM-` and eight letters or digits; cannot be guessed from another."""
    return "KM-" + "".join(secrets.choice(NUMBER_LETTERS) for _ in range(NUMBER_LENGTH))


class OrderBook:
    """All orders by number, and by the key of the confirmation that placed them."""

    def __init__(self, restore_stock: Callable[[dict[str, int]], None]) -> None:
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._by_key: OrderedDict[str, str] = OrderedDict()
        self._restore_stock = restore_stock

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: Order, key: str) -> None:
        """Record an order under its number and its idempotency key."""
        self._orders[order.number] = order
        self._by_key[key] = order.number
        for book in (self._orders, self._by_key):
            if len(book) > ORDER_LIMIT:
                book.popitem(last=False)

    def placed_with(self, key: str) -> Order | None:
        """Return the order that this confirmation has placed before, or nothing."""
        return self._orders.get(self._by_key.get(key, ""))

    def find(self, number: str) -> Order | None:
        """Return the order with that number, in any case, or nothing."""
        return self._orders.get(number.strip().upper())

    def look_up(self, number: str, email: str) -> Order | None:
        """Return the order if number and e-mail belong together, else nothing."""
        order = self.find(number)
        return order if order and order.email == email.strip().casefold() else None

    def of_account(self, email: str) -> list[Order]:
        """Return the orders of an account, newest first."""
        return [order for order in reversed(self._orders.values()) if order.account_email == email]

    def cancel(self, order: Order, now: datetime) -> None:
        """Mark the order cancelled and put its goods back; a second time changes nothing."""
        if order.status is OrderStatus.CANCELLED:
            return
        order.status, order.cancelled_at = OrderStatus.CANCELLED, now
        if not order.is_test:
            self._restore_stock(order.quantities)

    def all(self) -> Iterable[Order]:
        """Return every remembered order, oldest first."""
        return tuple(self._orders.values())
