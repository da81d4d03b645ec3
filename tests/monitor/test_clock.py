"""A time that never goes back, whatever the wall clock does."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import FakeClock, SteadyClock

STEPS = st.lists(st.tuples(st.booleans(), st.integers(-7200, 7200)), max_size=30)


@given(STEPS)
def test_it_never_goes_back_and_ends_at_the_wall_clock(steps: list[tuple[bool, int]]) -> None:
    """However often the wall clock is put back or ahead; it is never behind that either."""
    wall = FakeClock()
    steady = SteadyClock(wall)
    before = steady.now()
    for is_jump, seconds in steps:
        wall.jump(seconds) if is_jump else wall.advance(abs(seconds))
        now = steady.now()
        assert before <= now
        assert wall.now() <= now
        assert now - wall.now() == steady.ahead
        before = now
    wall.advance(30 * 7200 * 2)
    assert steady.now() == wall.now()


def test_after_a_step_back_it_goes_on_at_the_same_pace() -> None:
    """Intervals stay what they are."""
    wall = FakeClock()
    steady = SteadyClock(wall)
    began = steady.now()
    wall.jump(-3600)
    steady.now()
    wall.advance(5)
    assert steady.now() - began == timedelta(seconds=5)


def test_it_goes_on_from_where_an_earlier_process_was() -> None:
    """Samples written before a restart are not in its future."""
    wall = FakeClock()
    later = wall.now() + timedelta(hours=1)
    assert SteadyClock(wall, later).now() == later
