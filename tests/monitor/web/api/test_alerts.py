"""The doors for alerts, as their senders see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from monitor.storage import incidents as rows
from monitor.storage.store import Store
from monitor.use_cases import entrance
from monitor.use_cases.entrance import Entrance
from tests.monitor.web.builders import FakeSettings, Web, services
from tests.shared_data import shared_json, shared_path

TOKEN = "sixteen characters and more"
DOWN = {"alertname": "JourneyDown", "severity": "critical", "component": "checkout"}
JSON = {"content-type": "application/json"}


def post(client: TestClient, *alerts: Mapping[str, object]) -> int:
    return client.post("/api/v2/alerts", json=list(alerts)).status_code


def incident_count(web: Web) -> int:
    with web.services.store.read() as connection:
        return len(rows.open_incidents(connection))


def test_an_alert_is_committed_before_its_answer(web: Web) -> None:
    """The 200 is empty, and the incident is there."""
    answer = web.client().post("/api/v2/alerts", json=[{"labels": DOWN}])
    assert (answer.status_code, answer.content, incident_count(web)) == (200, b"", 1)


def test_captured_bad_posts_are_answered_byte_for_byte_alike(web: Web) -> None:
    """Status and JSON body of 35 requests, over HTTP."""
    client = web.client()
    for case in shared_json("fixtures/alertmanager/api_v2_post_validation.json")["cases"]:
        request = case["request"]
        raw = isinstance(request, str)
        body = request.encode("latin-1") if raw else json.dumps(request).encode()
        headers = {"content-type": case["content_type"]} if case["content_type"] else {}
        answer = client.post("/api/v2/alerts", content=body, headers=headers)
        assert answer.status_code == case["http_status"], case["case"]
        assert (answer.json() if answer.content else "") == case["response"], case["case"]


def test_the_good_alerts_of_a_refused_batch_are_kept(web: Web) -> None:
    """As Alertmanager keeps them."""
    status = post(web.client(), {"labels": {"bad-name": "x"}}, {"labels": DOWN})
    assert (status, incident_count(web)) == (400, 1)


def test_an_outage_as_prometheus_tells_it_opens_and_resolves(web: Web) -> None:
    """Captured bodies, at the times they were sent."""
    client = web.client()
    for name in ("firing_first", "firing_resend", "resolved", "resolved_resend"):
        body = shared_path(f"fixtures/prometheus/post_alerts_{name}.json").read_bytes()
        assert client.post("/api/v2/alerts", content=body, headers=JSON).status_code == 200
    assert incident_count(web) == 0


def test_a_webhook_of_an_alertmanager_is_taken(web: Web) -> None:
    """Two locations of one journey are one incident."""
    body = shared_path("fixtures/alertmanager/webhook_v4_firing_two.json").read_bytes()
    answer = web.client().post("/api/v1/alertmanager", content=body, headers=JSON)
    assert (answer.status_code, incident_count(web)) == (200, 1)


def test_a_webhook_that_is_none_is_refused(web: Web) -> None:
    """With what was expected."""
    answer = web.client().post("/api/v1/alertmanager", json={"version": "3"})
    assert (answer.status_code, "version '4'" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    ("token", "shown", "address", "status"),
    [
        (None, None, "127.0.0.1", 200),
        (None, None, "192.0.2.7", 401),
        (TOKEN, None, "127.0.0.1", 401),
        (TOKEN, "wrong", "127.0.0.1", 401),
        (TOKEN, TOKEN, "192.0.2.7", 200),
    ],
)
def test_without_the_token_nothing_gets_in(
    sqlite_store: Store, token: str | None, shown: str | None, address: str, status: int
) -> None:
    """Where none is set, only this machine itself is believed."""
    web = Web(services(sqlite_store, settings=FakeSettings(alerts_token=token)))
    client = web.client(address)
    if shown:
        client.headers["authorization"] = f"Bearer {shown}"
    assert post(client, {"labels": DOWN}) == status
    assert incident_count(web) == (1 if status == 200 else 0)


def test_what_clients_ask_before_anything_else_is_answered(web: Web) -> None:
    """amtool reads the status first, Grafana the receivers and groups."""
    client = web.client()
    post(client, {"labels": DOWN})
    theirs = shared_json("fixtures/alertmanager/api_v2_status.json")
    assert set(client.get("/api/v2/status").json()) == set(theirs)
    assert client.get("/api/v2/receivers").json() == [{"name": "pager"}]
    assert client.get("/api/v2/alerts/groups").json()[0]["labels"] == {"component": "checkout"}


WEBHOOK = {"version": "4", "alerts": [{"status": "firing", "labels": DOWN}]}
DOORS = [("/api/v2/alerts", [{"labels": DOWN}]), ("/api/v1/alertmanager", WEBHOOK)]


def refused(web: Web, path: str, body: object) -> tuple[int, str | None, int]:
    """Post, and return status, advice and how many incidents there are after all."""
    answer = web.client().post(path, json=body)
    return answer.status_code, answer.headers.get("retry-after"), incident_count(web)


@pytest.mark.parametrize(("path", "body"), DOORS)
def test_an_unwell_database_is_503_and_a_time_to_wait(
    web: Web, monkeypatch: pytest.MonkeyPatch, path: str, body: object
) -> None:
    """The sender tries again; it is never told that the alert was wrong."""

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr(entrance, "receive_batches", fail)
    assert refused(web, path, body) == (503, "5", 0)


@pytest.mark.parametrize(("path", "body"), DOORS)
@pytest.mark.parametrize("room", [{"most_bytes": 10}, {"most_alerts": 1}])
def test_a_full_queue_is_503_at_every_door(
    sqlite_store: Store, path: str, body: object, room: dict[str, Any]
) -> None:
    """Nothing is stored or held back, and the next one is taken when there is room."""
    web = Web(services(sqlite_store))
    full = Entrance(sqlite_store, lambda: web.services.configuration.current, web.clock, **room)
    full.alerts_waiting = 1
    crowded = Web(services(sqlite_store, entrance=full))
    assert refused(crowded, path, body) == (503, "5", 0)
    assert full.bytes_held == 0
    full.alerts_waiting, full.most_bytes = 0, entrance.MOST_BYTES
    assert refused(crowded, path, body) == (200, None, 1)


def test_a_body_longer_than_any_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 413 and what to do; what was read of it is let go."""
    monkeypatch.setattr("monitor.web.intake.LONGEST_BODY_BYTES", 20)
    answer = web.client().post("/api/v2/alerts", json=[{"labels": DOWN}])
    assert (answer.status_code, "fewer alerts" in answer.json()["message"]) == (413, True)
    assert web.services.entrance.bytes_held == 0


def test_a_storm_in_one_request_is_taken(web: Web) -> None:
    """Ten thousand alerts, five megabytes, one transaction; one component is one incident."""
    batch = [
        {"labels": {**DOWN, "instance": str(n)}, "annotations": {"d": "x" * 300}}
        for n in range(10_000)
    ]
    assert (post(web.client(), *batch), incident_count(web)) == (200, 1)


def test_reading_alerts_needs_the_token_too(web: Web) -> None:
    """What fires is nobody else's business."""
    changed = replace(web.services, settings=FakeSettings(alerts_token=TOKEN))
    assert Web(changed).client().get("/api/v2/alerts").status_code == 401
