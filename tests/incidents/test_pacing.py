"""A channel's limit and the grouping of a storm, as pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.pacing import Crowd, Grouping, Limit, goes_first, is_storm

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
GROUPING = Grouping(5, timedelta(minutes=1), timedelta(seconds=15))


def turns(limit: Limit, *asked_at: float) -> list[float]:
    """Return when messages asked for at these seconds have their turn."""
    free_at, found = START, []
    for seconds in asked_at:
        at, free_at = limit.turn(free_at, START + timedelta(seconds=seconds))
        found.append((at - START).total_seconds())
    return found


def test_a_burst_goes_at_once_and_the_rest_in_step() -> None:
    """Six a minute with a burst of three: three now, then one every ten seconds."""
    assert turns(Limit(6, 3), *[0] * 6) == [0, 0, 0, 10, 20, 30]


def test_a_burst_comes_back_after_a_rest() -> None:
    """Each ten seconds of silence earn one message, never more than the burst."""
    assert turns(Limit(6, 2), 0, 0, 10, 10, 600, 600, 600) == [0, 0, 10, 20, 600, 600, 610]


@given(st.lists(st.floats(0, 600), min_size=1, max_size=80), st.integers(1, 60), st.integers(1, 8))
def test_no_minute_ever_sees_more_than_rate_and_burst(
    asked: list[float], per_minute: int, burst: int
) -> None:
    """Whenever they are asked for, and nobody's turn is before it was asked for."""
    asked.sort()
    at = turns(Limit(per_minute, burst), *asked)
    assert all(turn >= ask - 1e-6 for turn, ask in zip(at, asked, strict=True))
    for start in at:
        assert sum(start <= turn < start + 59.999 for turn in at) <= per_minute + burst


@pytest.mark.parametrize(
    ("crowd", "storm"),
    [
        (Crowd(), False),
        (Crowd(behind=4), False),
        (Crowd(behind=5), True),
        (Crowd(told=4), False),
        (Crowd(told=5), True),
        (Crowd(told=2, before=2, behind=1), True),
    ],
)
def test_more_than_so_many_are_a_storm(crowd: Crowd, storm: bool) -> None:
    """Five are told one by one, six are not, whether they were told or wait."""
    assert is_storm(GROUPING, crowd) is storm


@pytest.mark.parametrize(
    ("crowd", "first"), [(Crowd(behind=99), True), (Crowd(told=1), False), (Crowd(before=1), False)]
)
def test_nothing_holds_up_the_first_of_a_storm(crowd: Crowd, first: bool) -> None:
    """Only what was told, or is being told before it, makes a message not the first."""
    assert goes_first(crowd) is first
