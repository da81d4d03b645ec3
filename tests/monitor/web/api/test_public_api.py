"""What other programs read, and how they report and plan."""

from __future__ import annotations

import json
import warnings
from datetime import timedelta
from typing import Any

import pytest

from monitor.web.permissions import Role
from tests.monitor.web.town import HOSTILE, Town
from tests.shared_data import shared_json

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its own imports, not ours
    import feedparser

DOCUMENTS = {
    "summary": "summary_incident_and_maintenance",
    "status": "status",
    "components": "components",
    "incidents": "incidents",
    "incidents/unresolved": "incidents_unresolved",
    "scheduled-maintenances": "scheduled-maintenances",
    "scheduled-maintenances/upcoming": "scheduled-maintenances_upcoming",
    "scheduled-maintenances/active": "scheduled-maintenances_active",
}
OPEN_PATHS = [*(f"/api/v2/{n}.json" for n in DOCUMENTS), "/history.atom", "/api/v1/banner.json"]


@pytest.fixture
def troubled(town: Town) -> Town:
    """An incident, one window running and one ahead."""
    town.see(checkout="down")
    town.break_()
    town.plan()
    town.plan(starts_in=60)
    return town


@pytest.mark.parametrize(("name", "recorded"), DOCUMENTS.items())
def test_every_document_has_the_top_level_and_item_keys_of_its_recorded_twin(
    troubled: Town, name: str, recorded: str
) -> None:
    """Through the whole application, beside what real clients were run against."""
    ours = troubled.client.get(f"/api/v2/{name}.json").json()
    theirs = shared_json(f"fixtures/statuspage/{recorded}.json")
    assert set(theirs) <= set(ours)
    for key in set(theirs) & {"incidents", "scheduled_maintenances"}:
        assert ours[key], key
        assert set(theirs[key][0]) <= set(ours[key][0])
        assert set(theirs[key][0]["incident_updates"][0]) <= set(
            ours[key][0]["incident_updates"][0]
        )


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_every_open_address_can_be_read_by_any_page_and_asked_for_by_head(
    troubled: Town, path: str
) -> None:
    """CORS for all, an ETag that works, no cookies, the length for HEAD."""
    got = troubled.client.get(path)
    head = troubled.client.head(path)
    same = troubled.client.get(path, headers={"if-none-match": got.headers["etag"]})
    assert got.headers["access-control-allow-origin"] == "*"
    assert got.headers["cross-origin-resource-policy"] == "cross-origin"
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert (same.status_code, "set-cookie" in got.headers) == (304, False)
    assert "max-age" in got.headers["cache-control"]


def test_the_summary_is_json_in_utf_8_even_with_hostile_titles(town: Town) -> None:
    """Serialised, never pasted."""
    town.break_(title=HOSTILE)
    answer = town.client.get("/api/v2/summary.json")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json()["incidents"][0]["name"] == HOSTILE


def test_the_feed_through_the_application_is_well_formed_and_stable(town: Town) -> None:
    """The entry keeps its id when it is revised."""
    town.break_(title=HOSTILE)
    first = feedparser.parse(town.client.get("/history.atom").content)
    town.web.clock.advance(60)
    town.repair()
    second = feedparser.parse(town.client.get("/history.atom").content)
    assert (first.bozo, second.bozo) == (False, False)
    assert first.entries[0].id == second.entries[0].id
    assert first.entries[0].updated < second.entries[0].updated


def test_our_own_status_has_the_word_unknown(town: Town) -> None:
    """Which the other format lacks."""
    document = town.client.get("/api/v1/status").json()
    assert document["status"] == "unknown"
    assert {c["status"] for c in document["components"]} == {"unknown"}


def test_the_banner_names_open_incidents_and_then_running_windows(troubled: Town) -> None:
    """With a new id whenever there is something new to read."""
    notices: list[dict[str, Any]] = troubled.client.get("/api/v1/banner.json").json()["notices"]
    assert [notice["kind"] for notice in notices] == ["incident", "maintenance"]
    assert notices[0]["url"].startswith("http://monitor.test/incidents/")
    assert notices[0]["components"] == ["Checkout"]


