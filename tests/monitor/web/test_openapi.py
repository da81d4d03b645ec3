"""The API does what its description says, whatever is sent to it: every operation is fuzzed."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from monitor.rules.engine import Engine
from monitor.samples import SampleStore
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web import openapi
from monitor.web.permissions import Role
from monitor.web.queries import Queries
from monitor.web.routes import ROUTERS
from tests.monitor.web.builders import Web, services
from tests.monitor.web.seeds import troubled_shop

EXAMPLES = 12  # of each kind, for each operation and asker: some 2,000 requests in all
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def described() -> dict[str, Any]:
    """Return the description, which needs routes and no database."""
    app = FastAPI(title="SayPro Monitor", generate_unique_id_function=openapi.operation_id)
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app, ROUTERS)
    return app.openapi()


SCHEMA = schemathesis.openapi.from_dict(described())
OPERATIONS = {
    operation.label: operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok))
}


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A troubled shop that all fuzzing shares."""
    path = tmp_path_factory.mktemp("fuzzed") / "monitor.db"
    copy(sqlite_template, path)
    store = Store(open_engine(f"sqlite:///{path}"))
    troubled_shop(store)
    samples = SampleStore()
    queries = Queries(samples, Engine((), samples, send=list), dict)
    yield Web(services(store, queries=queries))
    store.close()


def send(client: TestClient, case: Case[Any]) -> None:
    """Send one generated request and hold the answer against the description."""
    sent: dict[str, Any] = case.as_transport_kwargs(base_url="http://monitor.test")
    headers: Mapping[str, str] = {**sent["headers"], **client.headers}
    body = sent.get("data")
    raw = body if isinstance(body, str | bytes) else None
    answer = client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        json=sent.get("json"),
        headers=headers,
        content=raw,
        data=None if raw is not None else body,
    )
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("asker", ["nobody", "machine"])
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_every_answer_is_a_described_one(shop: Web, label: str, asker: str) -> None:
    """Valid and invalid input, with the machine's token and without: no 5xx, no surprise."""
    client = shop.client() if asker == "nobody" else shop.as_role(Role.MACHINE)[0]
    cases = cases_of(OPERATIONS[label])

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def fuzz(case: Case[Any]) -> None:
        send(client, case)

    fuzz()


@functools.cache
def cases_of(operation: APIOperation[Any, Any, Any, Any]) -> st.SearchStrategy[Case[Any]]:
    """Return requests as described and, where anything can be wrong, requests that are not."""
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    takes_input = list(operation.iter_parameters()) or list(operation.body)
    if not takes_input:
        return good
    return good | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    """Clients are generated from these."""
    document = described()
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert [one["operationId"] for one in operations if not one.get("description")] == []
