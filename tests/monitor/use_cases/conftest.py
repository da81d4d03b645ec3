"""An incident desk on either database."""

from __future__ import annotations

import pytest

from monitor.storage.store import Store
from tests.monitor.use_cases.desk import Desk


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk on SQLite and on PostgreSQL in turn."""
    return Desk(store)


@pytest.fixture
def sqlite_desk(sqlite_store: Store) -> Desk:
    """A desk on SQLite alone."""
    return Desk(sqlite_store)
