"""A silence: an operator's mute of matching alerts until a time, with Alertmanager's semantics.

Its state is derived when it is read, never stored. A silence keeps its id while only its end or
its words change; otherwise the old one is expired and a new one takes its place, so that whoever
looks back sees what was really muted when.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from incidents.alerts.matchers import Matcher, Operator, all_hold
from incidents.alerts.recurrence import Period, Recurrence
from incidents.errors import IncidentError, InvalidInputError, UnknownObjectError

PREFIX = "silence "  # how `muted_by` of an alert names one
SOON = timedelta(minutes=15)  # an end this near is told
ALWAYS_SHOWN = ("Watchdog",)  # by its rule's name: the alert that proves the way is open


class SilenceState(StrEnum):
    """Where a silence stands."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


class SilenceRefused(InvalidInputError):  # noqa: N818 - a refusal, named for what was refused
    """A silence that cannot be; `stage` is the words Alertmanager puts first."""

    http_status = 400

    def __init__(self, why: str, stage: str = "silence invalid") -> None:
        super().__init__(f"{stage}: {why}")


class UnknownSilence(UnknownObjectError):  # noqa: N818 - a refusal, named for what was refused
    """There is no silence of that id."""

    def __init__(self, silence_id: str) -> None:
        super().__init__(f"silence {silence_id}")


class AlreadyExpired(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """What is over cannot be changed."""

    def __init__(self, silence_id: str) -> None:
        super().__init__(f"silence {silence_id} is expired; make a new one of it instead")


@dataclass(frozen=True)
class Silence:
    """Whose alerts are muted, when, by whom and why; all times are aware UTC.

    `periods` are its occurrences, oldest first; one that does not recur has one.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime  # of the first occurrence
    ends_at: datetime  # of the last
    created_by: str
    comment: str
    updated_at: datetime
    recurrence: Recurrence | None = None
    periods: tuple[Period, ...] = ()
    applied_until: datetime | None = None  # the end of the occurrence open incidents know of
    reminded_until: datetime | None = None  # the end of the occurrence whose end was foretold
    expired_by: str = field(default="")

    @property
    def name(self) -> str:
        """Return how an alert's row names what mutes it."""
        return PREFIX + self.id

    def period(self, now: datetime) -> Period:
        """Return the occurrence under way at `now`, else the next one, else the last."""
        periods = self.periods or ((self.starts_at, self.ends_at),)
        return next((one for one in periods if now < one[1]), periods[-1])

    def state(self, now: datetime) -> SilenceState:
        """Return where it stands: the start is included, the end is not."""
        start, end = self.period(now)
        if now >= end:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if now >= start else SilenceState.PENDING

    def mutes(self, labels: Mapping[str, str]) -> bool:
        """Tell whether its matchers hold, whenever that may be."""
        return all_hold(self.matchers, labels)

    def ends_soon(self, now: datetime) -> bool:
        """Tell whether it is active, and its occurrence over within `SOON`."""
        return self.state(now) is SilenceState.ACTIVE and self.period(now)[1] - now <= SOON


def check_matchers(matchers: Iterable[Matcher]) -> None:
    """Do nothing if a silence may have these matchers.

    Raises:
        SilenceRefused: none of them asks for anything: a label may be missing for each. Those
            that say `!=` or `!~` always count as asking, as with Alertmanager 0.25.
    """
    asking = (Operator.UNEQUAL, Operator.UNLIKE)
    if all(matcher.operator not in asking and matcher.holds({}) for matcher in matchers):
        raise SilenceRefused("at least one matcher must not match the empty string")


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Do nothing if a silence may have these times; a start in the past counts as now.

    Raises:
        SilenceRefused: the end is not later than the start, or than now.
    """
    failed = "Failed to create silence"
    if ends_at <= starts_at:
        raise SilenceRefused("start time must be before end time", failed)
    if ends_at < now:
        raise SilenceRefused("end time can't be in the past", failed)


def may_update(old: Silence, new: Silence, now: datetime) -> bool:
    """Tell whether `new` is still the same silence as `old`, only longer, shorter or reworded.

    As Alertmanager 0.25 decides it: starts are compared to the second.
    """
    if old.matchers != new.matchers or old.recurrence != new.recurrence:
        return False
    state = old.state(now)
    if state is SilenceState.ACTIVE:
        same_start = int(old.starts_at.timestamp()) == int(new.starts_at.timestamp())
        return same_start and new.ends_at >= now
    return state is SilenceState.PENDING and new.starts_at >= now


def begun_now(silence: Silence, now: datetime) -> Silence:
    """Return it as a new silence: an id of its own, and a start not before `now`."""
    start = max(silence.starts_at, now)
    periods = silence.periods or ((silence.starts_at, silence.ends_at),)
    kept = tuple((max(s, now), e) for s, e in periods if e > now)
    return replace(silence, id=str(uuid.uuid4()), starts_at=start, periods=kept)


def expired_at(silence: Silence, now: datetime, by: str) -> Silence:
    """Return it ended at `now`; one that had not begun never did.

    Raises:
        AlreadyExpired: it is over.
    """
    if silence.state(now) is SilenceState.EXPIRED:
        raise AlreadyExpired(silence.id)
    begun = tuple((start, min(end, now)) for start, end in silence.periods if start < now)
    start = min(silence.starts_at, now)
    return replace(
        silence,
        starts_at=start,
        ends_at=now,
        periods=begun or ((start, now),),
        updated_at=now,
        expired_by=by,
    )


class InForce:
    """The silences active at one instant, found by the labels of an alert."""

    def __init__(self, silences: Iterable[Silence], now: datetime) -> None:
        self._active = [s for s in silences if s.state(now) is SilenceState.ACTIVE]
        self.names = frozenset(silence.name for silence in self._active)

    def of(self, labels: Mapping[str, str]) -> list[Silence]:
        """Return the silences that mute an alert with these labels."""
        return [silence for silence in self._active if silence.mutes(labels)]


def concerns(silence: Silence, wanted: Iterable[Matcher]) -> bool:
    """Tell whether a filter names this silence: each of its matchers is one of the silence's."""
    return all(matcher in silence.matchers for matcher in wanted)
