"""Who is on call: layers, what people swap among themselves, and the gaps that nobody fills.

A later layer wins over an earlier one wherever it has somebody; an override wins over every layer,
and of overrides that overlap the one made last. All instants are aware; a shift's start is
included, its end is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from incidents.errors import InvalidInputError
from incidents.oncall.rotation import Layer, people_of

LONGEST_OVERRIDE = timedelta(days=62)
LONGEST_VIEW = timedelta(days=400)


@dataclass(frozen=True)
class Override:
    """A person who takes a period of a schedule, whoever's turn it would be."""

    number: int
    schedule: str
    person: str
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    created_by: str = ""
    created_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str = ""

    def holds_at(self, at: datetime) -> bool:
        """Return whether the override is in force at an instant."""
        return self.cancelled_at is None and self.starts_at <= at < self.ends_at


@dataclass(frozen=True)
class Schedule:
    """One place that always ought to have a person, and how it is filled."""

    name: str
    team: str
    layers: tuple[Layer, ...]
    title: str = ""
    gaps_allowed: bool = False
    time_zone: str = "UTC"

    @property
    def heading(self) -> str:
        """Return what people call it."""
        return self.title or self.name

    @property
    def people(self) -> tuple[str, ...]:
        """Return everybody who takes turns here."""
        return people_of(self.layers)


@dataclass(frozen=True)
class Shift:
    """A period with the same person for the same reason; without a person it is a gap."""

    schedule: str
    person: str | None
    starts_at: datetime
    ends_at: datetime
    override: int | None = None  # the number of the override it comes from

    @property
    def lasts(self) -> timedelta:
        """Return how long it is."""
        return self.ends_at - self.starts_at


@dataclass(frozen=True)
class OnCall:
    """Who is on call, and by which override, if any."""

    person: str | None
    override: int | None = None


def who_is_on_call(schedule: Schedule, at: datetime, overrides: Iterable[Override] = ()) -> OnCall:
    """Return who is on call at an instant; a person of None is a gap."""
    holding = [o for o in overrides if o.schedule == schedule.name and o.holds_at(at)]
    if holding:
        last = max(holding, key=lambda override: override.number)
        return OnCall(last.person, last.number)
    found = (layer.person_at(at) for layer in reversed(schedule.layers))
    return OnCall(next((person for person in found if person is not None), None))


def shifts(
    schedule: Schedule, since: datetime, until: datetime, overrides: Iterable[Override] = ()
) -> list[Shift]:
    """Return the shifts that fill the time from `since` to `until`, gaps included, in order.

    The first and the last are cut to the period asked for.
    """
    mine = [o for o in overrides if o.schedule == schedule.name and o.cancelled_at is None]
    found: list[Shift] = []
    for start, end in pairwise(_boundaries(schedule, since, until, mine)):
        now = who_is_on_call(schedule, start, mine)
        shift = Shift(schedule.name, now.person, start, end, now.override)
        if found and (found[-1].person, found[-1].override) == (shift.person, shift.override):
            shift = Shift(shift.schedule, shift.person, found.pop().starts_at, end, shift.override)
        found.append(shift)
    return found


def gaps(
    schedule: Schedule, since: datetime, until: datetime, overrides: Iterable[Override] = ()
) -> list[Shift]:
    """Return the periods in which nobody is on call."""
    return [s for s in shifts(schedule, since, until, overrides) if s.person is None]


def _boundaries(
    schedule: Schedule, since: datetime, until: datetime, overrides: Sequence[Override]
) -> list[datetime]:
    inside = {at for at in _changes(schedule, since, until, overrides) if since < at < until}
    return sorted({since, until} | inside) if since < until else []


def _changes(
    schedule: Schedule, since: datetime, until: datetime, overrides: Sequence[Override]
) -> Iterator[datetime]:
    for layer in schedule.layers:
        yield from layer.boundaries(since, until)
    for override in overrides:
        yield override.starts_at
        yield override.ends_at


def check_override(
    schedule: Schedule, person: str, starts_at: datetime, ends_at: datetime, now: datetime
) -> None:
    """Do nothing for an override that makes sense.

    Raises:
        InvalidInputError: it ends before it starts, is over already, or is longer than two months.
    """
    if not person:
        raise InvalidInputError(f"choose who takes the shift of {schedule.name}")
    if ends_at <= starts_at:
        raise InvalidInputError("an override ends after it starts; look at the two times again")
    if ends_at <= now:
        raise InvalidInputError("an override that is over changes nothing; choose a later end")
    if ends_at - starts_at > LONGEST_OVERRIDE:
        days = LONGEST_OVERRIDE.days
        raise InvalidInputError(
            f"an override lasts at most {days} days; for longer, change the schedule itself"
        )
