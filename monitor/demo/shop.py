"""Answers for the shop as one object: its state, and the acts that touch several parts of it.

Everything here runs on one event loop, so that a change between two `await`s is whole.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from monitor.demo.accounts import PROBE_EMAIL, Accounts
from monitor.demo.catalogue import Catalogue, load_catalogue
from monitor.demo.faults import FaultPanel
from monitor.demo.inventory import Inventory
from monitor.demo.metrics import ShopMetrics
from monitor.demo.orders import Order, OrderBook, OrderStatus, new_order_number
from monitor.demo.payments import PaymentFailed, Payments
from monitor.demo.pricing import (
    Line,
    Promo,
    PromoRefused,
    Totals,
    add_up,
    check_promo,
    find_shipping,
)
from monitor.demo.sessions import Checkout, Session, Sessions


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """What a shop is started with; addresses have no slash at the end."""

    gateway_url: str
    gateway_key: str = field(repr=False)
    probe_password: str = field(repr=False)
    probe_email: str = PROBE_EMAIL
    gateway_timeout_seconds: float = 5.0
    monitor_url: str | None = None


class CheckoutIncomplete(Exception):
    """A confirmation came before what it confirms; `missing_at` is the page to go to."""

    def __init__(self, missing_at: str) -> None:
        super().__init__(missing_at)
        self.missing_at = missing_at


class Shop:
    """One running marketplace, in memory."""

    def __init__(
        self,
        settings: ShopSettings,
        faults: FaultPanel,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings, self.faults, self.now = settings, faults, now
        self.catalogue: Catalogue = load_catalogue()
        self.inventory = Inventory(self.catalogue)
        self.accounts = Accounts(settings.probe_email, settings.probe_password)
        self.sessions = Sessions(now)
        self.orders = OrderBook(self.inventory.put_back)
        self.metrics = ShopMetrics(faults)
        self.payments = Payments(
            settings.gateway_url, settings.gateway_key, settings.gateway_timeout_seconds
        )
        self._confirming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lines(self, session: Session) -> tuple[Line, ...]:
        """Return the visitor's cart."""
        found = ((self.catalogue.find(sku), count) for sku, count in session.cart.items())
        return tuple(Line(product, count) for product, count in found if product)

    def promo(self, session: Session) -> Promo | None:
        """Return the promo that applies to the cart now, if any."""
        if session.promo_code is None:
            return None
        lines_cents = sum(line.cents for line in self.lines(session))
        try:
            return check_promo(session.promo_code, lines_cents, self.now())
        except PromoRefused:
            return None

    def totals(self, session: Session) -> Totals:
        """Return what the cart costs as far as it is known, the fault `price_wrong` included."""
        return add_up(
            self.lines(session),
            find_shipping(session.checkout.shipping or ""),
            self.promo(session),
            int(self.faults.value("price_wrong")) if session.checkout.shipping else 0,
        )

    async def place_order(self, session: Session, key: str, *, is_test: bool) -> Order:
        """Return the order this confirmation places; the same key always gives the same order.

        Raises:
            CheckoutIncomplete: something is missing.
            OutOfStock: someone was faster.
            PaymentFailed: no money was taken, nothing was placed.
        """
        key = f"{session.id} {key}"
        lock = self._confirming.setdefault(key, asyncio.Lock())
        async with lock:
            return self.orders.placed_with(key) or await self._place(session, key, is_test)

    async def cancel_order(self, order: Order) -> None:
        """Refund an order and mark it cancelled; a second time changes nothing.

        Raises:
            PaymentFailed: the gateway did not refund; the order stands.
        """
        if order.status is OrderStatus.CANCELLED:
            return
        await self.payments.refund(order.payment_id)
        if order.status is OrderStatus.PLACED:  # another request may have cancelled it meanwhile
            self.orders.cancel(order, self.now())
            self.metrics.record_order("cancelled")

    async def _place(self, session: Session, key: str, is_test: bool) -> Order:
        lines, checkout, totals = self.lines(session), session.checkout, self.totals(session)
        missing = first_missing_page(session)
        if missing or not (checkout.address and checkout.card):
            raise CheckoutIncomplete(missing or "/checkout/address")
        shipping = find_shipping(checkout.shipping or "")
        if shipping is None:
            raise CheckoutIncomplete("/checkout/shipping")
        quantities = {line.product.sku: line.quantity for line in lines}
        number, promo = new_order_number(), self.promo(session)
        payment_key = _payment_key(key, checkout, totals)
        with _Reservation(self.inventory, quantities, is_test) as reservation:
            try:
                payment_id = await self.payments.charge(
                    totals.total_cents, checkout.card, number, payment_key
                )
            except PaymentFailed as failure:
                self.metrics.record_order(failure.outcome)
                raise
            reservation.keep()
        order = Order(
            number,
            checkout.address["email"],
            lines,
            totals,
            checkout.address,
            shipping,
            checkout.card.ending,
            payment_id,
            self.now(),
            promo.code if promo else None,
            session.email,
            is_test,
        )
        self.orders.add(order, key)
        self.metrics.record_order("placed")
        _start_over(session, order, quantities)
        return order


class _Reservation:
    """Stock held while the payment is under way; back on the shelf unless kept. Tests take none."""

    def __init__(self, inventory: Inventory, quantities: dict[str, int], is_test: bool) -> None:
        self._inventory, self._quantities, self._is_test = inventory, quantities, is_test
        self._kept = False

    def __enter__(self) -> "_Reservation":
        if self._is_test:
            self._inventory.check(self._quantities)
        else:
            self._inventory.take(self._quantities)
        return self

    def keep(self) -> None:
        """Leave the goods with the customer."""
        self._kept = True

    def __exit__(self, *_: object) -> None:
        if not self._kept and not self._is_test:
            self._inventory.put_back(self._quantities)


def first_missing_page(session: Session) -> str | None:
    """Return the first page of the checkout that has not been filled in, or nothing."""
    checkout = session.checkout
    pages = (
        ("/cart", session.cart),
        ("/checkout/address", checkout.address),
        ("/checkout/shipping", checkout.shipping),
        ("/checkout/payment", checkout.card),
    )
    return next((page for page, filled in pages if not filled), None)


def _payment_key(key: str, checkout: Checkout, totals: Totals) -> str:
    """Return a key that stays the same for one try to pay, and differs by card and sum."""
    card = checkout.card
    facts = f"{key} {card.number if card else ''} {totals.total_cents}"
    return hashlib.sha256(facts.encode()).hexdigest()


def _start_over(session: Session, order: Order, bought: dict[str, int]) -> None:
    """Empty the cart of what was bought (not of what was added meanwhile) and forget the card."""
    for sku, quantity in bought.items():
        left = session.cart.get(sku, 0) - quantity
        if left > 0:
            session.cart[sku] = left
        else:
            session.cart.pop(sku, None)
    session.promo_code = None
    session.checkout = Checkout()
    session.orders.add(order.number)
