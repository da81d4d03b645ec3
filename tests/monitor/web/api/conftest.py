"""The application on each database, for doors whose answers the database's own SQL writes."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from monitor.storage.store import Store
from tests.monitor.web.builders import API_TOKEN, Web, services


@pytest.fixture
def each_web(store: Store) -> Web:
    """An application on each database in turn."""
    return Web(services(store))


@pytest.fixture
def machine(each_web: Web) -> TestClient:
    """A machine with the token."""
    client = each_web.client()
    client.headers["authorization"] = f"Bearer {API_TOKEN}"
    return client
