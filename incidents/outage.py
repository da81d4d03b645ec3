"""A receiver that does not answer: from when on it is asked by one message at a time.

One message that fails may be at fault itself, and is tried again alone. Once several in a row have
failed, and nothing has arrived between them, it is the channel that is away: it rests, one message
at a time asks whether it is back, and the others wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

REST_AFTER = 3  # messages that failed with none arriving between them


@dataclass(frozen=True, slots=True)
class Outage:
    """What is known of a channel over which nothing has arrived since its first failure."""

    channel: str
    since: datetime
    failed_at: datetime
    probe_at: datetime
    """When one message may ask again, while the channel rests."""
    failures: int = 0
    """Messages that failed, each counted once; while it rests, every probe."""

    @property
    def rests(self) -> bool:
        """Return whether all but one message wait."""
        return self.failures >= REST_AFTER

    @property
    def probes(self) -> int:
        """Return how often it was asked in vain while it rested, its beginning counted."""
        return max(self.failures - REST_AFTER + 1, 1)

    @property
    def words(self) -> str:
        """Return what people are told of it."""
        return f"{self.channel} has not answered since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def fail_again(outage: Outage, *, first_try: bool, began_at: datetime, now: datetime) -> Outage:
    """Return the outage after one more message failed, whose sending began at `began_at`.

    What was under way already when the last one failed says nothing new of a channel that rests.
    """
    counts = began_at > outage.failed_at if outage.rests else first_try
    failures = outage.failures + 1 if counts else outage.failures
    return replace(outage, failures=failures, failed_at=now)
