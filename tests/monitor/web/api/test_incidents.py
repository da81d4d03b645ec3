"""Incidents over the JSON API."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from monitor.web.permissions import Role
from tests.monitor.web.builders import Web

DOWN = {"alertname": "JourneyDown", "severity": "critical", "component": "checkout"}
API = "/api/v1/incidents"


@pytest.fixture
def machine(web: Web) -> TestClient:
    """A client that shows the API token; one incident is open."""
    client, _ = web.as_role(Role.MACHINE)
    web.client().post("/api/v2/alerts", json=[{"labels": DOWN}])
    return client


def test_an_incident_is_given_with_all_that_is_known_of_it(machine: TestClient) -> None:
    """Alerts, timeline and public notes come with it."""
    found = machine.get(f"{API}/1").json()
    assert (found["name"], found["status"], found["severity"]) == (
        "INC-1",
        "investigating",
        "critical",
    )
    assert found["alerts"][0]["labels"] == DOWN
    assert found["timeline"][0]["kind"] == "opened"
    assert len(found["updates"]) == 1


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [2, 1]),
        ("?open=true", [2, 1]),
        ("?open=false", []),
        ("?component=checkout", [1]),
        ("?severity=warning", [2]),
        ("?before=2", [1]),
        ("?limit=1", [2]),
    ],
)
def test_lists_are_filtered_and_paged(machine: TestClient, query: str, numbers: list[int]) -> None:
    """Newest first; the next page begins before the last number."""
    machine.post(API, json={"title": "By hand", "severity": "warning", "component": "search"})
    answer = machine.get(f"{API}{query}").json()
    assert [incident["number"] for incident in answer["incidents"]] == numbers
    assert answer["next"] == (2 if query == "?limit=1" else None)


@pytest.mark.parametrize("number", ["7", "0", "99999999999999999999", "x"])
def test_a_number_that_is_none_is_refused(machine: TestClient, number: str) -> None:
    """Unknown is 404, impossible is 422; never our fault."""
    assert machine.get(f"{API}/{number}").status_code == (404 if number == "7" else 422)


def test_work_is_answered_with_the_incident_as_it_stands(machine: TestClient) -> None:
    """Each verb leaves its mark."""
    assert machine.post(f"{API}/1/acknowledge").json()["acknowledged_by"] == "api token"
    assert machine.post(f"{API}/1/take-over").json()["taken_over"] is True
    assert machine.post(f"{API}/1/hand-back").json()["taken_over"] is False
    noted = machine.post(f"{API}/1/notes", json={"text": "Look."}).json()
    assert noted["timeline"][-1]["text"] == "Look."
    moved = machine.post(f"{API}/1/status", json={"status": "identified"}).json()
    assert moved["status"] == "identified"
    told = machine.post(f"{API}/1/updates", json={"text": "Soon.", "status": "monitoring"}).json()
    assert (told["status"], told["updates"][-1]["body"]) == ("monitoring", "Soon.")


def test_a_refusal_names_what_is_allowed(machine: TestClient) -> None:
    """409, and a sentence that helps."""
    answer = machine.post(f"{API}/1/status", json={"status": "resolved"})
    assert (answer.status_code, "despite them" in answer.json()["error"]["message"]) == (409, True)
    despite = {"status": "resolved", "despite_firing": True}
    assert machine.post(f"{API}/1/status", json=despite).json()["status"] == "resolved"


def test_opening_by_hand_says_where_it_is(machine: TestClient) -> None:
    """201 and its address."""
    answer = machine.post(API, json={"title": "Cards fail", "component": "checkout"})
    assert (answer.status_code, answer.headers["location"]) == (201, f"{API}/2")


def test_a_key_makes_a_request_happen_once(machine: TestClient) -> None:
    """A client that lost the answer sends it again and gets the same incident."""
    headers = {"idempotency-key": "42"}
    body = {"title": "Cards fail", "component": "checkout"}
    numbers = [machine.post(API, json=body, headers=headers).json()["number"] for _ in range(2)]
    other = machine.post(API, json={**body, "title": "Other"}, headers=headers)
    assert (numbers, other.status_code) == ([2, 2], 422)


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (Role.VIEWER, "notes", 403),
        (Role.AGENT, "notes", 200),
        (Role.AGENT, "acknowledge", 403),
        (Role.RESPONDER, "acknowledge", 200),
    ],
)
def test_people_may_do_what_their_role_may(
    web: Web, machine: TestClient, role: Role, path: str, status: int
) -> None:
    """With the session's token in a header."""
    client, csrf = web.as_role(role)
    headers = {"x-csrf-token": csrf}
    body = {"text": "Hello."} if path == "notes" else None
    assert client.post(f"{API}/1/{path}", json=body, headers=headers).status_code == status


def test_strangers_see_nothing(web: Web, machine: TestClient) -> None:
    """Neither the list nor one incident."""
    assert [web.client().get(f"{API}{path}").status_code for path in ("", "/1")] == [401, 401]
