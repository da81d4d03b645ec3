"""The time, asked for in one place so that tests can say what it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()


class FakeClock:
    """A clock that stands still until it is told to move; for tests and simulations."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the instant it was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it has been moved by."""
        return self._monotonic

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` (0 or more) and return the new instant."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        return self._now
