"""Alerts with one cause come together, unrelated ones do not, and the timeline says why."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from incidents.alerts.model import Alert
from incidents.correlation import Subject
from incidents.lifecycle import Status
from monitor.storage.engine import open_engine
from monitor.storage.regrouping import links_of, merged_into
from monitor.storage.store import Store
from monitor.use_cases import placing
from monitor.use_cases.candidates import Candidates
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.regrouping import RegroupingDesk
from tests.monitor.use_cases.desk import START, Desk


def people(desk: Desk) -> IncidentDesk:
    return IncidentDesk(desk.store, desk.configuration, desk.policy)


def test_an_upstream_outage_takes_in_what_needs_it(desk: Desk) -> None:
    """Checkout was noticed first, but the sign-in is the cause: one story, and both say so."""
    desk.fire("checkout")
    desk.later(minutes=1).fire("login")
    checkout, login = desk.incidents()
    assert (checkout.status, checkout.merged_into_id) == (Status.RESOLVED, login.id)
    assert set(login.components) == {"login", "checkout"}
    assert {row["incident_id"] for row in desk.alerts()} == {login.id}
    assert "Merged into INC-2: checkout depends on login." in [x["text"] for x in desk.lines(1)]
    with desk.store.read() as connection:
        assert [row.number for row in merged_into(connection, login.id)] == [1]


def test_both_in_one_batch_are_one_incident(desk: Desk) -> None:
    """The dependant comes first by its start, and its alert follows its incident."""
    early = desk.firing("checkout", since=desk.now - timedelta(minutes=1))
    desk.deliver(early, desk.firing("login"))
    login = desk.incident(2)
    assert [i.is_open for i in desk.incidents()] == [False, True]
    assert {row["incident_id"] for row in desk.alerts()} == {login.id}


def test_whoever_knew_of_both_hears_of_one_end(desk: Desk) -> None:
    """The opening of the consequence that was not sent yet is not sent any more."""
    desk.deliver(
        desk.firing("checkout", since=desk.now - timedelta(minutes=1)), desk.firing("login")
    )
    desk.later(minutes=3).resolve("login")
    desk.resolve("checkout")
    closings = [channel for event, channel in desk.notified() if event == "incident_resolved"]
    dropped = [
        line["data"]["reason"] for line in desk.lines(1) if line["kind"] == "notification_dropped"
    ]
    assert closings == ["terminal", "pager"]
    assert dropped == ["suppressed_by_parent"] * 2


def test_the_consequence_alone_does_not_end_it(desk: Desk) -> None:
    """Checkout works again while the sign-in does not."""
    desk.fire("checkout")
    desk.fire("login")
    desk.later(minutes=3).resolve("checkout")
    login = desk.incident(2)
    assert login.is_open
    assert login.components == {"checkout": "operational", "login": "major_outage"}


def test_what_fires_again_goes_to_the_survivor(desk: Desk) -> None:
    """The identity of the merged incident stands for the other now."""
    desk.fire("checkout")
    desk.fire("login")
    desk.later(minutes=1).resolve("checkout")
    desk.later(minutes=1).fire("checkout")
    assert len(desk.incidents()) == 2
    assert desk.alerts()[-1]["incident_id"] == desk.incident(2).id


def test_what_a_person_works_on_is_linked_and_not_taken_in(desk: Desk) -> None:
    """Ann reads on under the number she knows."""
    desk.fire("checkout")
    people(desk).acknowledge(1, by="ann", now=desk.now)
    desk.later(minutes=1).fire("login")
    checkout, login = desk.incidents()
    assert checkout.is_open
    assert login.is_open
    with desk.store.read() as connection:
        assert [row.number for row in links_of(connection, checkout.id)] == [2]
        assert [row.why for row in links_of(connection, login.id)] == ["checkout depends on login"]
    assert desk.timeline(1)[-1] == desk.timeline(2)[-1] == "linked"


def test_an_old_outage_is_no_consequence_of_a_new_one(desk: Desk) -> None:
    """Checkout had failed for a quarter of an hour when the sign-in went."""
    desk.fire("checkout")
    desk.later(minutes=11)
    desk.fire("checkout")
    desk.fire("login")
    assert [incident.is_open for incident in desk.incidents()] == [True, True]


def test_an_old_warning_of_another_kind_does_not_swallow_an_outage(desk: Desk) -> None:
    """A certificate that ends in a week has nothing to do with today's status 500."""
    desk.fire(alertname="CertificateExpiring", severity="warning", cause="certificate")
    desk.later(minutes=1).fire(step="pay", reason="status")
    assert len(desk.incidents()) == 2
    assert ("incident_opened", "pager") in desk.notified()


