"""The canary's walk, with time given."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from incidents.alerts.model import Alert
from monitor.clock import FakeClock
from monitor.config.model import Channel, Configuration
from monitor.config.watching import CanarySettings
from monitor.notify.worker import OutboxWorker
from monitor.selfwatch import knocking
from monitor.selfwatch.canary import Arrival, Canary, Stage, manner
from monitor.selfwatch.knocking import through_the_entrance
from monitor.storage.incidents import IncidentFilter, list_incidents, open_incidents
from monitor.storage.schema import alerts, incidents, outbox
from monitor.storage.status import open_public_incidents
from monitor.storage.store import Store
from monitor.use_cases.alerts import sweep
from monitor.use_cases.entrance import Entrance
from monitor.use_cases.policy import AlertPolicy
from tests.monitor.use_cases.desk import Desk, configuration, labels
from tests.notices import make_context
from tests.sinks import Answer, HttpSink

SHUT = lambda _alert: "nobody answers"  # noqa: E731 - a door
EVERY = CanarySettings.model_validate({"every": "10m", "within": "30s"})


class Mine:
    """A canary, the worker that delivers it, and what is left behind."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.store, self.clock = store, FakeClock()
        self.configuration = replace(configuration(), canary=EVERY, **settings)
        self.policy = AlertPolicy()
        self.canary = self.another()
        channels = lambda: self.configuration.channels  # noqa: E731 - read anew each time
        self.worker = OutboxWorker(store, channels, make_context(clock=self.clock))
        self.delivers = True

    def another(self) -> Canary:
        """Return the canary of another process."""
        current = lambda: self.configuration  # noqa: E731 - read anew each time
        canaries = lambda: manner(self.configuration, self.policy)  # noqa: E731 - likewise
        entrance = Entrance(self.store, current, self.clock, self.policy, canaries=canaries)
        return Canary(self.store, self.clock, current, through_the_entrance(entrance))

    def pass_time(self, seconds: int, *canaries: Canary) -> None:
        """Let time go by, second by second."""
        for _ in range(seconds):
            self.clock.advance(1)
            for canary in canaries or (self.canary,):
                canary.step()
            sweep(self.store, self.configuration, self.clock.now(), self.policy)
            if self.delivers:
                self.worker.deliver_due(self.clock.now())

    def left(self) -> tuple[int, int, int]:
        """Return how many incidents, alerts and notifications there are."""
        with self.store.read() as connection:
            counts = [
                connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (incidents, alerts, outbox)
            ]
        return counts[0], counts[1], counts[2]


def test_a_canary_walks_the_whole_way_and_leaves_nothing_behind(store: Store) -> None:
    """Every stage is timed; afterwards there is no incident, no alert, no notification."""
    mine = Mine(store)
    mine.pass_time(10)
    assert mine.canary.runs == {Arrival.PASSED: 1}
    assert {name for name, d in mine.canary.stages.items() if sum(d.counts)} == set(Stage)
    assert mine.left() == (0, 0, 0)


def test_it_sets_out_as_often_as_configured(sqlite_store: Store) -> None:
    """At once, then every ten minutes; a restart does not begin anew."""
    mine = Mine(sqlite_store)
    mine.pass_time(599)
    again = mine.another()
    mine.pass_time(10, again)
    assert (mine.canary.runs[Arrival.PASSED], again.runs[Arrival.PASSED]) == (1, 1)
    assert again.last_success_at is not None


def test_without_configuration_there_is_none(sqlite_store: Store) -> None:
    """Off by default."""
    mine = Mine(sqlite_store)
    mine.configuration = replace(mine.configuration, canary=None)
    mine.pass_time(30)
    assert (mine.canary.runs, mine.left()) == ({}, (0, 0, 0))


def test_nobody_sees_a_canary_on_its_way(store: Store) -> None:
    """No list, no page, no number used up; and nobody but its own channel is told."""
    mine = Mine(store)
    mine.delivers = False
    mine.pass_time(5)
    with store.read() as connection:
        assert mine.left()[:2] == (1, 1)
        assert open_incidents(connection) == []
        assert list_incidents(connection, IncidentFilter()) == []
        assert not open_public_incidents(connection)
        told = connection.execute(select(outbox.c.channel)).scalars().all()
    assert told == ["canary"]
    desk = Desk(store)
    desk.deliver(Alert(labels(), starts_at=desk.now))
    with store.read() as connection:
        assert [incident.name for incident in open_incidents(connection)] == ["INC-1"]


