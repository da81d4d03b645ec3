"""PagerDuty's Events API v2, as its senders see us."""

from __future__ import annotations

from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy.exc import OperationalError

from incidents.lifecycle import Severity, Status
from monitor.storage import incidents as rows
from monitor.storage.incidents import Incident
from monitor.storage.store import Store
from monitor.web.api import pagerduty as door
from tests.monitor.web.builders import FakeSettings, Web, services
from tests.shared_data import shared_path

TOKEN = "sixteen characters and more"
KEY = "0" * 32


def event(action: str = "trigger", **changes: Any) -> dict[str, Any]:
    """An event as the client libraries make it; None leaves a key out."""
    payload = {
        "summary": "Disk is full",
        "source": "db-1",
        "severity": "critical",
        "component": "search",
        "custom_details": {"free": 0},
    }
    given = {
        "routing_key": KEY,
        "event_action": action,
        "dedup_key": "disk/db-1",
        "payload": payload if action == "trigger" else None,
        "client": "cron",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def send(web: Web, **changes: Any) -> Response:
    return web.client().post("/v2/enqueue", json=event(**changes))


def incidents(web: Web) -> list[Incident]:
    with web.services.store.read() as connection:
        return rows.list_incidents(connection, rows.IncidentFilter())


def test_a_trigger_opens_an_incident_and_its_key_comes_back(web: Web) -> None:
    """202 in PagerDuty's words, committed."""
    answer = send(web)
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "success", "message": "Event processed", "dedup_key": "disk/db-1"},
    )
    (incident,) = incidents(web)
    assert (incident.title, incident.component) == ("Disk is full", "search")
    assert incident.severity is Severity.CRITICAL


def test_a_trigger_without_a_key_is_given_one_of_its_own(web: Web) -> None:
    """Two of them are two alerts."""
    keys = {send(web, dedup_key=None).json()["dedup_key"] for _ in range(2)}
    listed = web.client().get("/api/v2/alerts").json()
    assert {alert["labels"]["dedup_key"] for alert in listed} == keys
    assert len(keys) == 2


def test_a_second_trigger_is_an_update_whatever_its_payload_says(web: Web) -> None:
    """The same alert, with the newest words."""
    send(web)
    send(web, payload={"summary": "Worse", "source": "db-2", "severity": "warning"})
    (alert,) = web.client().get("/api/v2/alerts").json()
    assert (alert["annotations"]["summary"], len(incidents(web))) == ("Worse", 1)


def test_acknowledge_takes_the_incident_and_resolve_ends_it(web: Web) -> None:
    """Neither needs a payload; each is harmless when it comes again or too early."""
    assert send(web, action="acknowledge").status_code == 202
    assert send(web, action="resolve").status_code == 202
    assert incidents(web) == []
    send(web)
    send(web, action="acknowledge")
    assert incidents(web)[0].acknowledged_by == "cron"
    web.clock.advance(60)
    send(web, action="resolve")
    assert incidents(web)[0].status is Status.RESOLVED
    assert send(web, action="acknowledge").status_code == 202


def test_events_of_nothing_we_know_are_incidents_of_their_own(web: Web) -> None:
    """Without a component only their keys tell them apart."""
    payload = {"summary": "x", "source": "y", "severity": "error"}
    send(web, dedup_key="one", payload=payload)
    send(web, dedup_key="two", payload=payload)
    assert len(incidents(web)) == 2


def test_what_an_alertmanager_sends_to_pagerduty_is_taken(web: Web) -> None:
    """Captured bodies: first, grown, over."""
    for name in ("trigger", "trigger_update", "resolve"):
        body = shared_path(f"fixtures/pagerduty/events_v2_{name}.json").read_bytes()
        answer = web.client().post(
            "/v2/enqueue", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 202, name
        web.clock.advance(10)
    assert [incident.status for incident in incidents(web)] == [Status.RESOLVED]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event_action": "page"}, "'event_action' must be one of"),
        ({"routing_key": None}, "'routing_key' is missing"),
        ({"payload": None}, "'payload' is missing"),
        ({"payload": {"summary": "x", "source": "y"}}, "'payload.severity' is missing"),
        (
            {"payload": {"summary": "x", "source": "y", "severity": "bad"}},
            "'payload.severity' must be one of",
        ),
        ({"payload": {"source": "y", "severity": "info"}}, "'payload.summary' is missing"),
        ({"dedup_key": "x" * 256}, "'dedup_key' must be a string"),
        ({"action": "resolve", "dedup_key": None}, "'dedup_key' is required"),
        ({"client": 3}, "'client' must be a string"),
    ],
)
def test_a_bad_event_is_refused_with_every_fault(
    web: Web, changes: dict[str, Any], words: str
) -> None:
    """400 in PagerDuty's shape, which is final for its clients; nothing is stored."""
    answer = send(web, **changes)
    said = answer.json()
    assert (answer.status_code, said["status"]) == (400, "invalid event")
    assert any(words in error for error in said["errors"]), said
    assert incidents(web) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
def test_a_body_that_is_no_event_is_refused(web: Web, content: bytes) -> None:
    """As 400 too."""
    assert web.client().post("/v2/enqueue", content=content).status_code == 400


@pytest.mark.parametrize(
    ("token", "shown", "address", "status"),
    [
        (None, KEY, "127.0.0.1", 202),
        (None, KEY, "192.0.2.7", 400),
        (TOKEN, KEY, "127.0.0.1", 400),
        (TOKEN, TOKEN, "192.0.2.7", 202),
    ],
)
def test_the_routing_key_is_the_senders_token(
    sqlite_store: Store, token: str | None, shown: str, address: str, status: int
) -> None:
    """Without one set, this machine alone is believed."""
    web = Web(services(sqlite_store, settings=FakeSettings(alerts_token=token)))
    answer = web.client(address).post("/v2/enqueue", json=event(routing_key=shown))
    assert (answer.status_code, len(incidents(web))) == (status, status == 202)


def test_an_unwell_database_is_503_and_a_time_to_wait(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PagerDuty's clients try again."""

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr(door, "receive_event", fail)
    answer = send(web)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
