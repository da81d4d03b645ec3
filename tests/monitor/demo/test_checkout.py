"""Buying: the pages in order, what is charged, what happens twice, what is given back."""

from monitor.demo import RunningShop
from tests.monitor.demo.shopper import Shopper


def test_an_order_is_placed_through_every_page(shop: RunningShop, shopper: Shopper) -> None:
    """A walk through address, shipping, payment and review ends on the order's own page."""
    page = shopper.buy(quantity=2)
    assert page.status == 200
    assert page.path == "/orders/" + page.text("#order-number")
    assert page.text("#order-status") == "placed"