def test_a_canary_over_a_channel_of_yours_proves_that_channel(
    sqlite_store: Store, hook: HttpSink
) -> None:
    """Opening and end arrive there, whatever severities it takes otherwise."""
    channel = Channel(
        name="probe", kind="webhook", severities=frozenset(), settings={"url": hook.url}
    )
    mine = Mine(sqlite_store, channels=(channel,))
    mine.configuration = replace(
        mine.configuration, canary=EVERY.model_copy(update={"channel": "probe"})
    )
    mine.pass_time(10)
    events = [json.loads(post.body)["event"] for post in hook.posts]
    assert events == ["incident_opened", "incident_resolved"]
    assert mine.canary.runs == {Arrival.PASSED: 1}


@pytest.mark.parametrize(
    ("stuck_seconds", "arrival"), [(25, Arrival.PASSED), (60, Arrival.LATE), (200, Arrival.FAILED)]
)
def test_a_walk_that_takes_too_long_is_late_and_then_lost(
    sqlite_store: Store, stuck_seconds: int, arrival: Arrival
) -> None:
    """30 s are in time, five times that is the end; the stage it failed at is named."""
    mine = Mine(sqlite_store)
    mine.delivers = False
    mine.pass_time(stuck_seconds)
    mine.delivers = True
    mine.pass_time(5)
    assert mine.canary.runs == {arrival: 1}
    assert (mine.canary.last_words == "failed at delivery") is (arrival is Arrival.FAILED)


def test_a_refused_canary_fails(sqlite_store: Store, hook: HttpSink) -> None:
    """A channel that says 404 does not deliver real pages either."""
    hook.answers = [Answer(404)] * 9
    channel = Channel(name="probe", kind="webhook", settings={"url": hook.url})
    mine = Mine(sqlite_store, channels=(channel,))
    mine.configuration = replace(
        mine.configuration, canary=EVERY.model_copy(update={"channel": "probe"})
    )
    mine.pass_time(200)
    assert mine.canary.runs == {Arrival.FAILED: 1}


@pytest.mark.parametrize(
    ("shut_from", "seconds", "outcome"),
    [(0, 10, "passed"), (0, 155, "failed at intake"), (1, 155, "failed at resolution")],
)
def test_a_door_that_lets_nothing_in_is_noticed(
    sqlite_store: Store, shut_from: int, seconds: int, outcome: str
) -> None:
    """It knocks again every second, and what it knocked for in vain is named at last."""
    mine = Mine(sqlite_store)
    enter = mine.canary.knock
    mine.pass_time(shut_from)
    mine.canary.knock = SHUT
    mine.pass_time(seconds)
    mine.canary.knock = enter
    mine.pass_time(4)
    assert mine.canary.last_words == outcome


def test_an_entrance_that_stands_still_is_not_waited_for_for_ever(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary goes on looking; whatever stands still is the finding."""
    monkeypatch.setattr(knocking, "PATIENCE_SECONDS", 0.05)
    moves = threading.Event()
    mine = Mine(sqlite_store)

    def stuck() -> Configuration:
        moves.wait(30)
        return mine.configuration

    canaries = lambda: manner(stuck(), mine.policy)  # noqa: E731 - read anew each time
    entrance = Entrance(sqlite_store, stuck, mine.clock, canaries=canaries)
    mine.canary.knock = through_the_entrance(entrance)
    mine.pass_time(3)
    assert (mine.left()[0], mine.canary.runs) == (0, {})
    moves.set()
    entrance.stop()
    assert mine.left()[0] == 1


def test_of_two_processes_one_sends_canaries(store: Store) -> None:
    """The lease keeps the other from it."""
    mine = Mine(store)
    other = mine.another()
    mine.pass_time(30, mine.canary, other)
    assert (mine.canary.runs + other.runs).total() == 1


def test_what_a_process_left_on_the_way_is_removed_by_the_next(sqlite_store: Store) -> None:
    """A kill in mid-walk leaves one row for as long as it takes the next to set out."""
    mine = Mine(sqlite_store)
    mine.delivers = False
    mine.pass_time(2)
    assert mine.left()[0] == 1
    mine.delivers = True
    mine.pass_time(610, mine.another())
    assert mine.left()[0] == 0
