"""Silences as JSON on each database: listed, shown before they bite, made, changed and ended."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from monitor.storage.audit import AuditFilter, search_audit
from monitor.web.api import silences_v1
from monitor.web.api.silence_views import SilenceGiven, SilenceView
from monitor.web.permissions import Role
from monitor.web.services import RuleGroupView, RuleView
from tests.builders import NOW
from tests.monitor.web.builders import FakeRules, Web

DOCS = (Path(__file__).parents[4] / "docs" / "alerts.md").read_text("utf-8")
PATH = "/api/v1/silences"
UNKNOWN = "5c5e5e5e-0000-4000-8000-000000000001"
DOWN = {"alertname": "Down", "severity": "critical", "component": "checkout"}
LATE = {"alertname": "Late", "severity": "warning", "component": "search"}
KEY = {"idempotency-key": "backup"}
WEEKLY = {"rule": "FREQ=WEEKLY;COUNT=3", "time_zone": "Africa/Johannesburg"}


def hours(count: float) -> str:
    """Return the instant so many hours from the beginning."""
    return (NOW + timedelta(hours=count)).isoformat()


def wanted(**changes: object) -> dict[str, object]:
    """Checkout for an hour from now on."""
    return {
        "matchers": ['component="checkout"'],
        "ends_at": hours(1),
        "comment": "known",
        **changes,
    }


def made(client: TestClient, **changes: object) -> dict[str, Any]:
    """Make a silence and return it."""
    answer = client.post(PATH, json=wanted(**changes))
    assert answer.status_code == 201, answer.text
    silence: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{PATH}/{silence['id']}"
    assert client.get(answer.headers["location"]).json() == silence
    return silence


def listed(client: TestClient, state: str = "") -> list[str]:
    """Return the ids of the silences in a state, or of all."""
    said = client.get(PATH, params={"state": state} if state else {}).json()
    assert said["count"] == len(said["silences"])
    return [silence["id"] for silence in said["silences"]]


def actions(web: Web) -> list[tuple[str, str]]:
    """Return what the audit log says was done to silences and by whom, the newest first."""
    with web.services.store.read() as connection:
        found = search_audit(connection, AuditFilter(action="silence"))
    return [(row.action, row.actor) for row in found]


def test_a_silence_is_made_in_force_and_ended(machine: TestClient, each_web: Web) -> None:
    """Its alerts open nothing meanwhile; each step is in the audit log."""
    silence = made(machine)
    assert (silence["state"], silence["created_by"]) == ("active", "api token")
    assert silence["starts_at"].startswith("2026-11-22T09:00:00")
    assert silence["recurrence"] is None
    machine.post("/api/v2/alerts", json=[{"labels": DOWN}])
    assert machine.get("/api/v1/incidents").json()["count"] == 0
    ended = machine.post(f"{PATH}/{silence['id']}/expire").json()
    assert (ended["state"], ended["expired_by"]) == ("expired", "api token")
    assert ended["occurrences"] == []
    again = machine.post(f"{PATH}/{silence['id']}/expire")
    assert again.status_code == 409
    assert "make a new one" in again.json()["error"]["message"]
    assert actions(each_web) == [("silence.expired", "api token"), ("silence.created", "api token")]


def test_silences_are_listed_by_state(machine: TestClient, each_web: Web) -> None:
    """And those that are over only for thirty days."""
    active = made(machine)["id"]
    pending = made(machine, starts_at=hours(2), ends_at=hours(3))["id"]
    over = made(machine)["id"]
    machine.post(f"{PATH}/{over}/expire")
    assert listed(machine) == [active, pending, over]
    assert [listed(machine, state) for state in ("active", "pending", "expired")] == [
        [active],
        [pending],
        [over],
    ]
    first = machine.get(PATH, params={"limit": 1}).json()
    assert ([silence["id"] for silence in first["silences"]], first["count"]) == ([active], 3)
    clock: Any = each_web.services.clock
    clock.advance(timedelta(days=31).total_seconds())
    assert listed(machine) == []


def test_a_recurring_silence_shows_every_occurrence_and_where_it_stands(
    machine: TestClient, each_web: Web
) -> None:
    """Between two it is pending, and shown with the next one."""
    silence = made(machine, recurrence=WEEKLY)
    assert silence["recurrence"] == WEEKLY
    starts = [one["starts_at"][:10] for one in silence["occurrences"]]
    assert starts == ["2026-11-22", "2026-11-29", "2026-12-06"]
    assert silence["over_at"].startswith("2026-12-06T10:00:00")
    clock: Any = each_web.services.clock
    clock.advance(2 * 3600)
    later = machine.get(f"{PATH}/{silence['id']}").json()
    assert (later["state"], later["starts_at"][:10]) == ("pending", "2026-11-29")
    assert len(later["occurrences"]) == 2


def test_at_most_twenty_occurrences_are_shown(machine: TestClient) -> None:
    """Of a year of days."""
    silence = made(machine, recurrence={"rule": "FREQ=DAILY"})
    assert len(silence["occurrences"]) == 20
    assert silence["over_at"].startswith("2027-11-23")


def test_a_silence_is_shown_before_it_bites(machine: TestClient, each_web: Web) -> None:
    """Alerts, rules and incidents it would mute, and what to think about; nothing is made."""
    rules: Any = each_web.services.rules
    assert isinstance(rules, FakeRules)
    down = RuleView("Down", "up == 0", True, "firing", {"severity": "critical"})
    recorded = RuleView("component:up:sum", "sum(up)", False, "unknown")
    rules.groups_ = [RuleGroupView("shop", "shop.yml", 30, rules=(down, recorded))]
    machine.post("/api/v2/alerts", json=[{"labels": DOWN}, {"labels": LATE}])
    (incident,) = machine.get("/api/v1/incidents?component=checkout").json()["incidents"]
    shown = machine.post(f"{PATH}/preview", json={"matchers": ['component="checkout"']}).json()
    assert (shown["alerts"], shown["examples"]) == (1, ["Down (checkout)"])
    assert (shown["rules"], shown["incidents"]) == (["Down"], [incident["number"]])
    assert any("1 critical alert" in warning for warning in shown["warnings"])
    assert any("Rules that page" in warning for warning in shown["warnings"])
    assert (listed(machine), actions(each_web)) == ([], [])


@pytest.mark.parametrize(
    ("matchers", "status", "said"),
    [
        ([], 422, "matchers"),
        (["nonsense"], 422, "bad matcher format: nonsense"),
        (['a=~"("'], 422, "bad matcher format"),
        (['a=~".*"'], 400, "must not match the empty string"),
    ],
)
def test_matchers_that_cannot_be_are_neither_shown_nor_made(
    machine: TestClient, matchers: list[str], status: int, said: str
) -> None:
    """The preview refuses what making one would refuse."""
    for path, body in ((f"{PATH}/preview", {"matchers": matchers}), (PATH, wanted())):
        answer = machine.post(path, json={**body, "matchers": matchers})
        assert answer.status_code == status
        assert said in answer.json()["error"]["message"]
    assert listed(machine) == []


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"ends_at": hours(-1)}, 400, "start time must be before end time"),
        ({"starts_at": hours(-3), "ends_at": hours(-1)}, 400, "can't be in the past"),
        ({"ends_at": "2026-11-22T10:00:00"}, 422, "ends_at"),
        ({"comment": "  "}, 422, "the comment is empty"),
        ({"comment": "x" * 1001}, 422, "comment"),
        ({"recurrence": {"rule": "FREQ=SECONDLY"}}, 422, "is no rule we take"),
        ({"recurrence": {"rule": "FREQ=DAILY", "time_zone": "America"}}, 422, "no time zone"),
        ({"recurrence": {"rule": "FREQ=DAILY", "zone": "UTC"}}, 422, "zone"),
        ({"created_by": "somebody else"}, 422, "created_by"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_with_what_would_be_right(
    machine: TestClient, changes: dict[str, object], status: int, said: str
) -> None:
    """Nothing is recorded of it."""
    answer = machine.post(PATH, json=wanted(**changes))
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert listed(machine) == []


def test_a_request_with_a_key_is_carried_out_once(machine: TestClient, each_web: Web) -> None:
    """Also when it is repeated after the silence's end; another may not reuse the key."""
    answers = [machine.post(PATH, json=wanted(), headers=KEY) for _ in range(2)]
    clock: Any = each_web.services.clock
    clock.advance(2 * 3600)
    answers.append(machine.post(PATH, json=wanted(), headers=KEY))
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [answer.json()["state"] for answer in answers] == ["active", "active", "expired"]
    other = machine.post(PATH, json=wanted(comment="else"), headers=KEY)
    assert other.status_code == 422
    assert "idempotency key" in other.json()["error"]["message"]
    assert len(listed(machine)) == 1
    assert [action for action, _ in actions(each_web)] == ["silence.created"]


