"""Answers for what is left on the shelf: taken, put back, and refilled by sellers."""

from collections.abc import Mapping

from monitor.demo.catalogue import Catalogue

LOW_SHARE = 4  # sellers refill a shelf that fell under a quarter


class OutOfStock(Exception):
    """An order asks for more than the shelf holds; nothing was taken."""

    def __init__(self, sku: str, wanted: int, left: int) -> None:
        super().__init__(f"{sku}: {wanted} wanted, {left} left")
        self.sku, self.wanted, self.left = sku, wanted, left


class Inventory:
    """The stock of every article; a change is either whole or not made."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._full = {product.sku: product.stock for product in catalogue.products}
        self._left = dict(self._full)

    def left(self, sku: str) -> int:
        """Return how many are on the shelf now."""
        return self._left.get(sku, 0)

    def check(self, quantities: Mapping[str, int]) -> None:
        """Return if the shelf holds all of it.

        Raises:
            OutOfStock: it does not; the first missing article is named.
        """
        for sku, quantity in quantities.items():
            if quantity > self.left(sku):
                raise OutOfStock(sku, quantity, self.left(sku))

    def take(self, quantities: Mapping[str, int]) -> None:
        """Take all of it off the shelf, or nothing (`OutOfStock`)."""
        self.check(quantities)
        for sku, quantity in quantities.items():
            self._left[sku] -= quantity

    def put_back(self, quantities: Mapping[str, int]) -> None:
        """Put it all back, never above a full shelf (a seller may have refilled it meanwhile)."""
        for sku, quantity in quantities.items():
            self._left[sku] = min(self._full[sku], self._left[sku] + quantity)

    def refill(self) -> int:
        """Fill every shelf that fell under a quarter; return how many were filled."""
        low = [sku for sku, full in self._full.items() if self._left[sku] * LOW_SHARE < full]
        for sku in low:
            self._left[sku] = self._full[sku]
        return len(low)
