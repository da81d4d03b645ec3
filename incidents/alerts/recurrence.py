"""When a silence comes back: a recurrence rule (RFC 5545) to a bounded list of instants.

The rule speaks of wall clocks in a time zone: "Sundays from 02:00 to 04:00" stays so when the
clocks change, which makes one such night longer and one shorter. It is expanded once, when the
silence is made: whoever makes it sees every occurrence before the first one mutes anything.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incidents.errors import InvalidInputError

LONGEST = timedelta(days=366)  # from the first start to the last end
LATEST = date(9990, 1, 1)  # beyond it sums leave the calendar
MOST_OCCURRENCES = 400
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = r"(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)"
_MONTH_DAY = r"-?(?:3[01]|[12]\d|[1-9])"
_PART = re.compile(
    r"FREQ=(?:DAILY|WEEKLY|MONTHLY)"
    r"|(?:INTERVAL|COUNT)=[1-9]\d{0,2}"
    r"|UNTIL=\d{8}(?:T\d{6}Z?)?"
    rf"|BYDAY={_DAY}(?:,{_DAY})*"
    rf"|BYMONTHDAY={_MONTH_DAY}(?:,{_MONTH_DAY})*"
    r"|WKST=(?:MO|TU|WE|TH|FR|SA|SU)"
)

Period = tuple[datetime, datetime]  # UTC; the start is included, the end is not


class BadRecurrenceError(InvalidInputError):
    """A recurrence that cannot be; the message says what would be allowed."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How a silence comes back: a rule such as `FREQ=WEEKLY;BYDAY=SU`, and whose clocks count."""

    rule: str
    time_zone: str = "UTC"


def expand(recurrence: Recurrence, starts_at: datetime, ends_at: datetime) -> tuple[Period, ...]:
    """Return every occurrence, oldest first; the first one is from `starts_at` to `ends_at`.

    A rule ends after a year at the latest. A time that the clocks skip counts as the
    instant they skip to; one that comes twice means the first for a start, the second for an end.

    Raises:
        BadRecurrenceError: the rule or zone is none, occurrences overlap, there are too many, or
            the first period is not one of them.
    """
    zone = _zone(recurrence.time_zone)
    rule = checked_rule(recurrence.rule)
    first = starts_at.astimezone(zone).replace(tzinfo=None)
    length = ends_at.astimezone(zone).replace(tzinfo=None) - first
    if length <= timedelta(0):
        raise BadRecurrenceError("the end must be later than the start")
    if length > LONGEST or first.date() > LATEST:
        raise BadRecurrenceError("an occurrence lasts a year at most, and begins before 9990")
    starts = list(_starts(rule, first))
    if not starts or starts[0] != first:
        raise BadRecurrenceError(
            f"the rule {rule} does not hold at its own start, {first:%A %Y-%m-%d %H:%M}; "
            "start on a day it names"
        )
    if len(starts) > MOST_OCCURRENCES:
        raise BadRecurrenceError(
            f"the rule {rule} gives more than {MOST_OCCURRENCES} occurrences; end it sooner"
        )
    periods = tuple((_instant(at, zone), _instant(at + length, zone, fold=1)) for at in starts)
    for (_, end), (start, _) in pairwise(periods):
        if end > start:
            raise BadRecurrenceError(
                "the occurrences overlap; shorten them, or make one silence without a rule"
            )
    return periods


def checked_rule(text: str) -> str:
    """Return the rule as it is kept, without its optional `RRULE:`.

    Raises:
        BadRecurrenceError: it is none, or uses parts that a silence has no need of.
    """
    rule = text.strip().upper().removeprefix("RRULE:").rstrip(";")
    parts = rule.split(";")
    names = [part.partition("=")[0] for part in parts]
    fits = all(_PART.fullmatch(part) for part in parts) and len(set(names)) == len(names)
    if not fits or "FREQ" not in names:
        raise BadRecurrenceError(
            f"{text.strip()[:120]!r} is no rule we take: write FREQ={'|'.join(FREQUENCIES)} and, "
            "as needed, INTERVAL, BYDAY, BYMONTHDAY, COUNT, UNTIL or WKST, such as "
            "FREQ=WEEKLY;BYDAY=SA,SU;UNTIL=20270131"
        )
    if "FREQ=MONTHLY" not in parts and re.search(r"\d(?:MO|TU|WE|TH|FR|SA|SU)", rule):
        raise BadRecurrenceError(
            f"{rule} counts weekdays; only FREQ=MONTHLY may, such as FREQ=MONTHLY;BYDAY=1SU"
        )
    return rule


