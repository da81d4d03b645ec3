"""The time, asked for in one place so that tests can say what it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Lock
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


class SteadyClock:
    """The wall clock for what cannot bear that time goes back, such as samples.

    After a step back it goes on from where it stood, ahead of the wall clock, until that has
    caught up. `since` is an instant that has been given out before, in an earlier process.
    """

    def __init__(self, clock: Clock, since: datetime | None = None) -> None:
        self._clock = clock
        self._last = since
        self._lock = Lock()
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """Return an instant that is not before the one returned last."""
        with self._lock:
            wall = self._clock.now()
            if self._last is None or wall >= self._last:
                self.ahead = timedelta(0)
            elif wall + self.ahead < self._last:
                self.ahead = self._last - wall
            self._last = wall + self.ahead
            return self._last

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back; only differences mean anything."""
        return self._clock.monotonic()


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

    def jump(self, seconds: float) -> None:
        """Set the wall clock alone, back or ahead, as corrected clocks and woken machines do."""
        self._now += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> datetime:
        """Move forward by `seconds` (0 or more) and return the new instant."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
        return self._now
