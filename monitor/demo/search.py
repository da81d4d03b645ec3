"""Answers for finding products: words, filters, order and pages. Pure: stock is given."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from monitor.demo.catalogue import Product

PAGE_SIZE = 12
LONGEST_QUERY = 100  # characters; the rest is not looked at
HIGHEST_PRICE_CENTS = 10_000_000
HIGHEST_PAGE = 1_000
SORTS = {
    "relevance": "Best match",
    "price-asc": "Price, low to high",
    "price-desc": "Price, high to low",
    "name": "Name",
    "rating": "Rating",
}


@dataclass(frozen=True, slots=True)
class Query:
    """What a customer looks for; prices in cents, both ends included."""

    words: str = ""
    category: str = ""
    lowest_cents: int | None = None
    highest_cents: int | None = None
    in_stock_only: bool = False
    sort: str = "relevance"
    page: int = 1

    def link(self, page: int) -> str:
        """Return the address of another page of the same search."""
        fields = {
            "q": self.words,
            "category": self.category,
            "price_min": _units(self.lowest_cents),
            "price_max": _units(self.highest_cents),
            "in_stock": "1" if self.in_stock_only else "",
            "sort": "" if self.sort == "relevance" else self.sort,
            "page": "" if page == 1 else str(page),
        }
        return "/search?" + urlencode({key: value for key, value in fields.items() if value})


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search: the products on it, and how many there are on all pages."""

    query: Query
    products: tuple[Product, ...]
    count: int
    page_count: int


def parse_query(raw: Mapping[str, str]) -> Query:
    """Return the query an address asks; what makes no sense is left out, as a shop does."""
    sort = raw.get("sort", "relevance")
    return Query(
        words=raw.get("q", "").strip()[:LONGEST_QUERY],
        category=raw.get("category", "")[:40],
        lowest_cents=_cents(raw.get("price_min", "")),
        highest_cents=_cents(raw.get("price_max", "")),
        in_stock_only=raw.get("in_stock") == "1",
        sort=sort if sort in SORTS else "relevance",
        page=_page(raw.get("page", "1")),
    )


def find_products(
    products: Iterable[Product], query: Query, is_in_stock: Callable[[Product], bool]
) -> Found:
    """Return the asked page; a page past the end is the last one, and every word must match."""
    hits = [p for p in products if _matches(p, query, is_in_stock)]
    ordered = sort_products(hits, query)
    page_count = max(1, -(-len(ordered) // PAGE_SIZE))
    page = min(query.page, page_count)
    start = (page - 1) * PAGE_SIZE
    return Found(
        replace(query, page=page),
        tuple(ordered[start : start + PAGE_SIZE]),
        len(ordered),
        page_count,
    )


def sort_products(products: list[Product], query: Query) -> list[Product]:
    """Return the products in the asked order; ties keep the catalogue's order."""
    match query.sort:
        case "price-asc":
            return sorted(products, key=lambda p: p.cents)
        case "price-desc":
            return sorted(products, key=lambda p: -p.cents)
        case "name":
            return sorted(products, key=lambda p: p.name.casefold())
        case "rating":
            return sorted(products, key=lambda p: (-p.rating_tenths, -p.review_count))
    words = query.words.casefold().split()
    return sorted(products, key=lambda p: -sum(word in p.name.casefold() for word in words))


def _matches(product: Product, query: Query, is_in_stock: Callable[[Product], bool]) -> bool:
    if query.category and product.category.slug != query.category:
        return False
    if query.lowest_cents is not None and product.cents < query.lowest_cents:
        return False
    if query.highest_cents is not None and product.cents > query.highest_cents:
        return False
    if query.in_stock_only and not is_in_stock(product):
        return False
    text = f"{product.name} {product.category.name} {product.seller.name} {product.about}"
    known = text.casefold()
    return all(word in known for word in query.words.casefold().split())


def _units(cents: int | None) -> str:
    return "" if cents is None else f"{cents / 100:g}"


def _cents(text: str) -> int | None:
    try:
        cents = round(float(text) * 100)
    except (ValueError, OverflowError):  # not a number, or infinite: no limit
        return None
    return cents if 0 <= cents <= HIGHEST_PRICE_CENTS else None


def _page(text: str) -> int:
    digits = text if text.isascii() and text.isdigit() and len(text) < 6 else "1"
    return min(max(int(digits), 1), HIGHEST_PAGE)
