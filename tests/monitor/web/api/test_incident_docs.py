"""What `docs/incidents.md` promises is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from incidents.lifecycle import Status
from incidents.outbox import NotSent
from monitor.storage.incidents import open_incidents
from monitor.web.api import alerts, incidents
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
    """Each address of the incidents router, by its last part."""
    paths = {route.path for route in incidents.router.routes if hasattr(route, "path")}
    verbs = {path.rsplit("/", 1)[1] for path in paths} - {"incidents", "{number}"}
    assert {verb for verb in verbs if f"/7/{verb}" not in DOCS} == set()


def test_the_request_shown_opens_an_incident(web: Web) -> None:
    """The body of the example, sent as it stands."""
    found = re.search(r"-d '(\[.*?\])'", DOCS, re.DOTALL)
    assert found is not None
    answer = web.client().post("/api/v2/alerts", json=json.loads(found[1]))
    with web.services.store.read() as connection:
        opened = open_incidents(connection)
    assert (answer.status_code, [i.title for i in opened]) == (200, ["Nothing can be bought"])
