"""Every query of every dashboard, asked of the service itself while the demo shop is broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from dashboards.build import DASHBOARDS, FOLDER
from incidents.notices.maintenance import Effect, Scope
from monitor.promql import Vector, evaluate_instant, parse
from monitor.use_cases.maintenance import Plan, plan_maintenance
from tests.acceptance.town import Town, running_town
from tests.dashboards.queries import queries_of

pytestmark = pytest.mark.slow
QUERIES = [
    query
    for name in sorted(DASHBOARDS)
    for query in queries_of(json.loads((FOLDER / name).read_text("utf-8")))
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in the middle of an outage, with work on search under way."""
    with running_town(tmp_path_factory.mktemp("town")) as town:
        start = town.clock.now()
        scope = (Scope("search", Effect.EXPECTED_DOWN),)
        plan = Plan("A new search index", start, start + timedelta(hours=1), scope)
        service = town.service
        plan_maintenance(service.store, service.holder.current, plan, by="ada", now=start)
        town.pass_time(60)
        town.shop.set_fault("gateway_refuses")
        town.pass_time(60)
        yield town


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_returns_data_during_an_outage(town: Town, query: str) -> None:
    """No panel is empty when it matters, and no mark is asked of a series nobody writes."""
    built_in = town.service.built_in
    assert built_in is not None
    found = evaluate_instant(parse(query), built_in.samples, at=town.clock.now().timestamp())
    assert isinstance(found, Vector)
    assert len(found) > 0
