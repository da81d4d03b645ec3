"""The life of an alert, decided without clock or store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rules.alerts import (
    Active,
    AlertState,
    DuplicateAlertError,
    Found,
    LimitExceededError,
    advance,
    by_labels,
    ends_at,
    needs_sending,
    within_limit,
)
from monitor.rules.model import Labels

ONE: Labels = (("alertname", "A"), ("job", "x"))
HIT = {ONE: Found(ONE, {}, 1.0)}
FIRING = Active(ONE, {}, 1.0, AlertState.FIRING, 0.0, fired_at=0.0)


def told(
    *moments: tuple[float, bool], for_s: float = 0.0, keep: float = 0.0
) -> dict[Labels, Active]:
    """Return the alerts after evaluations at these moments, each with a result or without."""
    alerts: dict[Labels, Active] = {}
    for now, hit in moments:
        alerts = advance(
            alerts, HIT if hit else {}, now, for_seconds=for_s, keep_firing_seconds=keep
        )
    return alerts


@pytest.mark.parametrize(("seconds", "state"), [(119, "pending"), (120, "firing"), (121, "firing")])
def test_alert_fires_once_its_expression_has_held_for_the_hold_time(
    seconds: int, state: str
) -> None:
    """Pending turns to firing at exactly `for`, not one evaluation later."""
    assert told((0, True), (seconds, True), for_s=120)[ONE].state == state


def test_alert_without_hold_time_fires_at_its_first_evaluation() -> None:
    """`for: 0` knows no pending."""
    alert = told((5, True))[ONE]
    assert (alert.state, alert.active_at, alert.fired_at) == (AlertState.FIRING, 5, 5)


def test_pending_alert_that_is_gone_is_forgotten() -> None:
    """Nobody heard of it, so nobody is told."""
    assert told((0, True), (10, False), for_s=60) == {}


def test_one_gap_begins_the_hold_time_anew() -> None:
    """`for` wants an unbroken run of results."""
    assert told((0, True), (30, False), (40, True), (70, True), for_s=60)[ONE].active_at == 40


def test_alert_that_comes_back_after_its_resolution_is_new() -> None:
    """A second outage has a beginning of its own."""
    alert = told((0, True), (10, False), (20, True))[ONE]
    assert (alert.active_at, alert.resolved_at, alert.last_sent_at) == (20, None, None)


@pytest.mark.parametrize(
    ("seconds", "state"), [(309, "firing"), (310, "inactive"), (311, "inactive")]
)
def test_firing_alert_is_kept_through_a_gap_of_its_length(seconds: int, state: str) -> None:
    """`keep_firing_for` counts from the first evaluation without result."""
    assert told((0, True), (10, False), (seconds, False), keep=300)[ONE].state == state


def test_result_within_the_gap_ends_the_keeping() -> None:
    """The next gap is counted from its own beginning."""
    alert = told((0, True), (10, False), (200, True), (290, False), (560, False), keep=300)[ONE]
    assert alert.state is AlertState.FIRING


@pytest.mark.parametrize(("seconds", "known"), [(910, True), (911, False)])
def test_resolved_alert_is_remembered_for_a_quarter_of_an_hour(seconds: int, known: bool) -> None:
    """So long its resolution is told again."""
    assert (ONE in told((0, True), (10, False), (seconds, False))) is known


def test_results_with_equal_labels_are_refused() -> None:
    """Which of the two would be the alert?"""
    with pytest.raises(DuplicateAlertError):
        by_labels([Found(ONE, {}, 1.0), Found(ONE, {}, 2.0)])


def test_limit_counts_live_alerts_alone() -> None:
    """A resolved alert that is only told again takes no room."""
    gone: Labels = (("job", "y"),)
    within_limit({ONE: FIRING, gone: replace(FIRING, state=AlertState.INACTIVE)}, 1)
    with pytest.raises(LimitExceededError, match="limit of 1 with 2"):
        within_limit({ONE: FIRING, gone: FIRING}, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": AlertState.PENDING}, False),
        ({"last_sent_at": None}, True),
        ({"last_sent_at": 40.0}, False),
        ({"last_sent_at": 39.9}, True),
        ({"last_sent_at": 90.0, "resolved_at": 95.0, "state": AlertState.INACTIVE}, True),
        ({"last_sent_at": 95.0, "resolved_at": 95.0, "state": AlertState.INACTIVE}, False),
    ],
)
def test_alert_is_told_when_it_is_news_or_has_not_been_told_for_a_minute(
    changes: dict[str, object], expected: bool
) -> None:
    """At 100 s with a resend delay of 60 s; pending is never told."""
    assert needs_sending(replace(FIRING, **changes), 100.0, 60.0) is expected  # type: ignore[arg-type] # a table of changes


@pytest.mark.parametrize(("interval", "end"), [(15.0, 340.0), (60.0, 340.0), (120.0, 580.0)])
def test_told_alert_is_valid_for_four_intervals_or_resend_delays(
    interval: float, end: float
) -> None:
    """Whichever is longer."""
    assert ends_at(FIRING, 100.0, interval, 60.0) == end


@given(st.lists(st.tuples(st.floats(1, 600), st.booleans())), st.floats(0, 900), st.floats(0, 900))
def test_no_history_leads_to_an_impossible_alert(
    steps: list[tuple[float, bool]], for_s: float, keep: float
) -> None:
    """Firing has a firing time not before `for` passed; resolved has a time; nothing else has."""
    alerts: dict[Labels, Active] = {}
    now = 0.0
    for pause, hit in steps:
        now += pause
        alerts = advance(
            alerts, HIT if hit else {}, now, for_seconds=for_s, keep_firing_seconds=keep
        )
        for alert in alerts.values():
            assert (alert.fired_at is None) == (alert.state is AlertState.PENDING)
            assert (alert.resolved_at is not None) == (alert.state is AlertState.INACTIVE)
            assert alert.fired_at is None or alert.fired_at - alert.active_at >= for_s
