"""A bounded number of runs at a time, none of which can hold its place for ever.

A run is a thread of its own. One that has not ended by its deadline and a little grace is given
up: its place is freed, its result is discarded when it ever comes, and its owner is told, so that
a hung target costs one verdict and not the prober.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from monitor.clock import Clock

GRACE_SECONDS = 5.0  # the engine cuts a run at its deadline itself; this is for when it does not


@dataclass(eq=False)
class Place:
    """One run under way."""

    key: Hashable
    ends_before: float
    on_lost: Callable[[], None]
    lost: bool = False
    thread: threading.Thread | None = field(default=None, repr=False)


class RunPool:
    """Runs work in threads: at most `capacity` at once, and at most one per key."""

    def __init__(self, name: str, capacity: int, clock: Clock) -> None:
        self.name = name
        self.capacity = capacity
        self._clock = clock
        self._idle = threading.Condition()
        self._busy: dict[Hashable, Place] = {}

    def resize(self, capacity: int) -> None:
        """Have this many places from now on; runs under way are left alone."""
        with self._idle:
            self.capacity = capacity

    @property
    def busy(self) -> int:
        """Return how many places are taken."""
        with self._idle:
            return len(self._busy)

    def is_busy(self, key: Hashable) -> bool:
        """Return whether work of that key is under way."""
        with self._idle:
            return key in self._busy

    def start(
        self,
        key: Hashable,
        work: Callable[[Callable[[], bool]], None],
        *,
        deadline_seconds: float,
        on_lost: Callable[[], None],
    ) -> bool:
        """Start `work` in a thread and return True, or return False where no place is free.

        `work` is given a function that tells whether the run has been given up meanwhile; it must
        then record nothing. `on_lost` is called by `give_up_overdue` in that case, once.
        """
        with self._idle:
            if key in self._busy or len(self._busy) >= self.capacity:
                return False
            ends_before = self._clock.monotonic() + deadline_seconds + GRACE_SECONDS
            place = self._busy[key] = Place(key, ends_before, on_lost)
        place.thread = threading.Thread(
            target=self._run, args=(place, work), name=f"{self.name}:{key}", daemon=True
        )
        place.thread.start()
        return True

    def _run(self, place: Place, work: Callable[[Callable[[], bool]], None]) -> None:
        try:
            work(lambda: place.lost)
        finally:
            self._release(place)

    def _release(self, place: Place) -> None:
        with self._idle:
            if self._busy.get(place.key) is place:
                del self._busy[place.key]
            self._idle.notify_all()

    def give_up_overdue(self) -> int:
        """Free the places of runs past their deadline and grace; return how many there were."""
        now = self._clock.monotonic()
        with self._idle:
            overdue = [place for place in self._busy.values() if place.ends_before <= now]
            for place in overdue:
                place.lost = True
                del self._busy[place.key]
        for place in overdue:
            place.on_lost()
        return len(overdue)

    def drain(self, seconds: float) -> bool:
        """Wait up to `seconds` for all runs to end; return whether they did."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, timeout=seconds)
