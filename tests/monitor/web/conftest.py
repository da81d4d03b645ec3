"""The web application over a fresh SQLite store."""

from __future__ import annotations

import pytest

from monitor.storage.store import Store
from tests.monitor.web.builders import Web, services
from tests.monitor.web.town import Town


@pytest.fixture
def web(sqlite_store: Store) -> Web:
    """An application that tests can drive in simulated time."""
    return Web(services(sqlite_store))


@pytest.fixture
def town(web: Web) -> Town:
    """A shop with a public page."""
    return Town(web)
