"""What an Alertmanager's clients read, on each database: the lists are written by its own SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

from fastapi.testclient import TestClient

from tests.builders import NOW
from tests.monitor.web.builders import Web
from tests.shared_data import shared_json

DOWN = {"alertname": "Down", "severity": "critical", "component": "checkout"}
SLOW = {"alertname": "Slow", "severity": "warning", "component": "checkout"}
LATE = {"alertname": "Late", "severity": "warning", "component": "search"}
BARE = {"alertname": "Bare"}
ODD = "sl\\ash \"quote\" 'tick' % : {brace} tab\t line\n e\u0301 日本 🛒 </script>"


def fire(client: TestClient, *alerts: Mapping[str, Any]) -> None:
    """Post alerts, each by its labels."""
    assert client.post("/api/v2/alerts", json=[{"labels": one} for one in alerts]).is_success


def silenced(client: TestClient, name: str, value: str, **changes: Any) -> str:
    """Silence what has this label, in Alertmanager's words; returns the id."""
    made = {
        "matchers": [{"name": name, "value": value, "isRegex": False, **changes}],
        "startsAt": NOW.isoformat(),
        "endsAt": (NOW + timedelta(hours=1)).isoformat(),
        "createdBy": "ada",
        "comment": value,
    }
    answer = client.post("/api/v2/silences", json=made)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["silenceID"])


def names(client: TestClient, *filters: str, **flags: str) -> list[str]:
    """Return the names of the alerts that a list shows, in alphabetical order."""
    answer = client.get("/api/v2/alerts", params={"filter": list(filters), **flags})
    assert answer.status_code == 200, answer.text
    return sorted(alert["labels"]["alertname"] for alert in answer.json())


def test_alerts_are_listed_as_alertmanager_lists_them(machine: TestClient, each_web: Web) -> None:
    """The same keys, so that its clients read them; a resolved one is gone."""
    down = {"labels": DOWN, "generatorURL": "http://prometheus.test/graph"}
    machine.post("/api/v2/alerts", json=[down, {"labels": BARE}])
    listed = {one["labels"]["alertname"]: one for one in machine.get("/api/v2/alerts").json()}
    theirs = shared_json("fixtures/alertmanager/api_v2_alerts.json")[0]
    assert set(listed["Down"]) == set(theirs)
    assert set(listed["Bare"]) == set(theirs) - {"generatorURL"}
    assert set(listed["Down"]["status"]) == set(theirs["status"])
    machine.post("/api/v2/alerts", json=[{"labels": DOWN, "endsAt": each_web.now().isoformat()}])
    assert names(machine) == ["Bare"]


def test_every_character_and_instant_comes_back_as_it_was(machine: TestClient) -> None:
    """The database writes the JSON: quotes, line ends, other scripts, milliseconds of UTC."""
    alert = {
        "labels": {**DOWN, "odd": ODD},
        "annotations": {"summary": ODD, "empty_after": "x"},
        "generatorURL": "http://prometheus.test/graph?q=%22a%22&b='c'",
        "startsAt": "2026-11-22T10:00:00.123456+02:00",
        "endsAt": "2026-11-22T09:30:00.0004Z",
    }
    assert machine.post("/api/v2/alerts", json=[alert]).status_code == 200
    (listed,) = machine.get("/api/v2/alerts").json()
    kept = {key: listed[key] for key in ("labels", "annotations", "generatorURL")}
    assert kept == {key: alert[key] for key in kept}
    assert listed["startsAt"] == "2026-11-22T08:00:00.123Z"
    assert listed["endsAt"] == "2026-11-22T09:30:00.000Z"
    wanted = ODD.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert names(machine, f'odd="{wanted}"') == ["Down"]
    assert names(machine, f'odd!="{wanted}"') == []


FILTERED = {
    (): ["Bare", "Down", "Late", "Slow"],
    ('alertname="Down"',): ["Down"],
    ('alertname!="Down"',): ["Bare", "Late", "Slow"],
    ('alertname=~"D.*|L.te"',): ["Down", "Late"],
    ('alertname=~"ow"',): [],
    ('alertname!~".*ow.*"',): ["Bare", "Late"],
    ('component=""',): ["Bare"],
    ('component!=""',): ["Down", "Late", "Slow"],
    ('component=~"|search"',): ["Bare", "Late"],
    ('component="checkout"', 'severity="warning"'): ["Slow"],
    ('component="checkout"', 'component="search"'): [],
    ('nothing="x"',): [],
}


