"""What one delivery does to the alert we hold: late, doubled and swapped deliveries do nothing.

A source tells the same state again and again, and deliveries may overtake each other. An alert
ends only by an explicit resolution, or *lapses* when its end passes in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from incidents.alerts.model import Alert, AlertState

RESOLVE_TIMEOUT = timedelta(minutes=5)  # Alertmanager's default, for alerts without an end


class Effect(StrEnum):
    """What a delivery does."""

    NEW = "new"  # no open alert of this identity: it begins
    REFRESHED = "refreshed"  # still firing
    RETURNED = "returned"  # it had lapsed and is told again
    RESOLVED = "resolved"
    IGNORED = "ignored"  # late, doubled, or the end of what we never saw


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept of an alert: the open row of its identity, or the last closed one."""

    state: AlertState
    open: bool
    starts_at: datetime
    latest_starts_at: datetime
    ends_at: datetime | None


def effect_of(alert: Alert, held: Held | None, now: datetime) -> Effect:
    """Return what this delivery does to what is held.

    A resolution counts only if it ends no earlier than the latest start we were told; a firing
    alert counts only if it starts no earlier than the last explicit resolution. What we hold was
    never later than our clock, so where it is, the clock was put back and orders nothing.
    """
    if held is None or not held.open:
        return _effect_on_closed(alert, held, now)
    if alert.is_resolved(now):
        assert alert.ends_at is not None
        late = alert.ends_at < held.latest_starts_at <= now
        return Effect.IGNORED if late else Effect.RESOLVED
    return Effect.RETURNED if held.state is AlertState.LAPSED else Effect.REFRESHED


def _effect_on_closed(alert: Alert, held: Held | None, now: datetime) -> Effect:
    if alert.is_resolved(now):
        return Effect.IGNORED
    if held is None or held.state is not AlertState.RESOLVED or held.ends_at is None:
        return Effect.NEW
    return Effect.IGNORED if alert.starts_at < held.ends_at <= now else Effect.NEW


def later_end(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two ends; none at all is the latest."""
    return None if one is None or other is None else max(one, other)
