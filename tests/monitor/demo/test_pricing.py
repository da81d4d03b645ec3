"""Prices and promo codes, as laws and at their boundaries."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.demo.catalogue import load_catalogue
from monitor.demo.pricing import (
    PROMOS,
    SHIPPING_METHODS,
    SPRING_END,
    Line,
    PromoRefused,
    add_up,
    check_promo,
    format_cents,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRODUCTS = load_catalogue().products
CARTS = st.lists(
    st.builds(Line, st.sampled_from(PRODUCTS), st.integers(1, 20)), min_size=1, max_size=8
)
UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the law


@UNHURRIED
@given(CARTS, st.sampled_from(SHIPPING_METHODS), st.sampled_from([None, *PROMOS.values()]))
def test_a_total_is_its_parts_and_never_negative(lines, shipping, promo) -> None:  # type: ignore[no-untyped-def] # given by hypothesis
    """Lines + shipping − discount, whatever is bought, and no discount exceeds what it cuts."""
    totals = add_up(lines, shipping, promo)
    expected = sum(line.product.cents * line.quantity for line in lines)
    assert totals.lines_cents == expected
    assert totals.total_cents == expected + shipping.cents - totals.discount_cents
    assert 0 <= totals.discount_cents <= expected + shipping.cents


@pytest.mark.parametrize(("cents", "applies"), [(2999, False), (3000, True), (3001, True)])
def test_a_minimum_is_included(cents: int, applies: bool) -> None:
    """A promo applies from its minimum on, and the refusal names the minimum."""
    if applies:
        assert check_promo("harvest5 ", cents, NOW).code == "HARVEST5"
    else:
        with pytest.raises(PromoRefused, match=r"\$30\.00"):
            check_promo("HARVEST5", cents, NOW)


@pytest.mark.parametrize(("seconds", "applies"), [(-1, True), (0, False), (1, False)])
def test_a_promo_ends_with_its_end_excluded(seconds: int, applies: bool) -> None:
    """At the very end the code no longer applies."""
    now = SPRING_END + timedelta(seconds=seconds)
    if applies:
        assert check_promo("SPRING25", 100, now).percent == 25
    else:
        with pytest.raises(PromoRefused, match="ended"):
            check_promo("SPRING25", 100, now)


def test_an_unknown_code_is_refused() -> None:
    """What is no code is told so."""
    with pytest.raises(PromoRefused, match="do not know"):
        check_promo("FREE4EVER", 5000, NOW)


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "$0.00"), (5, "$0.05"), (1450, "$14.50"), (123456, "$1,234.56"), (-500, "-$5.00")],
)
def test_prices_read_as_people_write_them(cents: int, text: str) -> None:
    """Two digits of cents, a comma between thousands."""
    assert format_cents(cents) == text


def test_the_article_of_the_probes_keeps_its_documented_price() -> None:
    """KM-1001 costs 14.50: journeys and docs/demo-shop.md rely on it."""
    mug = load_catalogue().find("KM-1001")
    assert mug is not None
    assert (mug.cents, mug.name) == (1450, "Stoneware mug, moss green")


def test_the_catalogue_is_whole() -> None:
    """About sixty articles, no number twice, a price on each, every seller and shelf in use."""
    shop = load_catalogue()
    assert len({p.sku for p in shop.products}) == len(shop.products) == 60
    assert all(p.cents > 0 for p in shop.products)
    assert {p.category for p in shop.products} == set(shop.categories)
    assert {p.seller for p in shop.products} == set(shop.sellers)
