"""An incident with more lines and alerts than anybody wants at once."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from monitor.storage import schema
from monitor.web.api.incident_views import MOST_OF_EACH
from monitor.web.permissions import Role
from tests.builders import NOW
from tests.monitor.web.builders import Web
from tests.monitor.web.seeds import add_incident

AT = "/api/v1/incidents/900"


def stormy(web: Web, count: int) -> TestClient:
    """Store an incident with so many lines and alerts; a client that may read it."""
    with web.services.store.begin() as tx:
        row = add_incident(tx, 900)
        line = {"incident_id": row, "at": NOW, "kind": "note", "actor": "ann"}
        tx.connection.execute(
            insert(schema.timeline), [{**line, "text": f"line {i}"} for i in range(count)]
        )
        alert = {"incident_id": row, "state": "resolved", "annotations": {}}
        times = ("starts_at", "latest_starts_at", "received_at", "updated_at")
        alert |= dict.fromkeys(times, NOW)
        rows = [
            {**alert, "fingerprint": f"{i:016x}", "labels": {"n": str(i)}} for i in range(count)
        ]
        tx.connection.execute(insert(schema.alerts), rows)
    client, _ = web.as_role(Role.MACHINE)
    return client


def texts(lines: list[dict[str, Any]]) -> list[str]:
    return [line["text"] for line in lines]


def test_the_incident_brings_the_newest_lines_and_says_where_the_others_are(web: Web) -> None:
    """One line more than it brings; the page behind it holds just that one."""
    client = stormy(web, MOST_OF_EACH + 1)
    found = client.get(AT).json()
    assert texts(found["timeline"]) == [f"line {i}" for i in range(1, MOST_OF_EACH + 1)]
    assert found["line_count"] == MOST_OF_EACH + 1
    rest = client.get(f"{AT}/timeline?before={found['timeline_next']}").json()
    assert (texts(rest["lines"]), rest["next"]) == (["line 0"], None)


def test_the_incident_brings_its_first_alerts_and_says_where_the_others_are(web: Web) -> None:
    """In the order in which they came."""
    client = stormy(web, MOST_OF_EACH + 1)
    found = client.get(AT).json()
    assert [one["labels"]["n"] for one in found["alerts"][::499]] == ["0", "499"]
    assert found["alert_count"] == MOST_OF_EACH + 1
    rest = client.get(f"{AT}/alerts?after={found['alerts_next']}").json()
    assert [one["labels"]["n"] for one in rest["alerts"]] == [str(MOST_OF_EACH)]


def test_a_small_incident_is_all_there(web: Web) -> None:
    """Nothing to fetch behind it."""
    found = stormy(web, 3).get(AT).json()
    assert texts(found["timeline"]) == ["line 0", "line 1", "line 2"]
    assert (found["timeline_next"], found["alerts_next"], len(found["alerts"])) == (None, None, 3)


@pytest.mark.parametrize(
    ("path", "cursor", "items"), [("timeline", "before", "lines"), ("alerts", "after", "alerts")]
)
def test_pages_put_together_are_everything_once(
    web: Web, path: str, cursor: str, items: str
) -> None:
    """Seven by three, the last page with one."""
    client = stormy(web, 7)
    page = client.get(f"{AT}/{path}?limit=3").json()
    found = page[items]
    while page["next"] is not None:
        page = client.get(f"{AT}/{path}?limit=3&{cursor}={page['next']}").json()
        found += page[items]
    assert len(found) == len({one["id"] for one in found}) == page["count"] == 7


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "before=0", "before=x"])
def test_a_page_that_cannot_be_is_refused(web: Web, query: str) -> None:
    """As in every list."""
    assert stormy(web, 1).get(f"{AT}/timeline?{query}").status_code == 422
