"""When a failed delivery is tried again, and when it is given up: pure decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.notify.message import NotifyError

FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 60.0
JITTER_RATIO = 0.25  # waits are spread by up to this share, so that retries do not march in step


def wait_seconds(attempt: int, error: NotifyError, chance: float) -> float:
    """Return how long to wait after failed `attempt` (1 is the first); `chance` is in [0, 1).

    Doubling from 2 s up to a minute, spread by ±25 %; a receiver's own longer wish is honoured.
    """
    doubled = FIRST_WAIT_SECONDS * 2.0 ** min(attempt - 1, 30)
    spread = 1 + JITTER_RATIO * (2 * chance - 1)
    return max(min(doubled, LONGEST_WAIT_SECONDS) * spread, error.retry_after_seconds or 0.0)


def next_attempt(
    *,
    now: datetime,
    created_at: datetime,
    deadline_seconds: float,
    attempt: int,
    error: NotifyError,
    chance: float,
) -> datetime | None:
    """Return when to try again, or None when it is over.

    It is over when the refusal is final, or when the deadline, counted from the row's creation,
    has passed. A wait that would end after the deadline is cut short to one last attempt at it.
    """
    if not error.retryable:
        return None
    deadline = created_at + timedelta(seconds=deadline_seconds)
    if now >= deadline:
        return None
    return min(now + timedelta(seconds=wait_seconds(attempt, error, chance)), deadline)
