"""Slots, lateness and the runs that do not happen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import FakeClock, SystemClock
from monitor.scheduler import Scheduler, next_slot, slot_offset
from probes.journey import Journey
from tests.builders import journey

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def scheduler(workers: int = 2) -> Scheduler:
    """Return a scheduler that is not started: only `run_now` fires."""
    return Scheduler(FakeClock(), "local", http_workers=workers, browser_workers=1)


def ignore(_: Journey) -> None:
    """Take note of a lost run, and do nothing."""


class Held:
    """Runs that wait until they are let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.started: list[str] = []

    def __call__(self, one: Journey, lost: Callable[[], bool]) -> None:
        self.started.append(one.name)
        self.gate.wait(10)


@given(st.text(min_size=1), st.floats(1, 86_400))
def test_an_offset_lies_within_the_interval_and_never_changes(name: str, interval: float) -> None:
    """The same journey gets the same slot everywhere, so that a restart bunches nothing."""
    assert 0 <= slot_offset(name, "eu", interval) < interval
    assert slot_offset(name, "eu", interval) == slot_offset(name, "eu", interval)


@given(st.integers(0, 10**6), st.floats(0, 59.999))
def test_the_next_slot_is_at_most_one_interval_away(seconds: int, offset: float) -> None:
    """A slot is never in the past, and none is left out."""
    now = NOON + timedelta(seconds=seconds)
    assert timedelta(0) <= next_slot(now, offset, 60) - now <= timedelta(seconds=60)


def test_a_run_still_going_is_not_joined_by_another_of_its_journey() -> None:
    """Late is not queued: the second is skipped and counted as an overrun."""
    one, held = scheduler(), Held()
    assert one.run_now(journey("login"), held, ignore)
    assert not one.run_now(journey("login"), held, ignore)
    held.gate.set()
    assert one.missed == {("login", "overrun"): 1}
    assert one.stop(5)


def test_no_free_worker_is_counted_as_overload() -> None:
    """A journey that finds every place taken is skipped, and says why."""
    one, held = scheduler(workers=1), Held()
    one.run_now(journey("login"), held, ignore)
    assert not one.run_now(journey("search"), held, ignore)
    held.gate.set()
    assert one.missed == {("search", "overload"): 1}


@pytest.mark.parametrize(("lag", "runs"), [(2.5, True), (2.6, False)])
def test_a_run_more_than_half_an_interval_late_is_left_out(lag: float, runs: bool) -> None:
    """At exactly half an interval it still runs."""
    one = scheduler()
    started = one.run_now(
        journey("login", interval="5s", deadline="5s"), Held(), ignore, lag_seconds=lag
    )
    assert started is runs


def test_a_hung_run_loses_its_place_after_its_deadline_and_grace() -> None:
    """The place is free again, its owner is told, and the run knows that it was given up."""
    clock, held, lost = FakeClock(), Held(), []
    one = Scheduler(clock, "local", http_workers=1, browser_workers=1)
    one.run_now(journey("login"), held, lambda j: lost.append(j.name))
    clock.advance(24.9)
    one.give_up_overdue()
    assert lost == []
    clock.advance(0.2)  # twice the deadline, for the confirmation, and five seconds of grace
    one.give_up_overdue()
    assert (lost, one.pools["http"].busy) == (["login"], 0)
    held.gate.set()


def test_a_duty_that_fails_is_counted_and_tried_again() -> None:
    """One bad moment of the database does not end a duty for ever."""
    one = Scheduler(SystemClock(), "local", http_workers=1, browser_workers=1)
    done, calls = threading.Event(), []

    def duty() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk full")
        done.set()

    one.every(0.05, "sweep", duty)
    one.start()
    assert done.wait(5)
    one.stop(1)
    assert one.duty_runs[("sweep", "failed")] == 1


def test_a_run_ended_by_a_bug_of_ours_is_told_of() -> None:
    """So that it can be recorded as an error of the prober."""
    one, crashed = scheduler(), []
    one.on_crash = lambda journey: crashed.append(journey.name)

    def crash(_journey: Journey, _lost: Callable[[], bool]) -> None:
        raise ZeroDivisionError

    one.run_now(journey("login"), crash, ignore)
    assert one.stop(5)
    assert crashed == ["login"]


def test_a_journey_that_moves_gets_the_slot_of_its_new_location() -> None:
    """The slot hangs on the location; lateness is measured against the same one."""
    one = Scheduler(SystemClock(), "local", http_workers=1, browser_workers=1)
    one.start()
    one.schedule([journey("login", interval="1h")], Held(), ignore)
    before = one.next_run("login")
    one.location = "moon"
    one.schedule([journey("login", interval="1h")], Held(), ignore)
    after = one.next_run("login")
    one.stop(1)
    assert after != before
