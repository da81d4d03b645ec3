"""Answers for what the demo marketplace sells, read from `catalogue.toml`.

It never changes while the shop runs; what is left on the shelf is the business of `inventory`.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CATALOGUE_FILE = Path(__file__).with_name("catalogue.toml")


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop; `tint` is the backdrop of its pictures."""

    slug: str
    name: str
    tint: str


@dataclass(frozen=True, slots=True)
class Seller:
    """Someone who sells in the marketplace, since the year `since`."""

    slug: str
    name: str
    place: str
    since: int


@dataclass(frozen=True, slots=True)
class Product:
    """One article: its price in cents, and the stock of a full shelf (0: sold out for good)."""

    sku: str
    name: str
    category: Category
    seller: Seller
    cents: int
    stock: int
    drawing: str
    colours: tuple[str, ...]
    about: str

    @property
    def rating_tenths(self) -> int:
        """Give a stable rating from 41 to 49 tenths of a star."""
        return 41 + sum(self.sku.encode()) * 7 % 9

    @property
    def review_count(self) -> int:
        """Give a stable number of reviews from 6 to 145."""
        return 6 + sum(self.name.encode()) * 13 % 140


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything on sale, in the order of the file."""

    products: tuple[Product, ...]
    categories: tuple[Category, ...]
    sellers: tuple[Seller, ...]

    def find(self, sku: str) -> Product | None:
        """Return the product with that number, or nothing."""
        return next((product for product in self.products if product.sku == sku), None)

    def category(self, slug: str) -> Category | None:
        """Return the category with that slug, or nothing."""
        return next((category for category in self.categories if category.slug == slug), None)


@cache
def load_catalogue() -> Catalogue:
    """Return the shipped catalogue, read once per process."""
    return parse_catalogue(tomllib.loads(CATALOGUE_FILE.read_text(encoding="utf-8")))


def parse_catalogue(raw: dict[str, Any]) -> Catalogue:
    """Return the catalogue a parsed TOML file describes.

    Raises:
        KeyError: a product names a category or seller the file does not have.
    """
    categories = {item["slug"]: Category(**item) for item in raw["categories"]}
    sellers = {item["slug"]: Seller(**item) for item in raw["sellers"]}
    products = tuple(
        Product(
            **{
                **item,
                "category": categories[item["category"]],
                "seller": sellers[item["seller"]],
                "colours": tuple(item["colours"]),
            }
        )
        for item in raw["products"]
    )
    return Catalogue(products, tuple(categories.values()), tuple(sellers.values()))