def test_a_silence_made_longer_keeps_its_id(machine: TestClient, each_web: Web) -> None:
    """Its start, too, when the request names none."""
    silence = made(machine)
    clock: Any = each_web.services.clock
    clock.advance(600)
    path = f"{PATH}/{silence['id']}"
    longer = machine.put(path, json=wanted(ends_at=hours(2), comment="still known"))
    assert longer.status_code == 200, longer.text
    changed = longer.json()
    assert (changed["id"], changed["starts_at"]) == (silence["id"], silence["starts_at"])
    assert (changed["ends_at"][:16], changed["comment"]) == ("2026-11-22T11:00", "still known")
    assert [action for action, _ in actions(each_web)] == ["silence.changed", "silence.created"]


def test_a_silence_of_something_else_takes_the_place_of_the_old_one_once(
    machine: TestClient, each_web: Web
) -> None:
    """Sent again with its key it is answered with the new one; without, it is refused."""
    silence = made(machine)
    path, body = f"{PATH}/{silence['id']}", wanted(matchers=['component="search"'])
    answers = [machine.put(path, json=body, headers=KEY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    new = answers[0].json()["id"]
    assert answers[1].json()["id"] == new != silence["id"]
    refused = machine.put(path, json=body)
    assert refused.status_code == 409
    assert "is expired; make a new one" in refused.json()["error"]["message"]
    assert (listed(machine, "active"), listed(machine, "expired")) == ([new], [silence["id"]])
    assert [action for action, _ in actions(each_web)] == [
        "silence.created",
        "silence.expired",
        "silence.created",
    ]


def test_ending_with_a_key_is_done_once(machine: TestClient) -> None:
    """The repetition is answered with the silence, not with a refusal."""
    path = f"{PATH}/{made(machine)['id']}/expire"
    answers = [machine.post(path, headers=KEY) for _ in range(2)]
    assert [answer.json()["state"] for answer in answers] == ["expired", "expired"]


def test_what_is_not_there_is_not_found(machine: TestClient) -> None:
    """To read, to change and to end."""
    path = f"{PATH}/{UNKNOWN}"
    answers = (
        machine.get(path),
        machine.put(path, json=wanted()),
        machine.post(f"{path}/expire"),
    )
    assert [answer.status_code for answer in answers] == [404] * 3


def test_whoever_looks_may_read_and_responders_may_silence(
    machine: TestClient, each_web: Web
) -> None:
    """As on the pages; who made it is the person."""
    agent, csrf = each_web.as_role(Role.AGENT)
    agent.headers["x-csrf-token"] = csrf
    assert agent.get(PATH).status_code == 200
    refused = [
        agent.post(PATH, json=wanted()),
        agent.post(f"{PATH}/preview", json={"matchers": ["a=b"]}),
        agent.put(f"{PATH}/{UNKNOWN}", json=wanted()),
        agent.post(f"{PATH}/{UNKNOWN}/expire"),
    ]
    assert [answer.status_code for answer in refused] == [403] * 4
    responder, csrf = each_web.as_role(Role.RESPONDER)
    responder.headers["x-csrf-token"] = csrf
    assert responder.post(PATH, json=wanted()).json()["created_by"] == Role.RESPONDER.value


def test_the_described_examples_are_true(machine: TestClient) -> None:
    """What the description shows can be sent, and answers have the fields it shows."""
    (given,) = _examples(SilenceGiven)
    answer = machine.post(PATH, json=given)
    assert answer.status_code == 201, answer.text
    (shown,) = _examples(SilenceView)
    assert set(shown) == set(answer.json())
    assert SilenceView.model_validate(shown).occurrences[0].ends_at < NOW + timedelta(days=7)


def _examples(model: type[SilenceGiven | SilenceView]) -> list[Any]:
    found: list[Any] = model.model_json_schema()["examples"]
    return found


@pytest.mark.parametrize(
    "path", sorted({route.path for route in silences_v1.router.routes if hasattr(route, "path")})
)
def test_every_door_is_documented(path: str) -> None:
    """In docs/alerts.md, with an id where a path has one."""
    assert path.replace("{silence_id}", UNKNOWN) in DOCS