def test_every_alert_says_why_it_is_where_it_is(desk: Desk) -> None:
    """On its own row too, for the incident's page."""
    desk.fire("login")
    desk.fire("checkout")
    desk.fire("login", location="eu")
    assert [row["joined_because"] for row in desk.alerts()] == [
        "it opened the incident",
        "checkout depends on login",
        "same component, journey and cause",
    ]


def test_what_joins_together_is_one_line_that_counts(desk: Desk) -> None:
    """A storm is told of by the transaction, not by the alert; each of it stays on record."""
    desk.fire("login")
    several = [desk.firing("login", instance=f"web-{n}") for n in range(40)]
    desk.deliver(*several, desk.firing("checkout"))
    first, other = [line for line in desk.lines() if line["kind"] == "alert_joined"]
    assert first["text"].startswith("JourneyDown (login) and 39 more joined: same component")
    assert first["data"]["alerts"] == 40
    assert set(first["data"]["fingerprints"]) == {alert.fingerprint for alert in several}
    assert first["data"]["reason"] == "deduplicated"
    assert other["text"].startswith("JourneyDown (checkout) joined: checkout depends on login")
    assert "alerts" not in other["data"]


def test_what_ends_together_is_one_line_as_well(desk: Desk) -> None:
    """Named by up to three names, and the incident ends with the last."""
    names = ("Slow", "Down", "Broken", "Lost", "Late")
    desk.deliver(*(desk.firing(alertname=name) for name in names))
    desk.later(minutes=1)
    desk.deliver(
        *(Alert(desk.firing(alertname=n).labels, starts_at=START, ends_at=desk.now) for n in names)
    )
    ended = [line["text"] for line in desk.lines() if line["kind"] == "alert_resolved"]
    assert ended == ["Slow (checkout), Down (checkout), Broken (checkout) and 2 more resolved."]
    assert not desk.incident().is_open


def test_what_a_person_moved_elsewhere_takes_in_what_needs_it_there(desk: Desk) -> None:
    """An alert of the search reopens the sign-in's incident, and checkout needs the sign-in."""
    desk.fire("login")
    desk.fire("search")
    mover = RegroupingDesk(desk.store, desk.configuration, desk.policy)
    mover.move(2, to=1, alerts=[desk.alerts()[1]["id"]], why="one host", by="ann", now=desk.now)
    desk.resolve("login")
    desk.resolve("search")
    desk.later(minutes=1).fire("checkout")
    assert not desk.incident(1).is_open
    assert desk.incident(3).is_open
    desk.fire("search")
    assert desk.incident(1).is_open
    assert desk.incident(3).merged_into_id == desk.incident(1).id


def test_a_storm_of_others_is_not_read_to_place_an_alert(desk: Desk) -> None:
    """Only what it may join: else each of 10,000 incidents costs more than the one before."""
    desk.fire("login")
    desk.fire("search")
    desk.fire("back-office")
    with desk.store.read() as connection:
        candidates = Candidates(connection, desk.configuration)
        candidates.load([Subject("checkout", "checkout", "")], desk.now)
        read = [incident.component for incident in candidates.incidents.values()]
    assert read == ["login"]