@dataclass(frozen=True, slots=True)
class _Days:
    """A rule taken apart: which days it names, counted from its first."""

    first: date
    frequency: str
    interval: int
    week_start: int
    weekdays: frozenset[tuple[int, int]]  # (which of the month, 0: each; weekday)
    month_days: frozenset[int]

    def names(self, day: date) -> bool:
        """Return whether the rule names a day, from the first on."""
        return self._is_in_turn(day) and self._is_weekday(day) and self._is_month_day(day)

    def _is_in_turn(self, day: date) -> bool:
        if self.frequency == "MONTHLY":
            months = (day.year - self.first.year) * 12 + day.month - self.first.month
            return months % self.interval == 0
        apart = (day - self.first).days
        if self.frequency == "WEEKLY":
            apart = (apart + (self.first.weekday() - self.week_start) % 7) // 7
        return apart % self.interval == 0

    def _is_weekday(self, day: date) -> bool:
        if not self.weekdays:
            return self.frequency != "WEEKLY" or bool(self.month_days) or self._as_first(day)
        last = monthrange(day.year, day.month)[1]
        places = (0, (day.day + 6) // 7, -((last - day.day) // 7 + 1))
        return any((place, day.weekday()) in self.weekdays for place in places)

    def _is_month_day(self, day: date) -> bool:
        if not self.month_days:
            return self.frequency != "MONTHLY" or bool(self.weekdays) or day.day == self.first.day
        last = monthrange(day.year, day.month)[1]
        return not self.month_days.isdisjoint((day.day, day.day - last - 1))

    def _as_first(self, day: date) -> bool:
        return day.weekday() == self.first.weekday()


def _starts(rule: str, first: datetime) -> Iterator[datetime]:
    """Yield wall-clock starts up to the bounds, and one more where there are too many.

    Every day of `LONGEST` is looked at once, so that a rule that names none is answered as soon
    as any other; a library that seeks the next day of such a rule seeks it until the year 9999.
    """
    parts = dict(part.split("=") for part in rule.split(";"))
    days = _days(parts, first.date())
    most = min(int(parts.get("COUNT", MOST_OCCURRENCES + 1)), MOST_OCCURRENCES + 1)
    until = min(_until(parts.get("UNTIL", "99991231")), first + LONGEST)
    found = 0
    for day in range((until.date() - first.date()).days + 1):
        start = first + timedelta(days=day)
        if found == most or start > until:
            return
        if days.names(start.date()):
            found += 1
            yield start


def _days(parts: Mapping[str, str], first: date) -> _Days:
    named = [text for text in parts.get("BYDAY", "").split(",") if text]
    return _Days(
        first=first,
        frequency=parts["FREQ"],
        interval=int(parts.get("INTERVAL", 1)),
        week_start=_WEEKDAYS.index(parts.get("WKST", "MO")),
        weekdays=frozenset((int(text[:-2] or 0), _WEEKDAYS.index(text[-2:])) for text in named),
        month_days=frozenset(int(d) for d in parts.get("BYMONTHDAY", "").split(",") if d),
    )


def _until(text: str) -> datetime:
    """Return the last wall-clock time that UNTIL allows; a day it names is included."""
    whole = text.removesuffix("Z") if "T" in text else f"{text}T235959"
    try:
        return datetime.strptime(whole, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a wall clock, as the rule speaks
    except ValueError as error:
        raise BadRecurrenceError(f"UNTIL={text} is no day, such as 20270131") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones, too long
        raise BadRecurrenceError(
            f"{name[:80]!r} is no time zone (such as Africa/Johannesburg or UTC)"
        ) from error


def _instant(local: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