def test_a_quiet_banner_has_nothing_to_show(town: Town) -> None:
    """An empty list, and the script shows nothing."""
    town.see()
    assert town.client.get("/api/v1/banner.json").json()["notices"] == []


def test_the_banner_script_is_small_and_needs_nothing(town: Town) -> None:
    """A few kilobytes, no cookie, no markup from data, no address but ours."""
    answer = town.client.get("/banner.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert len(answer.content) < 6000
    assert answer.content.isascii()  # a shop's page may have any encoding
    for forbidden in ("innerHTML", "document.cookie", "eval(", "localStorage", "import "):
        assert forbidden not in answer.text


def report(town: Town, **body: str) -> Any:
    """Send a report as a program does."""
    return town.client.post("/api/v1/reports", json={"description": "Paying fails", **body})


def test_a_program_reports_and_is_answered_with_the_incident(town: Town) -> None:
    """And follows the report by its reference."""
    town.break_(title="Payments fail")
    answer = report(town, email="ada@example.test")
    body = answer.json()
    assert (answer.status_code, body["component"]) == (201, "checkout")
    assert body["incident"]["title"] == "Payments fail"
    assert "We know about this since 09:00 UTC" in body["answer"]
    followed = town.client.get(f"/api/v1/reports/{body['token']}").json()
    assert (followed["status"], followed["messages"][0]["from"]) == ("open", "us")
    assert "ada@example.test" not in json.dumps(followed)


def test_the_same_idempotency_key_gives_the_same_report(town: Town) -> None:
    """200 instead of 201, and another body under it is refused."""
    key = {"idempotency-key": "k1"}
    first = town.client.post("/api/v1/reports", json={"description": "Paying fails"}, headers=key)
    again = town.client.post("/api/v1/reports", json={"description": "Paying fails"}, headers=key)
    other = town.client.post("/api/v1/reports", json={"description": "No"}, headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["token"] == again.json()["token"]


@pytest.mark.parametrize(
    "body",
    [{"description": ""}, {"category": "nonsense"}, {"email": "x"}, {"surprise": "1"}],
)
def test_a_report_that_cannot_be_used_is_422_with_the_reason(
    town: Town, body: dict[str, str]
) -> None:
    """In the shape of every other refusal."""
    answer = report(town, **body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_an_unknown_reference_is_404_as_json(town: Town) -> None:
    """The same answer for every guess."""
    answer = town.client.get("/api/v1/reports/guess")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def window(town: Town, **changes: Any) -> dict[str, Any]:
    """A window of search for the coming hour, as a program plans it."""
    now = town.web.now()
    body = {
        "title": "Deploy",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=1)).isoformat(),
        "scope": [{"component": "search"}],
    }
    return {**body, **changes}


def test_a_machine_with_the_token_plans_and_cancels(town: Town) -> None:
    """And others may not."""
    machine, _ = town.web.as_role(Role.MACHINE)
    planned = machine.post("/api/v1/maintenance", json=window(town))
    assert (planned.status_code, planned.json()["state"]) == (201, "in_progress")
    assert [w["name"] for w in machine.get("/api/v1/maintenance").json()["maintenance"]] == [
        "MNT-1"
    ]
    cancelled = machine.post("/api/v1/maintenance/1/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert town.client.post("/api/v1/maintenance", json=window(town)).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": "2026-11-22T09:00:00"},
        {"scope": []},
        {"scope": [{"component": "nowhere"}]},
        {"scope": [{"component": "search", "effect": "explodes"}]},
        {"title": ""},
        {"ends_at": "2026-11-22T08:00:00Z"},
    ],
)
def test_a_window_that_cannot_be_is_422(town: Town, changes: dict[str, Any]) -> None:
    """A time without a zone is no instant."""
    machine, _ = town.web.as_role(Role.MACHINE)
    answer = machine.post("/api/v1/maintenance", json=window(town, **changes))
    assert (answer.status_code, bool(answer.json()["error"]["message"])) == (422, True)
