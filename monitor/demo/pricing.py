"""Answers for what a cart costs: lines, shipping and promos, in cents. Pure: `now` is given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.demo.catalogue import Product

CURRENCY = "USD"


def format_cents(cents: int) -> str:
    """Return a price as people write it: `$1,234.50`, `-$5.00`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


@dataclass(frozen=True, slots=True)
class Line:
    """Some pieces of one product."""

    product: Product
    quantity: int

    @property
    def cents(self) -> int:
        """Give the price of the line."""
        return self.product.cents * self.quantity


@dataclass(frozen=True, slots=True)
class ShippingMethod:
    """A way to send the parcel."""

    slug: str
    name: str
    promise: str
    cents: int


SHIPPING_METHODS = (
    ShippingMethod("standard", "Standard", "3 to 5 working days", 490),
    ShippingMethod("express", "Express", "tomorrow, if ordered before 14:00", 1290),
    ShippingMethod("pickup", "Pick-up point", "from Thursday, at a shop near you", 0),
)


def find_shipping(slug: str) -> ShippingMethod | None:
    """Return the shipping method with that slug, or nothing."""
    return next((method for method in SHIPPING_METHODS if method.slug == slug), None)


@dataclass(frozen=True, slots=True)
class Promo:
    """A promo code: a share of the goods, an amount, or the shipping; the end is excluded."""

    code: str
    saying: str
    percent: int = 0
    cents: int = 0
    free_shipping: bool = False
    minimum_cents: int = 0
    ends_at: datetime | None = None


SPRING_END = datetime(2024, 6, 1, tzinfo=UTC)
PROMOS = {
    promo.code: promo
    for promo in (
        Promo("WELCOME10", "10 % off your order", percent=10),
        Promo("HARVEST5", "$5 off orders from $30", cents=500, minimum_cents=3000),
        Promo("FREESHIP", "free shipping from $40", free_shipping=True, minimum_cents=4000),
        Promo("SPRING25", "25 % off in spring", percent=25, ends_at=SPRING_END),
    )
}


class PromoRefused(Exception):
    """A promo code does not apply; the message tells the customer why."""


def check_promo(code: str, lines_cents: int, now: datetime) -> Promo:
    """Return the promo a code stands for.

    Raises:
        PromoRefused: unknown, ended, or the cart is below its minimum.
    """
    promo = PROMOS.get(code.strip().upper())
    if promo is None:
        raise PromoRefused("We do not know this code. Check the spelling and try again.")
    if promo.ends_at is not None and now >= promo.ends_at:
        raise PromoRefused(f"{promo.code} ended on {promo.ends_at:%d %B %Y}.")
    if lines_cents < promo.minimum_cents:
        minimum = format_cents(promo.minimum_cents)
        raise PromoRefused(f"{promo.code} needs an order of at least {minimum}.")
    return promo


@dataclass(frozen=True, slots=True)
class Totals:
    """What a cart costs; without faults `total_cents` is lines + shipping − discount."""

    lines_cents: int
    shipping_cents: int
    discount_cents: int
    total_cents: int


def add_up(
    lines: Iterable[Line],
    shipping: ShippingMethod | None = None,
    promo: Promo | None = None,
    wrong_by_cents: int = 0,
) -> Totals:
    """Return the totals; a promo under its minimum gives nothing, and no total is negative.

    A percentage is rounded down to whole cents, in the shop's favour. `wrong_by_cents` is the fault
    `price_wrong`: it spoils the total alone, the parts stay right.
    """
    lines_cents = sum(line.cents for line in lines)
    shipping_cents = shipping.cents if shipping else 0
    discount = 0
    if promo is not None and lines_cents >= promo.minimum_cents:
        discount = lines_cents * promo.percent // 100 + promo.cents
        discount = min(discount, lines_cents) + (shipping_cents if promo.free_shipping else 0)
    total = lines_cents + shipping_cents - discount
    return Totals(lines_cents, shipping_cents, discount, total + wrong_by_cents)