def test_an_outage_that_worsens_takes_in_what_needs_it(desk: Desk) -> None:
    """A slow sign-in explains no failing checkout; one that is down does."""
    desk.fire("login", severity="warning", alertname="Slow")
    desk.fire("checkout")
    assert [incident.is_open for incident in desk.incidents()] == [True, True]
    desk.fire("login")
    assert desk.incident(2).merged_into_id == desk.incident(1).id


def test_an_alert_about_every_location_follows_those_about_one(desk: Desk) -> None:
    """Alike in all else, and yet it makes a part of an outage a whole one."""
    desk.fire(location="eu")
    second = desk.firing(location="eu", instance="2", since=desk.now - timedelta(seconds=9))
    desk.deliver(second, desk.firing(instance="3"))
    assert desk.incident(1).components == {"checkout": "major_outage"}


def test_alerts_follow_an_incident_that_was_merged_between_them(desk: Desk) -> None:
    """Told in one batch: one before the sign-in failed, which explains it, and one after."""
    desk.fire()
    start = desk.later(minutes=1).now
    desk.later(minutes=1).deliver(
        desk.firing(instance="2", since=start),
        desk.firing("login", since=start + timedelta(seconds=1)),
        desk.firing(instance="3", since=start + timedelta(seconds=2)),
    )
    because = {row["labels"].get("instance"): row["joined_because"] for row in desk.alerts()}
    assert because["2"] == "same component, journey and cause"
    assert because["3"] == "INC-1, which it belongs to, is part of this"


def drawn(desk: Desk, chance: random.Random, count: int) -> list[Alert]:
    """Return alerts of few traits, so that many are alike in all but their instance."""
    found, often = [], chance.choice([0.1, 0.3, 0.6])
    for number in range(count):
        told: dict[str, Any] = {
            "instance": f"web-{number}",
            "severity": chance.choice(["warning", "critical"]),
        }
        for name, values in (
            ("step", "pay look"),
            ("reason", "timeout"),
            ("location", "eu"),
            ("journey", "guest"),
        ):
            if chance.random() < often:
                told[name] = chance.choice(values.split())
        since = desk.now - timedelta(seconds=chance.choice([0, 0, 0, 30, 300, 3000]))
        found.append(desk.firing(chance.choice(["login", "checkout", ""]), since=since, **told))
    return found


def story(desk: Desk) -> list[object]:
    """Return what became of everything."""
    incidents = [
        (i.key, i.severity, i.impact, i.status, i.step, i.reason, i.started_at, i.components)
        for i in desk.incidents()
    ]
    alerts = [
        (row["fingerprint"], row["incident_id"], row["joined_because"]) for row in desk.alerts()
    ]
    lines = [[(x["kind"], x["text"]) for x in desk.lines(i.number)] for i in desk.incidents()]
    return [incidents, alerts, lines, desk.notified()]


class Unlike(NamedTuple):
    """Traits that no other alert has."""

    subject: Subject

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


@pytest.mark.parametrize("seed", range(30))
def test_alerts_alike_join_as_each_would_by_itself(
    sqlite_store: Store, sqlite_template: Path, tmp_path: Path, seed: int
) -> None:
    """What is known of the first is used for the others of a transaction: with no difference."""
    shutil.copy(sqlite_template, tmp_path / "other.db")
    stories = []
    for store, forgets in (
        (sqlite_store, False),
        (Store(open_engine(f"sqlite:///{tmp_path / 'other.db'}")), True),
    ):
        chance, desk = random.Random(seed), Desk(store)
        with pytest.MonkeyPatch.context() as patch:
            if forgets:
                patch.setattr(placing._Traits, "of", lambda alert: Unlike(Subject.of(alert.labels)))
            for _ in range(3):
                desk.later(minutes=1).deliver(*drawn(desk, chance, 40))
                desk.deliver(*[replace(a, ends_at=desk.now) for a in drawn(desk, chance, 5)])
        stories.append(story(desk))
        store.close()
    assert stories[0] == stories[1]
