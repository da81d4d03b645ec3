"""One running shop for all tests of the demo, repaired before each; each test is a new visitor."""

from collections.abc import Iterator

import pytest

from monitor.demo import RunningShop, running_shop
from tests.monitor.demo.shopper import Shopper

PATIENCE_SECONDS = 0.4  # what the shop waits for the gateway


@pytest.fixture(scope="session")
def demo() -> Iterator[RunningShop]:
    """Serve a shop with TLS for the whole test run."""
    with running_shop(tls=True, gateway_timeout_seconds=PATIENCE_SECONDS) as running:
        yield running


@pytest.fixture
def shop(demo: RunningShop) -> Iterator[RunningShop]:
    """Give the shop with everything repaired and the shelves full."""
    yield demo
    demo.clear_faults()


@pytest.fixture
def shopper(shop: RunningShop) -> Iterator[Shopper]:
    """Give a visitor without history."""
    visitor = Shopper(shop.url)
    with visitor.http:
        yield visitor
