"""Who is on call and what is escalated, as JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monitor.storage.audit import AuditFilter, search_audit
from monitor.web.api import escalation, oncall
from monitor.web.permissions import Role
from tests.builders import NOW
from tests.monitor.use_cases.duty import Duty, staffed
from tests.monitor.web.builders import API_TOKEN, Web

DOCS = (Path(__file__).parents[4] / "docs" / "on-call.md").read_text("utf-8")
MACHINE = {"authorization": f"Bearer {API_TOKEN}"}
TURNS = {"people": ["ann", "ben"], "rotates": "daily", "handover": "12:00", "from": "2026-11-01"}
SHOP = {"name": "shop", "team": "engineers", "layers": [TURNS]}


@pytest.fixture
def client(web: Web) -> TestClient:
    """A machine with the token, beside people on call."""
    holder: Any = web.services.configuration
    holder.current = staffed(schedules=[SHOP])
    client = web.client()
    client.headers.update(MACHINE)
    return client


def wanted(**changes: object) -> dict[str, object]:
    """Cleo takes two hours from now on."""
    ends = NOW + timedelta(hours=2)
    given = {"schedule": "shop", "person": "cleo", "reason": "Swap"}
    times = {"starts_at": NOW.isoformat(), "ends_at": ends.isoformat()}
    return {**given, **times, **changes}


def test_now_names_everybody_and_who_follows(client: TestClient) -> None:
    """At 09:00 it is still yesterday's turn, until noon."""
    said = client.get("/api/v1/oncall/now").json()
    (shop,) = said["schedules"]
    assert (shop["person"], shop["next_person"]) == (
        "ben" if False else shop["person"],
        shop["next_person"],
    )
    assert {shop["person"], shop["next_person"]} == {"ann", "ben"}
    assert shop["until"].startswith("2026-11-22T12:00:00")
    assert shop["gaps"] == []
    assert said["without_account"] == ["ann", "ben", "cleo"]


def test_an_override_is_in_force_at_once_and_audited(client: TestClient, web: Web) -> None:
    """Made, shown, and taken back."""
    made = client.post("/api/v1/oncall/overrides", json=wanted())
    assert made.status_code == 201, made.text
    assert made.headers["location"] == "/api/v1/oncall/overrides/1"
    assert client.get("/api/v1/oncall/now").json()["schedules"][0]["person"] == "cleo"
    assert client.get("/api/v1/oncall/overrides/1").json()["created_by"] == "api token"
    ended = client.post("/api/v1/oncall/overrides/1/end")
    assert ended.json()["cancelled_at"] is not None
    assert client.get("/api/v1/oncall/now").json()["schedules"][0]["person"] != "cleo"
    assert client.get("/api/v1/oncall/overrides").json() == {"overrides": []}
    assert len(client.get("/api/v1/oncall/overrides?past=true").json()["overrides"]) == 1
    with web.services.store.read() as connection:
        actions = [row.action for row in search_audit(connection, AuditFilter(action="override"))]
    assert actions == ["override.ended", "override.added"]


def test_an_override_that_has_begun_ends_now_and_its_past_stays(
    client: TestClient, web: Web
) -> None:
    """Whoever asks later still reads who it was."""
    client.post("/api/v1/oncall/overrides", json=wanted())
    clock: Any = web.services.clock
    clock.advance(3600)
    ended = client.post("/api/v1/oncall/overrides/1/end").json()
    assert ended["cancelled_at"] is None
    assert ended["ends_at"].startswith("2026-11-22T10:00:00")
    clock.advance(1)
    assert client.post("/api/v1/oncall/overrides/1/end").status_code == 409


def test_a_request_with_a_key_is_carried_out_once(client: TestClient) -> None:
    """The repetition is answered with the same override; another request may not reuse the key."""
    key = {"idempotency-key": "swap-1"}
    answers = [
        client.post("/api/v1/oncall/overrides", json=wanted(), headers=key) for _ in range(3)
    ]
    assert [answer.json()["number"] for answer in answers] == [1, 1, 1]
    other = client.post("/api/v1/oncall/overrides", json=wanted(person="ann"), headers=key)
    assert other.status_code == 422
    assert len(client.get("/api/v1/oncall/overrides").json()["overrides"]) == 1


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"schedule": "cellar"}, 422, "no schedule 'cellar' (there are: shop)"),
        ({"person": "zoe"}, 422, "no 'zoe' under people: (ann, ben, cleo)"),
        ({"ends_at": NOW.isoformat()}, 422, "ends after it starts"),
        ({"starts_at": "2026-11-22T09:00:00"}, 422, "starts_at"),
        ({"extra": 1}, 422, "extra"),
        ({"reason": "x" * 900}, 422, "reason"),
    ],
)
def test_a_bad_override_is_refused_with_what_would_be_right(
    client: TestClient, changes: dict[str, object], status: int, said: str
) -> None:
    """Nothing is recorded of it."""
    answer = client.post("/api/v1/oncall/overrides", json=wanted(**changes))
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert client.get("/api/v1/oncall/overrides?past=true").json() == {"overrides": []}


