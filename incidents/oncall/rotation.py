"""Turns: whose turn it is in a layer of a schedule, and the hours in which its turns count.

Everything here is reckoned on the wall clock of a zone (`wallclock.instant_of`): a handover at
09:00 stays at 09:00 when the clocks change, so that a turn may be an hour longer or shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import IntEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from incidents.oncall.wallclock import instant_of, local_of

WEEK = timedelta(days=7)
ANCHOR = datetime(2024, 1, 1)  # noqa: DTZ001 - a Monday on the wall clock of whatever zone asks


class Day(IntEnum):
    """The days of a week, numbered as `datetime.weekday` does."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6

    @property
    def word(self) -> str:
        """Return the day as it is written in configuration."""
        return self.name.lower()


@dataclass(frozen=True)
class Hours:
    """A part of every week on the wall clock; its start is included, its end is not."""

    starts: timedelta  # since Monday 00:00, below one week
    lasts: timedelta  # above zero, at most one week

    @classmethod
    def between(cls, first: Day, from_: time, last: Day, to: time) -> Hours:
        """Return the hours from a day and time until a day and time.

        The same day and time twice is the whole week.
        """
        starts, ends = _since_monday(first, from_), _since_monday(last, to)
        lasts = (ends - starts) % WEEK
        return cls(starts, lasts or WEEK)

    def overlaps(self, other: Hours) -> bool:
        """Return whether some moment of the week belongs to both."""
        return (other.starts - self.starts) % WEEK < self.lasts or (
            self.starts - other.starts
        ) % WEEK < other.lasts

    def around(self, local: datetime) -> tuple[datetime, datetime]:
        """Return the last such part that began at or before a wall-clock time, as (start, end)."""
        monday = datetime.combine(local.date(), time()) - timedelta(days=local.weekday())
        start = monday + self.starts
        start = start if start <= local else start - WEEK
        return start, start + self.lasts


def _since_monday(day: Day, at: time) -> timedelta:
    return timedelta(days=int(day), hours=at.hour, minutes=at.minute)


@dataclass(frozen=True)
class Turn:
    """One person's turn: the start is included, the end is not."""

    person: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Rotation:
    """People who take turns of one length, for ever, from a first handover on."""

    people: tuple[str, ...]
    length: timedelta  # whole hours, reckoned on the wall clock
    first: datetime  # naive wall-clock time at which the first of `people` begins
    zone: ZoneInfo

    def turn_at(self, at: datetime) -> Turn | None:
        """Return the turn that an instant falls in; None before the first handover."""
        number = (local_of(at, self.zone) - self.first) // self.length
        while self._handover(number) > at:  # the clocks went back or forward in between
            number -= 1
        while self._handover(number + 1) <= at:
            number += 1
        if number < 0:
            return None
        person = self.people[number % len(self.people)]
        return Turn(person, self._handover(number), self._handover(number + 1))

    def handovers(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the instants of handovers from `since` (included) to `until` (excluded)."""
        number = max(0, (local_of(since, self.zone) - self.first) // self.length - 1)
        while self._handover(number) < since:
            number += 1
        while (at := self._handover(number)) < until:
            yield at
            number += 1

    def _handover(self, number: int) -> datetime:
        return instant_of(self.first + number * self.length, self.zone)


@dataclass(frozen=True)
class Layer:
    """A rotation, the hours of the week in which it counts, and when it ends."""

    rotation: Rotation
    hours: tuple[Hours, ...] = ()  # none: always
    until: datetime | None = None  # an instant; excluded

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone on whose wall clock the layer is reckoned."""
        return self.rotation.zone

    def person_at(self, at: datetime) -> str | None:
        """Return who is on call by this layer alone, or None."""
        if self.until is not None and at >= self.until:
            return None
        if not self._counts_at(at):
            return None
        turn = self.rotation.turn_at(at)
        return turn.person if turn else None

    def boundaries(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Yield every instant from `since` to `until` at which the layer may change its mind."""
        yield from self.rotation.handovers(since, until)
        if self.until is not None:
            yield self.until
        for hours in self.hours:
            for starts, ends in self._parts(hours, since, until):
                yield starts
                yield ends

    def _counts_at(self, at: datetime) -> bool:
        return not self.hours or any(
            starts <= at < ends
            for hours in self.hours
            for starts, ends in self._parts(hours, at, at)
        )

    def _parts(
        self, hours: Hours, since: datetime, until: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield, as instants, the parts that may touch the time from `since` to `until`."""
        slack = timedelta(days=1)  # no clock change is longer
        first, last = local_of(since, self.zone) - slack, local_of(until, self.zone) + slack
        start, end = hours.around(first)
        while start <= last:
            if end >= first:
                yield instant_of(start, self.zone), instant_of(end, self.zone)
            start, end = start + WEEK, end + WEEK


def first_handover(on: datetime | None, at: time, day: Day | None, *, weekly: bool) -> datetime:
    """Return the naive wall-clock time of a rotation's first handover.

    Without a date of its own a rotation counts from the first Monday of 2024, or the given weekday
    of that week, so that everybody who reads the same configuration finds the same turns.
    """
    start = on or ANCHOR + timedelta(days=int(day or 0) if weekly else 0)
    return start.replace(hour=at.hour, minute=at.minute)


def people_of(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return everybody who takes turns in any of the layers, each once."""
    return tuple(dict.fromkeys(name for layer in layers for name in layer.rotation.people))
