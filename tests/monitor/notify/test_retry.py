"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.notify.message import NotifyError
from monitor.notify.retry import next_attempt, wait_seconds
from tests.notices import NOW, later

AGAIN = NotifyError("503", retryable=True)


def attempt(now: datetime = NOW, **given_: Any) -> datetime | None:
    usual: dict[str, Any] = {"deadline_seconds": 60, "attempt": 1, "error": AGAIN, "chance": 0.5}
    return next_attempt(now=now, created_at=NOW, **{**usual, **given_})


@pytest.mark.parametrize(
    ("number", "seconds"), [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (10_000, 60)]
)
def test_waits_double_up_to_a_minute(number: int, seconds: float) -> None:
    """2 s, 4 s, 8 s … and never more than 60 s."""
    assert wait_seconds(number, AGAIN, chance=0.5) == seconds


@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_waits_are_spread_by_a_quarter(number: int, chance: float) -> None:
    """Receivers that come back are not met by everyone at once."""
    middle = wait_seconds(number, AGAIN, chance=0.5)
    assert 0.75 * middle <= wait_seconds(number, AGAIN, chance) <= 1.25 * middle


@pytest.mark.parametrize(("wish", "seconds"), [(1.0, 2.0), (2.0, 2.0), (30.0, 30.0)])
def test_a_receivers_longer_wish_is_honoured(wish: float, seconds: float) -> None:
    """`Retry-After` lengthens a wait, and never shortens it."""
    error = NotifyError("429", retryable=True, retry_after_seconds=wish)
    assert wait_seconds(1, error, chance=0.5) == seconds


def test_a_final_refusal_is_not_tried_again() -> None:
    """A 404 stays a 404."""
    assert attempt(error=NotifyError("404", retryable=False)) is None


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 2), (58, 60), (59, 60), (59.9, 60), (60, None), (61, None)]
)
def test_the_last_attempt_falls_on_the_deadline(seconds: float, expected: float | None) -> None:
    """A wait is cut short rather than giving up early; at the deadline it is over."""
    assert attempt(later(seconds)) == (None if expected is None else later(expected))
