"""Every door that changes something leaves a row in the audit log: a walk over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from monitor.storage.audit import AuditFilter, AuditRow, search_audit
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web.permissions import Role
from tests.builders import NOW
from tests.monitor.web.builders import FakeHolder, Web, configuration, hidden, services
from tests.monitor.web.seeds import troubled_shop
from tests.monitor.web.test_doors import all_doors

SAFE = ("GET", "HEAD", "OPTIONS")
QUESTIONS = ("query", "query_range", "query_exemplars", "series", "labels")
CHANGE_NOTHING = {f"POST /api/v1/{name}" for name in QUESTIONS}  # asked by POST, as Prometheus does
WINDOW = {
    "title": "A new disk",
    "starts_at": "2030-01-01T00:00:00Z",
    "ends_at": "2030-01-01T01:00:00Z",
    "scope": [{"component": "login"}],
}
PLANNED = {
    "title": "A new disk",
    "zone": "UTC",
    "starts": "2030-01-01T00:00",
    "ends": "2030-01-01T01:00",
    "effect.login": "expected_down",
}
ALERT = {"labels": {"alertname": "Slow", "severity": "critical", "component": "login"}}
WEBHOOK = {
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Away", "severity": "critical", "component": "search"},
            "annotations": {},
            "startsAt": NOW.isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ],
}
EVENT = {
    "event_action": "trigger",
    "routing_key": "x",
    "payload": {"summary": "Disk full", "source": "db1", "severity": "critical"},
}
INCIDENT, API = "/console/incidents", "/api/v1/incidents"

# In this order, so that each finds what it changes. The value: what is sent, and the row expected.
CHANGES: dict[str, tuple[dict[str, Any] | list[Any], str]] = {
    "POST /api/v2/alerts": ([ALERT], "incident.opened"),
    "POST /api/v1/alertmanager": (WEBHOOK, "incident.opened"),
    "POST /v2/enqueue": (EVENT, "incident.opened"),
    f"POST {INCIDENT}": ({"title": "It smells", "severity": "warning"}, "incident.opened"),
    f"POST {API}": ({"title": "It smells"}, "incident.opened"),
    f"POST {INCIDENT}/{{number}}/acknowledge": ({}, "incident.acknowledged"),
    f"POST {API}/{{number}}/acknowledge": ({"number": 2}, "incident.acknowledged"),
    f"POST {INCIDENT}/{{number}}/take-over": ({}, "incident.taken_over"),
    f"POST {INCIDENT}/{{number}}/hand-back": ({}, "incident.handed_back"),
    f"POST {API}/{{number}}/take-over": ({}, "incident.taken_over"),
    f"POST {API}/{{number}}/hand-back": ({}, "incident.handed_back"),
    f"POST {INCIDENT}/{{number}}/note": ({"text": "Look at the gateway."}, "incident.note"),
    f"POST {API}/{{number}}/notes": ({"text": "Look at the gateway."}, "incident.note"),
    f"POST {INCIDENT}/{{number}}/update": (
        {"body": "We are on it.", "status": "identified"},
        "incident.update_published",
    ),
    f"POST {API}/{{number}}/updates": ({"text": "We are on it."}, "incident.update_published"),
    f"POST {INCIDENT}/{{number}}/status": ({"status": "monitoring"}, "incident.status_changed"),
    f"POST {API}/{{number}}/status": ({"status": "investigating"}, "incident.status_changed"),
    "POST /console/reports/{number}/reply": ({"text": "Thank you."}, "report.replied_to"),
    "POST /console/reports/{number}/ask": ({}, "report.asked"),
    "POST /console/reports/{number}/link": ({"incident": ""}, "incident.report_unlinked"),
    "POST /console/reports/{number}/category": ({"category": "paying"}, "report.recategorised"),
    "POST /report": ({"description": "Paying fails"}, "report.submitted"),
    "POST /api/v1/reports": ({"description": "Paying fails"}, "report.submitted"),
    "POST /r/{token}/message": ({"message": "It still fails."}, "report.written_to"),
    "POST /r/{token}/works": ({"works": "no"}, "report.answered"),
    "POST /r/{token}/incident": ({"incident": "public000001"}, "incident.report_linked"),
    "POST /r/{token}/category": ({"category": "paying"}, "report.recategorised"),
    f"POST {INCIDENT}/{{number}}/resolve": ({"despite": "yes"}, "incident.resolved"),
    "POST /console/maintenance": (PLANNED, "maintenance.planned"),
    "POST /api/v1/maintenance": (WINDOW, "maintenance.planned"),
    "POST /console/maintenance/{number}/cancel": ({}, "maintenance.cancelled"),
    "POST /api/v1/maintenance/{number}/cancel": ({"number": 2}, "maintenance.cancelled"),
    "POST /console/journeys/{name}/run": ({}, "journey.run_by_hand"),
    "POST /console/notifications/{row_id}/retry": ({}, "notification.retried"),
    "POST /console/configuration/reload": ({}, "configuration.loaded"),
    "POST /console/account/tokens": ({"name": "a", "scope": "read", "days": "30"}, "token.added"),
    "POST /api/v1/tokens": ({"name": "b", "scopes": ["read"]}, "token.added"),
    "POST /console/tokens/sources": ({"source": "eu"}, "token.added"),
    "POST /api/v1/tokens/sources": ({"source": "us"}, "token.added"),
    "POST /console/account/tokens/{token_id}/revoke": ({"number": 1}, "token.revoked"),
    "POST /api/v1/tokens/{token_id}/revoke": ({"number": 2}, "token.revoked"),
    "POST /console/tokens/{token_id}/revoke": ({"number": 3}, "token.revoked"),
}
# Tested beside what they do: signing in, accounts, acknowledging by a link, silences, on call.
ELSEWHERE = (
    "POST /console/sign-",
    "POST /console/account/",
    "POST /console/users",
    "POST /a/{token}",
    "POST /api/v2/silences",
    "POST /api/v1/silences",
    "PUT /api/v1/silences/",
    "POST /console/silences",
    "DELETE /api/v2/silence/{silence_id}",
    "POST /console/on-call/",
    "POST /api/v1/oncall/",
)
# Of these a part is walked; whatever they do is a line of a timeline, and that writes the row.
OF_AN_INCIDENT = tuple(
    f"{method} {path}/{{number}}/"
    for method in ("POST", "PUT", "DELETE")
    for path in (INCIDENT, API)
)


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A troubled shop that the whole walk shares."""
    folder = tmp_path_factory.mktemp("audited")
    copy(sqlite_template, folder / "monitor.db")
    store = Store(open_engine(f"sqlite:///{folder / 'monitor.db'}"))
    troubled_shop(store)
    yield Web(services(store, configuration=FakeHolder(configuration(folder))))
    store.close()


