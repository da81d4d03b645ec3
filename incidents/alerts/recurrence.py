"""When a silence comes back: a recurrence rule (RFC 5545) to a bounded list of instants.

The rule speaks of wall clocks in a time zone: "Sundays from 02:00 to 04:00" stays so when the
clocks change, which makes one such night longer and one shorter. It is expanded once, when the
silence is made: whoever makes it sees every occurrence before the first one mutes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrulestr

from incidents.errors import InvalidInputError

LONGEST = timedelta(days=366)  # from the first start to the last end
MOST_OCCURRENCES = 400
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")
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

    A rule without UNTIL and COUNT ends after a year. A time that the clocks skip counts as the
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
    return rule


def _starts(rule: str, first: datetime) -> Iterator[datetime]:
    """Yield wall-clock starts up to the bounds, and one more where there are too many."""
    plain = re.sub(r"(UNTIL=\d{8}T\d{6})Z", r"\1", rule)
    plain = re.sub(r"(UNTIL=\d{8})(?!T)", r"\1T235959", plain)  # the day it names is included
    try:
        found = rrulestr(plain, dtstart=first)
    except ValueError as error:
        raise BadRecurrenceError(f"{rule} is no recurrence rule: {error}") from error
    for number, start in enumerate(found):
        if start - first > LONGEST or number > MOST_OCCURRENCES:
            return
        yield start


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of zones, too long
        raise BadRecurrenceError(
            f"{name[:80]!r} is no time zone (such as Africa/Johannesburg or UTC)"
        ) from error


def _instant(local: datetime, zone: ZoneInfo, fold: int = 0) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
