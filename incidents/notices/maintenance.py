"""A maintenance window: its state at any instant, what it mutes, and what closes it.

The state is derived when it is read, from instants (start included, end excluded) and recorded
facts; no timer ever changes it. Recurrence is left to a later page of the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

GRACE = timedelta(minutes=2)  # after the end: probes may still need a run to see the shop work
LONGEST = timedelta(days=7)  # a forgotten window must not mute for ever
NEVER_MUTED = frozenset({"none"})  # the watchdog: it has to fire always


class State(StrEnum):
    """Where a window stands; `cancelled` can follow only the first two."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def word(self) -> str:
        """Return the state as a person reads it."""
        return self.value.replace("_", " ").capitalize()


class Effect(StrEnum):
    """What users of a component are told to expect."""

    EXPECTED_DOWN = "expected_down"
    EXPECTED_DEGRADED = "expected_degraded"

    @property
    def word(self) -> str:
        """Return the effect as a person reads it."""
        return "unavailable" if self is Effect.EXPECTED_DOWN else "slow or limited"


@dataclass(frozen=True)
class Scope:
    """One component and what is announced for it."""

    component: str
    effect: Effect


@dataclass(frozen=True)
class Maintenance:
    """Planned work, announced with its effect; all times are aware UTC."""

    number: int
    public_id: str
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    scope: tuple[Scope, ...]
    time_zone: str = "UTC"
    created_by: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    verified_at: datetime | None = None
    overrun_told_at: datetime | None = None
    announced_at: datetime | None = None
    sequence: int = 0

    @property
    def name(self) -> str:
        """Return its name in conversation, such as `MNT-3`."""
        return f"MNT-{self.number}"

    def state(self, now: datetime) -> State:
        """Return where the window stands at `now`; the start is included, the end is not."""
        if self.cancelled_at is not None:
            return State.CANCELLED
        if now < self.starts_at:
            return State.SCHEDULED
        if now < self.ends_at:
            return State.IN_PROGRESS
        return State.COMPLETED if self.verified_at is not None else State.VERIFYING

    def effect_on(self, component: str) -> Effect | None:
        """Return what was announced for `component`, or None when it was not mentioned."""
        return next((s.effect for s in self.scope if s.component == component), None)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether nobody has seen the shop work by the end of the grace period."""
        return self.state(now) is State.VERIFYING and now >= self.ends_at + GRACE


class SeenRun(Protocol):
    """What verifying needs to know of a journey at one location."""

    @property
    def component(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def last_run_at(self) -> datetime | None: ...
    @property
    def last_success_at(self) -> datetime | None: ...


def mutes(
    windows: Iterable[Maintenance], alert_labels: Mapping[str, str], now: datetime
) -> Maintenance | None:
    """Return the window that announced this alert, or None: then it pages as ever.

    A window mutes from its start until its end, and for the grace period while it verifies.
    `expected_down` covers every alert of the component, `expected_degraded` all but the critical
    ones. Resolutions are never muted: that is the caller's to keep.
    """
    if alert_labels.get("severity") in NEVER_MUTED:
        return None
    component = alert_labels.get("component", "")
    return next((w for w in windows if _covers(w, component, alert_labels, now)), None)


def _covers(window: Maintenance, component: str, labels: Mapping[str, str], now: datetime) -> bool:
    """Return whether `window` holds at `now` and announced as much as the alert says."""
    if window.state(now) not in (State.IN_PROGRESS, State.VERIFYING) or window.is_overdue(now):
        return False
    effect = window.effect_on(component)
    if effect is Effect.EXPECTED_DEGRADED:
        return labels.get("severity") != "critical"
    return effect is Effect.EXPECTED_DOWN


def is_verified(window: Maintenance, runs: Iterable[SeenRun], now: datetime) -> bool:
    """Return whether every probed component of an ended window has been seen to work.

    A component works when the last run of each of its journeys passed and that run is not older
    than the window's start: the last word counts, whether it was said after the end or before it.
    What no journey watches cannot be verified and does not hold the window open.
    """
    if window.state(now) is not State.VERIFYING:
        return False
    watched = [run for run in runs if window.effect_on(run.component) is not None]
    return all(_works(run, window.starts_at) for run in watched)


def _works(run: SeenRun, since: datetime) -> bool:
    if run.verdict != "up" or run.last_success_at is None or run.last_run_at is None:
        return False
    return run.last_success_at >= max(since, run.last_run_at)


class BadWindowError(ValueError):
    """A window that cannot be planned; the message says what would be allowed."""


def instant(local: datetime, zone: str, *, ends: bool = False) -> datetime:
    """Return the UTC instant of a wall-clock time in `zone`.

    Where the clocks go back and a time comes twice, a start means the first and an end the second,
    so that the window is never shorter than its author meant.

    Raises:
        BadWindowError: the clocks go forward over that time, so it does not exist on that day.
    """
    aware = local.replace(tzinfo=ZoneInfo(zone), fold=1 if ends else 0)
    there_and_back = aware.astimezone(UTC).astimezone(ZoneInfo(zone))
    if there_and_back.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise BadWindowError(
            f"{local:%Y-%m-%d %H:%M} does not exist in {zone}: the clocks go forward then; "
            "choose a time an hour later"
        )
    return aware.astimezone(UTC)


def check_plan(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Do nothing if a window may be planned at `now` with these instants.

    Raises:
        BadWindowError: the end is not after the start, or in the past, or a week
            would not be enough.
    """
    if ends_at <= starts_at:
        raise BadWindowError("the end must be later than the start")
    if ends_at <= now:
        raise BadWindowError("the window is already over; its end must lie in the future")
    if ends_at - starts_at > LONGEST:
        raise BadWindowError(f"the window is longer than {LONGEST.days} days; plan several instead")