def send(web: Web, door: str, body: Any) -> Response:
    """Go through a door as whoever may, with what it asks for."""
    path = door.split(" ")[1]
    values = {"{number}": "1", "{name}": "checkout", "{row_id}": "2", "{token}": "token-1"}
    if isinstance(body, dict) and "number" in body:
        body = dict(body)
        values["{number}"] = values["{token_id}"] = str(body.pop("number"))
    for name, value in values.items():
        path = path.replace(name, value)
    if path.startswith("/r"):
        return _as_reporter(web.client(), path, body)
    client, csrf = web.as_role(Role.ADMINISTRATOR)
    if path.startswith(("/api/", "/v2/")):
        return client.post(path, json=body, headers={"x-csrf-token": csrf})
    return client.post(path, data={**body, "csrf": csrf})


def _as_reporter(client: TestClient, path: str, body: dict[str, str]) -> Response:
    page = client.get("/report" if path == "/report" else path.rpartition("/")[0]).text
    return client.post(path, data={**body, "form_token": hidden(page, "form_token")})


def log(web: Web) -> list[AuditRow]:
    with web.services.store.read() as connection:
        return search_audit(connection, AuditFilter(limit=1000))


def test_every_door_that_changes_something_is_walked() -> None:
    """A new door cannot be opened without saying here what row it leaves."""
    others = (*SAFE, *ELSEWHERE, *OF_AN_INCIDENT)
    changing = {door for door in all_doors() if not door.startswith(others)}
    walked = {door for door in CHANGES if not door.startswith(others)}
    assert changing == walked | CHANGE_NOTHING


@pytest.mark.parametrize("door", CHANGES)
def test_a_change_leaves_its_row(shop: Web, door: str) -> None:
    """Who did it, what it was, and on what."""
    body, action = CHANGES[door]
    before = len(log(shop))
    answer = send(shop, door, body)
    assert answer.status_code < 400, answer.text
    rows = log(shop)[: len(log(shop)) - before]
    assert action in {row.action for row in rows}
    actor = next(row.actor for row in rows if row.action == action)
    assert actor == expected_actor(door)


def expected_actor(door: str) -> str:
    """Return who is behind a door in this walk."""
    if door in ("POST /api/v2/alerts", "POST /api/v1/alertmanager", "POST /v2/enqueue"):
        return "monitor"
    by_reporter = door.startswith(("POST /r", "POST /api/v1/reports"))
    return "reporter" if by_reporter else Role.ADMINISTRATOR.value


def test_no_row_holds_what_a_reporter_wrote(web: Web) -> None:
    """Nor a name, an address or an order: the log is never erased for a reporter's sake."""
    words = {
        "description": "Canary-words about paying",
        "name": "Canary-Name",
        "email": "canary@shop.test",
        "order_reference": "CANARY-1",
    }
    assert send(web, "POST /report", words).status_code == 303
    with web.services.store.read() as connection:
        said = repr(search_audit(connection, AuditFilter()))
    assert "report.submitted" in said
    assert "canary" not in said.lower()
