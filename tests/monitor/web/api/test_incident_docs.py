"""What `docs/incidents.md` promises is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from incidents.lifecycle import Status
from incidents.outbox import NotSent
from monitor.storage.incidents import open_incidents
from monitor.web.api import (
    alerts,
    incident_regrouping,
    incident_tasks,
    incidents,
    postmortems,
)
from tests.monitor.web.builders import Web

DOCS = (Path(__file__).parents[4] / "docs" / "incidents.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*NotSent, *Status])
def test_every_word_of_the_closed_sets_is_documented(word: str) -> None:
    """States, and reasons why somebody was not told."""
    assert f"`{word}`" in DOCS


@pytest.mark.parametrize(
    "path", sorted({route.path for route in alerts.router.routes if hasattr(route, "path")})
)
def test_every_door_is_documented(path: str) -> None:
    """Each address of the alerts router."""
    assert path in DOCS


def test_every_verb_on_incidents_is_documented() -> None:
    """Each address of the routers of incidents, with numbers put in."""
    routers = (incidents, incident_regrouping, incident_tasks, postmortems)
    paths = {
        route.path.removeprefix("/api/v1/incidents")
        for module in routers
        for route in module.router.routes
        if hasattr(route, "path")
    }
    numbers = {"number": 7, "task": 2, "other": 3, "version": 1}
    shown = {path.format(**numbers) for path in paths} - {"", "/7"}
    assert {path for path in shown if path not in DOCS} == set()


def test_the_request_shown_opens_an_incident(web: Web) -> None:
    """The body of the example, sent as it stands."""
    found = re.search(r"-d '(\[.*?\])'", DOCS, re.DOTALL)
    assert found is not None
    answer = web.client().post("/api/v2/alerts", json=json.loads(found[1]))
    with web.services.store.read() as connection:
        opened = open_incidents(connection)
    assert (answer.status_code, [i.title for i in opened]) == (200, ["Nothing can be bought"])