def test_lists_are_filtered_as_amtool_asks(machine: TestClient) -> None:
    """Several matchers are an and; a label that is missing is an empty one; a regex is anchored."""
    fire(machine, DOWN, SLOW, LATE, BARE)
    assert {filters: names(machine, *filters) for filters in FILTERED} == FILTERED


def test_a_bad_matcher_is_refused(machine: TestClient) -> None:
    """As a JSON text, with status 400."""
    answer = machine.get("/api/v2/alerts?filter=nonsense")
    assert (answer.status_code, answer.json()) == (400, "bad matcher format: nonsense")


CHOSEN = {
    "": ["Bare", "Down", "Late", "Slow"],
    "active=false": ["Late", "Slow"],
    "silenced=false": ["Bare", "Down", "Slow"],
    "inhibited=false": ["Bare", "Down", "Late"],
    "silenced=false&inhibited=false": ["Bare", "Down"],
    "active=false&silenced=false": ["Slow"],
    "active=false&silenced=false&inhibited=false": [],
    "receiver=pager": ["Bare", "Down", "Late", "Slow"],
    "receiver=page": [],
}


def test_flags_choose_by_what_keeps_alerts_quiet(machine: TestClient) -> None:
    """Down inhibits Slow, Late is silenced, Down and Bare are active."""
    fire(machine, DOWN, SLOW, LATE, BARE)
    silence = silenced(machine, "component", "sea.*", isRegex=True)
    found = {flags: names(machine, **dict(parse_qsl(flags))) for flags in CHOSEN}
    assert found == CHOSEN
    status = {one["labels"]["alertname"]: one["status"] for one in listed(machine)}
    (down,) = [one["fingerprint"] for one in listed(machine) if one["labels"] == DOWN]
    assert (status["Late"]["silencedBy"], status["Slow"]["inhibitedBy"]) == ([silence], [down])


def listed(client: TestClient) -> list[dict[str, Any]]:
    """Return every alert."""
    found: list[dict[str, Any]] = client.get("/api/v2/alerts").json()
    return found


def test_groups_hold_the_same_alerts_by_component(machine: TestClient) -> None:
    """Once for every channel; what has no component is a group of its own."""
    fire(machine, DOWN, SLOW, LATE, BARE)
    groups = {
        group["labels"].get("component", ""): [a["fingerprint"] for a in group["alerts"]]
        for group in machine.get("/api/v2/alerts/groups").json()
    }
    assert {name: len(found) for name, found in groups.items()} == {
        "": 1,
        "checkout": 2,
        "search": 1,
    }
    assert sorted(chain.from_iterable(groups.values())) == [
        one["fingerprint"] for one in listed(machine)
    ]


def test_silences_are_listed_filtered_and_ended(machine: TestClient, each_web: Web) -> None:
    """By their matchers; active ones first, one that was ended is listed as expired."""
    checkout = silenced(machine, "component", "checkout")
    search = silenced(machine, "component", ODD)
    assert [(s["id"], s["comment"]) for s in silences(machine)] == [
        (checkout, "checkout"),
        (search, ODD),
    ]
    assert [s["id"] for s in silences(machine, 'component="checkout"')] == [checkout]
    assert silences(machine, 'component=~"checkout"') == []
    assert machine.delete(f"/api/v2/silence/{checkout}").status_code == 200
    states = {s["id"]: s["status"]["state"] for s in silences(machine)}
    assert states == {checkout: "expired", search: "active"}
    assert machine.get(f"/api/v2/silence/{search}").json()["matchers"][0]["value"] == ODD


def silences(client: TestClient, *filters: str) -> list[dict[str, Any]]:
    """Return the silences a list shows."""
    found: list[dict[str, Any]] = client.get(
        "/api/v2/silences", params={"filter": list(filters)}
    ).json()
    return found
