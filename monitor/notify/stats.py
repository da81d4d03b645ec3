"""How deliveries ended, counted for the service's metrics."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How one attempt to deliver ended; the label `outcome` of `monitor_notifications_total`."""

    SENT = "sent"
    RETRIED = "retried"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass
class DeliveryStats:
    """Counts since the start of the process; safe to use from several threads."""

    _counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, channel: str, outcome: Outcome) -> None:
        """Count one attempt."""
        with self._lock:
            self._counts[channel, outcome] += 1

    def totals(self) -> Mapping[tuple[str, Outcome], int]:
        """Return the counts by (channel, outcome)."""
        with self._lock:
            return dict(self._counts)
