"""How deliveries ended, counted for the service's metrics."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How one attempt to deliver ended; the label `outcome` of `monitor_notifications_total`.

    Held is what waits on purpose, folded what another message tells along.
    """

    SENT = "sent"
    RETRIED = "retried"
    FAILED = "failed"
    DROPPED = "dropped"
    HELD = "held"
    FOLDED = "folded"


def _no_channels() -> Iterable[str]:
    return ()


@dataclass
class DeliveryStats:
    """Counts since the start of the process; safe to use from several threads.

    `channels` names those whose counts are there from the start, at zero, so that a first failure
    shows as an increase.
    """

    channels: Callable[[], Iterable[str]] = _no_channels
    _counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, channel: str, outcome: Outcome, count: int = 1) -> None:
        """Count one attempt, or several notifications that one decision was about."""
        with self._lock:
            self._counts[channel, outcome] += count

    def totals(self) -> Mapping[tuple[str, Outcome], int]:
        """Return the counts by (channel, outcome)."""
        zero = {(channel, outcome): 0 for channel in self.channels() for outcome in Outcome}
        with self._lock:
            return zero | self._counts