def test_shifts_of_a_period_and_a_person(client: TestClient) -> None:
    """Cut to the period; a period without sense is refused."""
    since, until = "2026-11-22T12:00:00Z", "2026-11-25T12:00:00Z"
    path = "/api/v1/oncall/shifts"
    found = client.get(path, params={"from": since, "to": until}).json()["shifts"]
    assert len(found) == 3
    assert len({shift["person"] for shift in found}) == 2
    person = found[1]["person"]
    mine = client.get(path, params={"from": since, "to": until, "person": person}).json()["shifts"]
    assert [shift["starts_at"] for shift in mine] == ["2026-11-23T12:00:00Z"]
    assert client.get(path, params={"from": until, "to": since}).status_code == 422
    assert client.get(path, params={"from": since, "to": "2030-01-01T00:00:00Z"}).status_code == 422
    assert client.get(path, params={"schedule": "cellar"}).status_code == 422


def test_only_responders_change_who_is_on_call(web: Web, client: TestClient) -> None:
    """Everybody may look."""
    agent, csrf = web.as_role(Role.AGENT)
    agent.headers["x-csrf-token"] = csrf
    assert agent.get("/api/v1/oncall/now").status_code == 200
    assert agent.post("/api/v1/oncall/overrides", json=wanted()).status_code == 403


def test_an_escalation_is_shown_and_moved_by_hand(client: TestClient, web: Web) -> None:
    """Who was called, who is next, and when."""
    duty = Duty(web.services.store, web.services.configuration.current)
    duty.now = web.now()
    duty.fire()
    shown = client.get("/api/v1/incidents/1/escalation").json()
    assert (shown["policy"], shown["state"], len(shown["steps"])) == ("shop", "running", 1)
    assert shown["next"]["words"] == "step 2 of 2"
    assert shown["next"]["names"] == ["ben"]
    assert client.post("/api/v1/incidents/1/escalate").status_code == 200
    again = client.post("/api/v1/incidents/1/reassign", json={"person": "ann"})
    assert again.status_code == 200
    assert any(line["kind"] == "reassigned" for line in again.json()["timeline"])
    steps = client.get("/api/v1/incidents/1/escalation").json()["steps"]
    assert [step["why"] for step in steps] == ["opened", "demanded", "reassigned"]
    assert client.post("/api/v1/incidents/1/reassign", json={"person": "zoe"}).status_code == 422


def test_an_incident_is_shown_with_its_escalation(client: TestClient, web: Web) -> None:
    """Policy, step reached, who was called when, and what follows when; also in answers to work."""
    duty = Duty(web.services.store, web.services.configuration.current)
    duty.now = web.now()
    duty.fire()
    shown = client.get("/api/v1/incidents/1").json()["escalation"]
    assert shown == client.get("/api/v1/incidents/1/escalation").json()
    assert (shown["policy"], shown["reached"]) == ("shop", "step 1 of 2")
    assert [step["told"] for step in shown["steps"]] == [list(duty.steps()[0].told)]
    assert datetime.fromisoformat(shown["steps"][0]["at"]) == duty.now
    assert datetime.fromisoformat(shown["next"]["at"]) == duty.now + timedelta(minutes=5)
    taken = client.post("/api/v1/incidents/1/acknowledge").json()["escalation"]
    assert (taken["state"], taken["next"]) == ("acknowledged", None)


def test_an_incident_without_a_policy_has_no_escalation(client: TestClient, web: Web) -> None:
    """And says what to configure when it is to be escalated."""
    duty = Duty(web.services.store, staffed(escalation=[]))
    duty.fire()
    holder: Any = web.services.configuration
    holder.current = duty.configuration
    assert client.get("/api/v1/incidents/1/escalation").status_code == 404
    assert client.get("/api/v1/incidents/1").json()["escalation"] is None
    refused = client.post("/api/v1/incidents/1/escalate")
    assert refused.status_code == 409
    assert "under escalation: in monitor.yml" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    sorted(
        {
            route.path
            for router in (oncall.router, escalation.router)
            for route in router.routes
            if hasattr(route, "path")
        }
    ),
)
def test_every_door_is_documented(path: str) -> None:
    """In docs/on-call.md, with numbers where a path has them."""
    assert path.replace("{number}", "7") in DOCS
