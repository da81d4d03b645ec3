"""The cart: what goes in, what changes, which promo codes count."""

import pytest

from monitor.demo import RunningShop
from tests.monitor.demo.shopper import MUG, Shopper

SATCHEL, SOLD_OUT = "KM-1307", "KM-1208"


def test_adding_twice_adds_up(shopper: Shopper) -> None:
    """The same article is one line with both quantities."""
    shopper.add(quantity=2)
    line = shopper.add(quantity=3).one(".cart-line")
    assert line.attributes["data-quantity"] == "5"
    assert line.attributes["data-cents"] == str(5 * 1450)


def test_more_than_the_shelf_holds_is_cut_and_said(shop: RunningShop, shopper: Shopper) -> None:
    """A cart never promises what is not there."""
    left = shop.shop.inventory.left(SATCHEL)
    page = shopper.add(SATCHEL, left + 1)
    assert page.one(".cart-line").attributes["data-quantity"] == str(left)
    assert f"only {left}" in page.text("#notice")


def test_a_sold_out_article_has_no_form(shopper: Shopper) -> None:
    """What is gone cannot be bought, and its page says so."""
    page = shopper.get(f"/products/{SOLD_OUT}")
    assert (page.count("#add-to-cart"), page.text("#stock")) == (0, "Sold out at the moment")


@pytest.mark.parametrize("quantity", ["0", "21", "-1", "x", "1.5", ""])
def test_a_quantity_that_makes_no_sense_adds_nothing(shopper: Shopper, quantity: str) -> None:
    """One to twenty pieces; anything else is explained on the product's page."""
    shopper.get(f"/products/{MUG}")
    page = shopper.submit("#add-to-cart", quantity=quantity)
    assert page.path == f"/products/{MUG}"
    assert page.one("#cart-count").attributes["data-count"] == "0"


@pytest.mark.parametrize(("quantity", "lines"), [("0", 0), ("1", 1), ("20", 1), ("21", 1)])
def test_the_quantity_of_a_line_can_be_changed(shopper: Shopper, quantity: str, lines: int) -> None:
    """Zero removes the line, twenty is the most, more is refused."""
    shopper.add(quantity=2)
    page = shopper.submit(".quantity-form", quantity=quantity)
    assert page.count(".cart-line") == lines
    if quantity == "21":
        assert page.one(".cart-line").attributes["data-quantity"] == "2"


def test_a_line_can_be_removed(shopper: Shopper) -> None:
    """Removing the last line leaves an empty cart."""
    shopper.add()
    assert shopper.submit(".remove-form").count("#cart-empty") == 1


def test_a_promo_is_taken_off_and_can_be_removed(shopper: Shopper) -> None:
    """Ten per cent of two mugs is 2.90; without the code the full price is back."""
    shopper.add(quantity=2)
    page = shopper.submit("#promo-form", promo_code="welcome10")
    assert page.cents("#discount-total") == 290
    assert page.cents("#order-total") == 2900 - 290
    assert shopper.submit("#promo-remove-form").cents("#order-total") == 2900


@pytest.mark.parametrize("code", ["SPRING25", "NOSUCHCODE", "HARVEST5"])
def test_a_promo_that_does_not_apply_is_explained(shopper: Shopper, code: str) -> None:
    """Ended, unknown, or below its minimum: 422, the reason, and the full price."""
    shopper.add(quantity=2)
    page = shopper.submit("#promo-form", promo_code=code)
    assert (page.status, page.count("#promo-error")) == (422, 1)
    assert page.cents("#order-total") == 2900


def test_a_promo_below_its_minimum_after_a_change_gives_nothing(shopper: Shopper) -> None:
    """A code that applied stops applying when the cart shrinks under its minimum."""
    shopper.add(quantity=3)
    assert shopper.submit("#promo-form", promo_code="HARVEST5").cents("#order-total") == 3850
    assert shopper.submit(".quantity-form", quantity="2").cents("#order-total") == 2900


def test_free_shipping_is_free(shopper: Shopper) -> None:
    """From 40 dollars the code takes off exactly the shipping."""
    shopper.add(quantity=3)
    shopper.submit("#promo-form", promo_code="FREESHIP")
    page = shopper.go_to_review(shipping="express")
    assert page.cents("#order-total") == page.cents("#lines-total") == 4350
    assert page.cents("#discount-total") == page.cents("#shipping-total") == 1290
