"""Windows: state by instants, muting, verifying, and wall clocks that jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.notices.maintenance import (
    GRACE,
    LONGEST,
    BadWindowError,
    Effect,
    State,
    check_plan,
    instant,
    is_verified,
    mutes,
)
from tests.incidents.notices.builders import END, START, a_signal, a_window

SECOND = timedelta(seconds=1)
ZONES = ["UTC", "Africa/Johannesburg", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe"]


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (START - SECOND, "scheduled"),
        (START, "in_progress"),
        (END - SECOND, "in_progress"),
        (END, "verifying"),
        (END + timedelta(days=30), "verifying"),
    ],
)
def test_the_start_is_included_and_the_end_is_not(at: datetime, state: str) -> None:
    """An ended window verifies for as long as nothing has been seen to work."""
    assert a_window().state(at) == state


def test_a_verified_window_is_completed_only_from_its_end() -> None:
    """Having seen the shop work early does not end announced work."""
    window = a_window(verified_at=END - timedelta(minutes=5))
    assert [window.state(END - SECOND), window.state(END)] == ["in_progress", "completed"]


@pytest.mark.parametrize("at", [START - SECOND, START, END])
def test_a_cancelled_window_stays_cancelled(at: datetime) -> None:
    """The recorded fact outranks every instant."""
    assert a_window(cancelled_at=START - timedelta(hours=1)).state(at) is State.CANCELLED


@pytest.mark.parametrize(
    ("effect", "severity", "component", "muted"),
    [
        ("expected_down", "critical", "search", True),
        ("expected_down", "warning", "search", True),
        ("expected_down", "critical", "checkout", False),
        ("expected_down", "none", "search", False),
        ("expected_degraded", "critical", "search", False),
        ("expected_degraded", "warning", "search", True),
        ("expected_degraded", "info", "search", True),
    ],
)
def test_a_window_mutes_only_what_it_announced(
    effect: str, severity: str, component: str, muted: bool
) -> None:
    """An unannounced failure pages as ever, and the watchdog always does."""
    window = a_window(Effect(effect))
    labels = {"alertname": "A", "severity": severity, "component": component}
    assert mutes([window], labels, START) == (window if muted else None)


@pytest.mark.parametrize(
    ("at", "muted"),
    [
        (START - SECOND, False),
        (START, True),
        (END - SECOND, True),
        (END, True),
        (END + GRACE - SECOND, True),
        (END + GRACE, False),
    ],
)
def test_muting_ends_with_the_grace_period(at: datetime, muted: bool) -> None:
    """What still fires when probes had their chance opens an incident."""
    labels = {"severity": "critical", "component": "search"}
    assert bool(mutes([a_window()], labels, at)) is muted


@pytest.mark.parametrize("fact", [{"cancelled_at": START}, {"verified_at": END}])
def test_a_closed_window_mutes_nothing(fact: dict[str, Any]) -> None:
    """Not even within the grace period."""
    assert mutes([a_window(**fact)], {"severity": "critical", "component": "search"}, END) is None


def test_an_alert_without_a_component_is_never_muted() -> None:
    """Nothing announces everything."""
    assert mutes([a_window()], {"severity": "critical"}, START) is None


@pytest.mark.parametrize(
    ("verdict", "success", "run", "verified"),
    [
        ("up", END + SECOND, END + SECOND, True),
        ("up", START + SECOND, START + SECOND, True),  # restored before the end
        ("up", START, START, True),
        ("up", START - SECOND, START - SECOND, False),  # not measured since the work began
        ("up", START + SECOND, END + SECOND, False),  # the newest run did not pass
        ("down", START + SECOND, END + SECOND, False),
        ("unknown", None, None, False),
    ],
)
def test_a_window_closes_when_the_last_run_of_its_component_passed(
    verdict: str, success: datetime | None, run: datetime | None, verified: bool
) -> None:
    """The last word counts, if it was said since the start."""
    seen = a_signal(verdict, component="search", last_success_at=success, last_run_at=run)
    assert is_verified(a_window(), [seen], END + timedelta(minutes=1)) is verified


def test_every_journey_of_the_window_must_have_passed() -> None:
    """One that still fails holds the window open; other components do not matter."""
    good = a_signal(component="search", last_run_at=END, last_success_at=END)
    bad, elsewhere = a_signal("down", component="search"), a_signal("down")
    assert is_verified(a_window(), [good, elsewhere], END)
    assert not is_verified(a_window(), [good, bad], END)


def test_a_window_is_overdue_from_the_end_of_its_grace_period() -> None:
    """Unless it was verified or cancelled."""
    late = END + GRACE
    assert [a_window().is_overdue(late - SECOND), a_window().is_overdue(late)] == [False, True]
    assert not a_window(verified_at=late).is_overdue(late)


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        (END, END, "later than the start"),
        (END, START, "later than the start"),
        (START - LONGEST, START, "already over"),
        (START, START + LONGEST + SECOND, "longer than 7 days"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_the_reason(
    start: datetime, end: datetime, fault: str
) -> None:
    """The refusal says what would be allowed."""
    with pytest.raises(BadWindowError, match=fault):
        check_plan(start, end, START)


def test_a_plan_may_begin_in_the_past_and_last_a_week() -> None:
    """Work that has begun already can still be announced."""
    check_plan(START - SECOND, START - SECOND + LONGEST, START)


def test_a_wall_clock_time_that_does_not_exist_is_refused() -> None:
    """In Paris the night of 28 March 2027 has no half past two."""
    with pytest.raises(BadWindowError, match="does not exist in Europe/Paris"):
        instant(datetime(2027, 3, 28, 2, 30), "Europe/Paris")  # noqa: DTZ001 - a wall clock


def test_a_time_that_comes_twice_starts_at_the_first_and_ends_at_the_second() -> None:
    """In Paris half past two comes twice on 25 October 2026."""
    local = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - a wall clock
    assert instant(local, "Europe/Paris") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert instant(local, "Europe/Paris", ends=True) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


wall_clocks = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31))  # noqa: DTZ001


@given(wall_clocks, st.sampled_from(ZONES), st.integers(1, 60 * 24 * 6))
def test_a_window_planned_in_any_zone_keeps_its_wall_clock_and_its_order(
    local: datetime, zone: str, minutes: int
) -> None:
    """Across both clock changes: what was typed is what is shown, and start comes before end."""
    local = local.replace(second=0, microsecond=0)
    try:
        start = instant(local, zone)
        end = instant(local + timedelta(minutes=minutes), zone, ends=True)
    except BadWindowError:
        return  # that wall-clock time does not exist there
    assert start.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local
    assert start < end


@given(wall_clocks, st.sampled_from(ZONES), st.integers(-200_000, 200_000))
def test_at_every_instant_in_every_zone_a_window_has_the_state_of_that_instant(
    local: datetime, zone: str, offset_seconds: int
) -> None:
    """The zone in which somebody asks never changes the answer."""
    seen = local.replace(tzinfo=ZoneInfo(zone))
    start = seen.astimezone(UTC) + timedelta(seconds=offset_seconds)
    window = a_window(starts_at=start, ends_at=start + timedelta(days=1))
    assert window.state(seen) == window.state(seen.astimezone(UTC))
    assert (window.state(seen) is State.SCHEDULED) == (seen.astimezone(UTC) < start)
