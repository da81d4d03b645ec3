"""What is done with what other servers know, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import HttpUrl

from incidents.alerts.history import Episode
from incidents.alerts.model import Alert, fingerprint
from incidents.lifecycle import Status
from incidents.notices.status import ComponentStatus
from incidents.notices.uptime import day_bars, uptime
from monitor.config.model import ReconcileServer
from monitor.storage.status import component_intervals, public_incidents_between
from monitor.use_cases.reconcile import Heard, Repaired, last_look, repair
from monitor.use_cases.status import record_component_states
from tests.monitor.use_cases.desk import START, Desk, labels

SERVER = ReconcileServer(name="them", url=HttpUrl("http://prometheus.test/"))
MINUTE = timedelta(minutes=1)


def heard(*firing: Alert, episodes: Sequence[Episode] = (), **changes: object) -> Heard:
    """What one server says: these alerts fire, and these episodes were."""
    alive = frozenset(alert.fingerprint for alert in firing)
    said = Heard("test", firing, alive, episodes=episodes, precision=timedelta(seconds=1))
    return replace(said, **changes)  # type: ignore[arg-type] # a test names what it changes


def look(desk: Desk, said: Heard) -> Repaired:
    """Repair what a look shows."""

    def deliver(alerts: Sequence[Alert], source: str) -> None:
        desk.deliver(*alerts, source=source)

    return repair(
        desk.store,
        said,
        [SERVER],
        configuration=desk.configuration,
        policy=desk.policy,
        deliver=deliver,
        now=desk.now,
    )


def past(component: str, start: int, end: int, **more: str) -> Episode:
    """An episode of a component between two minutes after the start."""
    given = labels(component, **more)
    return Episode(given, fingerprint(given), START + start * MINUTE, START + end * MINUTE)


def test_what_nobody_heard_of_is_rebuilt_once_with_one_message(desk: Desk) -> None:
    """True times, marked, nobody paged; a second look changes nothing."""
    episodes = [past("checkout", 5, 9), past("checkout", 6, 9, location="eu"), past("search", 7, 8)]
    desk.later(hours=1)
    assert look(desk, heard(episodes=episodes)).rebuilt == [1, 2]
    first = desk.incident()
    assert (first.started_at, first.resolved_at) == (START + 5 * MINUTE, START + 9 * MINUTE)
    assert (first.reconstructed, first.status) == (True, Status.RESOLVED)
    assert desk.timeline() == ["reconstructed"]
    assert desk.notified() == [("incidents_reconstructed", c) for c in ("terminal", "pager")]
    before = (desk.notified(), len(desk.alerts()))
    assert look(desk, heard(episodes=episodes)).rebuilt == []
    assert (desk.notified(), len(desk.alerts()), len(desk.incidents())) == (*before, 2)


def test_a_rebuilt_outage_counts_in_the_uptime_of_its_day(desk: Desk) -> None:
    """Once, however often it is looked at, and the day says that it was found out afterwards."""
    record_component_states(desk.store, desk.configuration, START)
    episodes = [past("checkout", 60, 90), past("checkout", 70, 100, severity="info")]
    for _ in range(2):
        look(desk.later(hours=3), heard(episodes=episodes))
    with desk.store.read() as connection:
        record = component_intervals(connection, START)["checkout"]
        seen = public_incidents_between(connection, START, desk.now)
    assert uptime(record, START, desk.now).seconds[ComponentStatus.MAJOR_OUTAGE] == 30 * 60
    bar = day_bars(record, now=desk.now, zone=ZoneInfo("UTC"), days=1)[0]
    assert bar.text.startswith("major outage 30 min")
    assert bar.text.endswith("; reconstructed afterwards")
    assert [(i.reconstructed, i.status, len(i.updates)) for i in seen] == [(True, "resolved", 1)]


def test_a_rebuilt_outage_of_a_component_that_drafts_is_not_published(desk: Desk) -> None:
    """People decide what is told of it; its state is in the record all the same."""
    look(desk.later(hours=3), heard(episodes=[past("back-office", 60, 90)]))
    with desk.store.read() as connection:
        assert public_incidents_between(connection, START, desk.now) == ()
        assert len(component_intervals(connection, START)["back-office"]) == 1


def test_what_we_saw_ourselves_is_not_rebuilt(desk: Desk) -> None:
    """Its alert and its times are there."""
    desk.later(minutes=5).fire()
    desk.later(minutes=4).resolve()
    done = look(desk.later(hours=1), heard(episodes=[past("checkout", 5, 9)]))
    assert (done.rebuilt, done.joined, len(desk.incidents())) == ([], 0, 1)


def test_a_missed_alert_joins_the_incident_of_its_time(desk: Desk) -> None:
    """There is one incident for one outage."""
    desk.later(minutes=5).fire()
    desk.later(minutes=4).resolve()
    missed = past("checkout", 6, 8, alertname="Slow", severity="warning")
    done = look(desk.later(hours=1), heard(episodes=[missed]))
    assert (done.rebuilt, done.joined) == ([], 1)
    assert desk.timeline()[-1] == "reconstructed"


def test_what_fires_there_comes_in_with_the_start_history_gives(desk: Desk) -> None:
    """It pages as ever, for it goes on."""
    desk.later(minutes=30)
    alert = desk.firing()
    done = look(desk, heard(alert, episodes=[past("checkout", 5, 30)]))
    assert (done.delivered, desk.incident().started_at) == (1, START + 5 * MINUTE)
    assert desk.notified()[0] == ("incident_opened", "terminal")


def test_what_is_over_there_is_resolved_when_history_says(desk: Desk) -> None:
    """Only once the time it was good for has passed."""
    desk.fire()
    assert look(desk.later(minutes=3), heard()).closed == 0
    done = look(desk.later(minutes=20), heard(episodes=[past("checkout", 0, 12)]))
    assert (done.closed, desk.incident().status) == (1, Status.RESOLVED)
    assert [row["ends_at"] for row in desk.alerts()] == [START + 12 * MINUTE]


def test_nothing_is_closed_on_thin_evidence(desk: Desk) -> None:
    """Not while a server is unsure, does not answer, or has it pending."""
    desk.fire()
    desk.later(minutes=20)
    identity = desk.alerts()[0]["fingerprint"]
    for unsure in (
        heard(unsure=frozenset({"JourneyDown"})),
        heard(may_close=False),
        heard(alive=frozenset({identity})),
    ):
        assert look(desk, unsure).closed == 0
    assert desk.incident().is_open


def test_a_window_or_silence_of_that_time_covers_what_was_missed(desk: Desk) -> None:
    """It would have opened nothing."""
    desk.policy = replace(desk.policy, muting=lambda _, __: lambda _: "MNT-1")
    done = look(desk.later(hours=1), heard(episodes=[past("checkout", 5, 9)]))
    assert done.rebuilt == []


def test_history_is_read_from_shortly_before_the_last_look(sqlite_desk: Desk) -> None:
    """Never asked: not at all; long ago: a week."""
    desk = sqlite_desk
    with desk.store.read() as connection:
        assert last_look(connection, SERVER, desk.now) is None
    look(desk, heard())
    desk.later(hours=1)
    with desk.store.read() as connection:
        since = last_look(connection, SERVER, desk.now)
        assert since is not None
        assert timedelta(0) < START - since <= MINUTE
        assert last_look(connection, SERVER, START + timedelta(days=30)) == START + timedelta(
            days=23
        )
