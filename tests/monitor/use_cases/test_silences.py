"""What silences do to alerts and incidents, in simulated time, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.alerts.matchers import parse_matcher
from incidents.alerts.recurrence import Recurrence
from incidents.alerts.silences import (
    AlreadyExpired,
    Silence,
    SilenceRefused,
    SilenceState,
    UnknownSilence,
)
from incidents.lifecycle import Status
from monitor.notify.recheck import Facts, recheck
from monitor.storage.alerts import open_mutes_of
from monitor.storage.deliveries import claim
from monitor.storage.silences import load_silence
from monitor.use_cases.muting import mute_delivery
from monitor.use_cases.silences import (
    Preview,
    RuleFacts,
    Wanted,
    expire_silence,
    preview,
    set_silence,
)
from tests.monitor.use_cases.desk import Desk

HOUR = timedelta(hours=1)


def wanted(
    desk: Desk, *matchers: str, minutes: float = 60, silence_id: str = "", rule: str = ""
) -> Wanted:
    """A silence from now on, of checkout unless told otherwise."""
    return Wanted(
        matchers=tuple(map(parse_matcher, matchers or ['component="checkout"'])),
        starts_at=desk.now,
        ends_at=desk.now + timedelta(minutes=minutes),
        created_by="ada",
        comment="known",
        recurrence=Recurrence(rule) if rule else None,
        id=silence_id,
    )


def silence(desk: Desk, *matchers: str, minutes: float = 60, rule: str = "") -> Silence:
    """Make one."""
    return set_silence(desk.store, wanted(desk, *matchers, minutes=minutes, rule=rule), desk.now)


def reasons(desk: Desk) -> list[str]:
    """Return the reasons of every line that has one."""
    return [line["data"]["reason"] for line in desk.lines() if "reason" in (line["data"] or {})]


def test_a_silenced_alert_is_kept_and_opens_when_the_silence_ends(desk: Desk) -> None:
    """Nobody is told and nothing is opened while it lasts; what still fires then opens once."""
    made = silence(desk)
    assert desk.fire().muted == 1
    assert [row["muted_by"] for row in desk.alerts()] == [made.name]
    assert (desk.incidents(), desk.sweep().unmuted) == ([], 0)
    desk.now = made.ends_at
    assert desk.sweep().unmuted == 1
    assert f"muted by {made.name} until now" in desk.lines()[0]["text"]
    assert len(desk.notified()) == 2
    assert desk.sweep().unmuted == 0


def test_a_silenced_alert_that_resolves_meanwhile_leaves_nothing(desk: Desk) -> None:
    """No incident at the end of the silence."""
    made = silence(desk)
    desk.fire()
    desk.later(minutes=1).resolve()
    desk.now = made.ends_at
    desk.sweep()
    assert desk.incidents() == []


def test_silencing_the_alert_of_an_open_incident_does_not_close_it(desk: Desk) -> None:
    """The line says who silenced it and until when; its end is told as ever."""
    desk.fire()
    told = desk.notified()
    silence(desk)
    desk.later(seconds=2).sweep()
    line = desk.lines()[-1]
    assert (line["kind"], line["data"]["reason"]) == ("alert_muted", "muted_by_silence")
    assert "silenced by ada until 2026-11-22 10:00 UTC (known)" in line["text"]
    assert (desk.incident().status, desk.notified()) == (Status.INVESTIGATING, told)
    assert desk.timeline().count("alert_muted") == 1
    desk.later(seconds=2).sweep()
    assert desk.timeline().count("alert_muted") == 1
    desk.later(minutes=1).resolve()
    assert desk.incident().status is Status.RESOLVED
    assert desk.notified()[len(told) :] == [
        ("incident_resolved", "terminal"),
        ("incident_resolved", "pager"),
    ]


def test_another_alert_that_is_silenced_does_not_join_and_the_line_says_why(desk: Desk) -> None:
    """The incident it would have joined names the silence."""
    desk.fire()
    silence(desk, "alertname=Slow")
    desk.fire(alertname="Slow", severity="warning")
    assert reasons(desk)[-1] == "muted_by_silence"
    assert desk.timeline().count("alert_joined") == 0


def test_an_open_incident_outlives_the_end_of_the_silence(desk: Desk) -> None:
    """Nothing is opened twice, and the line says that it is no longer muted."""
    desk.fire()
    silence(desk, minutes=3)
    desk.later(seconds=2).sweep()
    desk.later(minutes=3).sweep()
    assert desk.timeline()[-1] == "alert_unmuted"
    assert len(desk.incidents()) == 1
    assert [row["muted_by"] for row in desk.alerts()] == [""]


def test_the_end_of_a_silence_is_foretold_once_where_its_alerts_are(desk: Desk) -> None:
    """A quarter of an hour before."""
    desk.fire()
    silence(desk, minutes=30)
    desk.later(seconds=2).sweep()
    desk.later(minutes=14).sweep()
    assert "silence_ending" not in desk.timeline()
    desk.later(minutes=1).sweep()
    desk.later(minutes=1).sweep()
    assert desk.timeline().count("silence_ending") == 1


def test_expiring_lets_what_fires_open_at_the_next_sweep(desk: Desk) -> None:
    """Somebody changed their mind."""
    made = silence(desk)
    desk.fire()
    expire_silence(desk.store, made.id, desk.later(minutes=1).now, "bo")
    assert desk.later(seconds=2).sweep().opened == [1]
    with pytest.raises(AlreadyExpired):
        expire_silence(desk.store, made.id, desk.now)


def test_two_silences_over_one_alert_must_both_end(desk: Desk) -> None:
    """The second takes over from the first."""
    silence(desk, minutes=2)
    second = silence(desk, "severity=critical", minutes=10)
    desk.fire()
    assert desk.later(minutes=3).sweep().unmuted == 0
    assert [row["muted_by"] for row in desk.alerts()] == [second.name]
    assert desk.later(minutes=7).sweep().opened == [1]


def test_a_recurring_silence_mutes_each_occurrence_and_not_between(sqlite_desk: Desk) -> None:
    """Daily for an hour: an alert of the first day opens after it, and is quiet the next."""
    desk = sqlite_desk
    made = silence(desk, rule="FREQ=DAILY;COUNT=2")
    assert [made.state(desk.now + h * HOUR) for h in (0, 1, 24, 25)] == [
        SilenceState.ACTIVE,
        SilenceState.PENDING,
        SilenceState.ACTIVE,
        SilenceState.EXPIRED,
    ]
    desk.fire()
    assert desk.later(hours=1).sweep().opened == [1]
    assert desk.later(hours=23).fire("checkout", alertname="Other").muted == 1


def test_changing_only_the_end_keeps_the_id_and_anything_else_makes_a_new_one(desk: Desk) -> None:
    """As Alertmanager decides it: the old one is expired, so that history stays true."""
    first = silence(desk)
    same = set_silence(
        desk.store, wanted(desk, minutes=90, silence_id=first.id), desk.now + timedelta(seconds=0.2)
    )
    assert (same.id, same.ends_at) == (first.id, desk.now + 1.5 * HOUR)
    other = set_silence(desk.store, wanted(desk, "a=b", silence_id=first.id), desk.now)
    with desk.store.read() as connection:
        old = load_silence(connection, first.id)
    assert (other.id != first.id, old.state(desk.now)) == (True, SilenceState.EXPIRED)


def test_what_is_not_there_or_cannot_be_is_refused(sqlite_desk: Desk) -> None:
    """An unknown id, matchers that meet everything, and times the wrong way round."""
    desk = sqlite_desk
    with pytest.raises(UnknownSilence):
        set_silence(desk.store, wanted(desk, silence_id="nope"), desk.now)
    with pytest.raises(SilenceRefused, match="must not match the empty string"):
        silence(desk, "a=~.*")
    with pytest.raises(SilenceRefused, match="start time must be before end time"):
        silence(desk, minutes=0)


def shown(desk: Desk, *matchers: str, rules: tuple[RuleFacts, ...] = ()) -> Preview:
    """Return what a silence with these matchers would do."""
    with desk.store.read() as connection:
        return preview(connection, tuple(map(parse_matcher, matchers)), rules)


def test_a_silence_is_shown_before_it_bites(sqlite_desk: Desk) -> None:
    """Alerts, incidents and rules it would mute, and what to think about."""
    desk = sqlite_desk
    desk.fire()
    desk.fire("search", severity="warning", alertname="Slow")
    rules = (
        RuleFacts("JourneyDown", {"severity": "critical"}),
        RuleFacts("Slow", {"severity": "warning", "component": "{{ $labels.component }}"}),
        RuleFacts("DiskFull", {"component": "host"}),
    )
    found = shown(desk, "component=checkout", rules=rules)
    assert (found.alerts, found.examples) == (1, ("JourneyDown (checkout)",))
    assert (found.rules, len(found.incidents)) == (("JourneyDown", "Slow"), 1)
    assert any("1 critical alert" in warning for warning in found.warnings)
    assert any("Rules that page" in warning for warning in found.warnings)
    assert not any("every one" in warning for warning in found.warnings)


def test_a_silence_of_everything_is_warned_of(sqlite_desk: Desk) -> None:
    """The word everything, and the Watchdog."""
    desk = sqlite_desk
    desk.fire()
    desk.fire("search")
    warnings = " ".join(shown(desk, "alertname=~.+").warnings)
    assert "every one of the 2" in warnings
    assert "Watchdog" in warnings
    assert "does not mute" in " ".join(shown(desk, "component!=search").warnings)


def test_what_mutes_an_incident_is_read_once_for_each_kind_of_its_alerts(desk: Desk) -> None:
    """Asked before each send, so not every row of a storm: twenty alerts, two kinds."""
    desk.deliver(*(desk.firing(location=f"shop-{n}") for n in range(20)))
    made = silence(desk, "location=~shop-1.*")
    desk.later(seconds=2).sweep()
    with desk.store.read() as connection:
        found = open_mutes_of(connection, desk.incident().id)
    kind = {"component": "checkout", "severity": "critical"}
    assert sorted(found, key=repr) == [("", kind), (made.name, kind)]


def test_what_waits_to_be_sent_stays_unsent_while_every_alert_of_it_is_silenced(desk: Desk) -> None:
    """Asked before each send; one alert that is heard is enough to send it."""
    desk.deliver(desk.firing(location="eu"), desk.firing(location="za"))
    made = silence(desk, "location=eu")
    desk.later(seconds=2).sweep()
    with desk.store.begin() as tx:
        (first,) = claim(
            tx, channel="terminal", limit=1, worker="me", now=desk.now, lease_seconds=9
        )
    with desk.store.read() as connection:
        assert mute_delivery(connection, first, desk.now) == ""
    silence(desk, "location=za")
    desk.later(seconds=2).sweep()
    with desk.store.read() as connection:
        assert mute_delivery(connection, first, desk.now).startswith("silence ")
    assert recheck(Facts("incident_opened", "investigating", muted_by=made.name)).drop == (
        "muted_by_silence"
    )
