"""Search: words, filters, order and pages, as laws over the real catalogue."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.demo.catalogue import Product, load_catalogue
from monitor.demo.search import PAGE_SIZE, SORTS, Query, find_products, parse_query
from tests.monitor.demo.shopper import Shopper

PRODUCTS = load_catalogue().products
QUERIES = st.builds(
    Query,
    words=st.sampled_from(["", "mug", "basket", "hand", "cotton wool", "zebra"]),
    category=st.sampled_from(["", "kitchen", "pantry", "no-such-shelf"]),
    lowest_cents=st.none() | st.integers(0, 20_000),
    highest_cents=st.none() | st.integers(0, 20_000),
    in_stock_only=st.booleans(),
    sort=st.sampled_from(list(SORTS)),
)
UNHURRIED = settings(deadline=None)  # a busy machine is no fault of the law


def has_stock(product: Product) -> bool:
    """Tell what a full shelf tells."""
    return product.stock > 0


def every_page(query: Query) -> list[Product]:
    """Return the products of all pages in order."""
    first = find_products(PRODUCTS, query, has_stock)
    pages = [
        find_products(PRODUCTS, replace(query, page=number), has_stock).products
        for number in range(1, first.page_count + 1)
    ]
    return [product for page in pages for product in page]


@UNHURRIED
@given(QUERIES)
def test_the_pages_together_are_the_results_each_once(query: Query) -> None:
    """No result is lost or doubled between pages, and the count is true."""
    found = every_page(query)
    assert len({p.sku for p in found}) == len(found)
    assert find_products(PRODUCTS, query, has_stock).count == len(found)


@UNHURRIED
@given(QUERIES)
def test_results_are_exactly_what_the_filters_allow(query: Query) -> None:
    """Every result passes every filter; nothing that passes is missing."""
    allowed = {
        p.sku
        for p in PRODUCTS
        if query.category in ("", p.category.slug)
        and (query.lowest_cents is None or p.cents >= query.lowest_cents)
        and (query.highest_cents is None or p.cents <= query.highest_cents)
        and (p.stock > 0 or not query.in_stock_only)
    }
    found = {p.sku for p in every_page(query)}
    assert found <= allowed
    assert query.words or found == allowed


@UNHURRIED
@given(QUERIES)
def test_prices_are_in_the_asked_order_over_all_pages(query: Query) -> None:
    """Low to high means it from the first page to the last, and back."""
    prices = [p.cents for p in every_page(replace(query, sort="price-asc"))]
    assert prices == sorted(prices)
    falling = [p.cents for p in every_page(replace(query, sort="price-desc"))]
    assert falling == sorted(prices, reverse=True)


@UNHURRIED
@given(QUERIES, st.integers(1, 30))
def test_a_link_to_a_page_asks_the_same_query(query: Query, page: int) -> None:
    """Reading a page's link gives the query back, so that filters survive turning pages."""
    link = query.link(page)
    assert parse_query(dict(parse_qsl(urlsplit(link).query))) == replace(query, page=page)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["q", "page", "price_min", "price_max", "sort"]), st.text()))
def test_any_address_is_a_query(raw: dict[str, str]) -> None:
    """Nonsense in an address is left out; it never breaks the page."""
    found = find_products(PRODUCTS, parse_query(raw), has_stock)
    assert 1 <= found.query.page <= found.page_count


@pytest.mark.parametrize(("asked", "given_page"), [("0", 1), ("5", 5), ("6", 5), ("-1", 1)])
def test_a_page_outside_is_the_nearest_one(asked: str, given_page: int) -> None:
    """Sixty articles fill five pages of twelve."""
    found = find_products(PRODUCTS, parse_query({"page": asked}), has_stock)
    assert (found.query.page, found.page_count) == (given_page, len(PRODUCTS) // PAGE_SIZE)


def test_the_page_shows_its_count_and_as_many_cards(shopper: Shopper) -> None:
    """Two mugs are found, said and shown."""
    page = shopper.get("/search?q=mug")
    assert page.one("#result-count").attributes["data-count"] == "2"
    assert page.count("#results .product-card") == 2


def test_following_next_reaches_the_last_page(shopper: Shopper) -> None:
    """The pages' own links lead through all results."""
    page, seen = shopper.get("/search"), 0
    while True:
        seen += page.count(".product-card")
        following = page.tree.css_first("#pages a[rel=next]")
        if following is None:
            break
        page = shopper.get(str(following.attributes["href"]))
    assert seen == len(PRODUCTS)


def test_json_search_gives_what_the_page_gives(shopper: Shopper) -> None:
    """Count and articles agree between page and interface."""
    found = shopper.http.get(shopper.url + "/api/search?q=basket", timeout=5).json()
    page = shopper.get("/search?q=basket")
    shown = [card.attributes["data-sku"] for card in page.tree.css(".product-card")]
    assert [item["sku"] for item in found["results"]] == shown
    assert found["count"] == len(shown)


def test_words_are_shown_as_text_not_as_markup(shopper: Shopper) -> None:
    """What a visitor types never becomes part of the page."""
    page = shopper.get("/search?q=<script>alert(1)</script>")
    assert page.count("script") == 0
    assert "<script>" in page.text("h1")
