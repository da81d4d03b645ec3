"""Uptime figures and the day bars, from the record of a component's status changes.

A partial outage counts 30 %, a major one in full, degraded performance not at all: the weights
that Statuspage and Instatus publish. Maintenance and unknown time leave numerator and denominator
alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from math import floor
from zoneinfo import ZoneInfo

from incidents.notices.status import ComponentStatus as Status

WEIGHTS = {Status.PARTIAL_OUTAGE: 0.3, Status.MAJOR_OUTAGE: 1.0}
NOT_MEASURED = frozenset({Status.UNKNOWN, Status.UNDER_MAINTENANCE})
RULE = (
    "A partial outage counts 30 %, a major outage 100 %; "
    "maintenance and unmeasured time count neither way."
)


@dataclass(frozen=True)
class Interval:
    """A component held `status` from `since` (included) to `until` (excluded; None: still).

    `rebuilt`: nobody here saw it; others said so afterwards.
    """

    status: Status
    since: datetime
    until: datetime | None = None
    rebuilt: bool = False

    def ended_by(self, at: datetime) -> Interval:
        """Return the interval, ended at `at` if it is still going on."""
        if self.until is not None:
            return self
        return replace(self, until=max(at, self.since))


@dataclass(frozen=True)
class Uptime:
    """Seconds by status over a period, and the figures that follow from them."""

    seconds: dict[Status, float] = field(default_factory=dict)

    @property
    def total_seconds(self) -> float:
        """Return the length of the period in seconds."""
        return sum(self.seconds.values())

    @property
    def measured_seconds(self) -> float:
        """Return the seconds that count: neither unknown nor maintenance."""
        return sum(s for status, s in self.seconds.items() if status not in NOT_MEASURED)

    @property
    def ratio(self) -> float | None:
        """Return the share of measured time that was up, 0 to 1; None if nothing was measured."""
        measured = self.measured_seconds
        if measured <= 0:
            return None
        lost = sum(self.seconds.get(status, 0.0) * weight for status, weight in WEIGHTS.items())
        return max(0.0, 1 - lost / measured)

    @property
    def coverage(self) -> float:
        """Return the share of the period outside maintenance that was measured, 0 to 1."""
        owed = self.total_seconds - self.seconds.get(Status.UNDER_MAINTENANCE, 0.0)
        return self.measured_seconds / owed if owed > 0 else 0.0

    @cached_property
    def worst(self) -> Status:
        """Return what the period is coloured by: the worst known, or unknown where nothing is.

        A gap in the data never hides what was seen, nor turns an empty day green.
        """
        seen = {status for status, seconds in self.seconds.items() if seconds > 0}
        known = seen - {Status.UNKNOWN}
        return max(known, key=lambda status: status.severity, default=Status.UNKNOWN)


@dataclass(frozen=True)
class DayBar:
    """One calendar day in the page's time zone."""

    day: date
    uptime: Uptime
    rebuilt: bool = False  # some of its trouble was found out afterwards

    @cached_property
    def text(self) -> str:
        """Return the whole bar in words, so that nobody has to read its colour."""
        troubles = [
            f"{status.word.lower()} {duration_words(self.uptime.seconds[status])}"
            for status in (
                Status.MAJOR_OUTAGE,
                Status.PARTIAL_OUTAGE,
                Status.DEGRADED_PERFORMANCE,
                Status.UNDER_MAINTENANCE,
            )
            if self.uptime.seconds.get(status, 0) > 0
        ]
        if self.uptime.worst is Status.UNKNOWN:
            return "not measured"
        said = ", ".join(troubles) or "no trouble recorded"
        coverage = self.uptime.coverage
        gap = self.uptime.seconds.get(Status.UNKNOWN, 0) > 0
        said += f" (measured {coverage_words(coverage)} of the day)" if gap else ""
        return f"{said}; reconstructed afterwards" if self.rebuilt else said


def merged(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """Return the period as neighbours without overlap; the worst wins, gaps are unknown."""
    clipped = [
        (max(i.since, start), min(i.until or end, end), i.status)
        for i in intervals
        if i.since < end and (i.until is None or i.until > start)
    ]
    edges = sorted({start, end, *(a for a, _, _ in clipped), *(b for _, b, _ in clipped)})
    clipped.sort(key=lambda entry: entry[0])
    return list(_sweep(clipped, edges))


def _sweep(
    clipped: Sequence[tuple[datetime, datetime, Status]], edges: Sequence[datetime]
) -> Iterable[Interval]:
    """Yield one interval for each pair of neighbouring edges; `clipped` is sorted by start."""
    active: list[tuple[datetime, Status]] = []
    at = 0
    for left, right in pairwise(edges):
        while at < len(clipped) and clipped[at][0] <= left:
            active.append((clipped[at][1], clipped[at][2]))
            at += 1
        active = [(until, status) for until, status in active if until > left]
        worst = max((s for _, s in active), key=lambda s: s.severity, default=Status.UNKNOWN)
        yield Interval(worst, left, right)


def uptime(intervals: Iterable[Interval], start: datetime, end: datetime) -> Uptime:
    """Return the seconds spent in each status from `start` (included) to `end` (excluded)."""
    seconds: dict[Status, float] = {}
    for piece in merged(intervals, start, end):
        spent = ((piece.until or end) - piece.since).total_seconds()
        seconds[piece.status] = seconds.get(piece.status, 0.0) + spent
    return Uptime(seconds)


def day_bars(
    intervals: Sequence[Interval], *, now: datetime, zone: ZoneInfo, days: int = 90
) -> tuple[DayBar, ...]:
    """Return one bar for each of the last `days` days in `zone`, oldest first, today up to `now`.

    A day has the length its zone gives it: 23 or 25 hours where the clocks change.
    """
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    edges = [_midnight(first + timedelta(days=n), zone) for n in range(days)]
    ends = [*edges[1:], max(now, edges[-1])]
    pieces = merged(intervals, edges[0], ends[-1]) if ends[-1] > edges[0] else []
    rebuilt = [i for i in intervals if i.rebuilt and i.until is not None]
    bars, at = [], 0
    for number, (start, end) in enumerate(zip(edges, ends, strict=True)):
        seconds: dict[Status, float] = {}
        while at < len(pieces) and pieces[at].since < end:
            piece = pieces[at]
            until = piece.until or end
            spent = (min(until, end) - max(piece.since, start)).total_seconds()
            seconds[piece.status] = seconds.get(piece.status, 0.0) + spent
            if until > end:
                break
            at += 1
        later = any(i.since < end and (i.until or end) > start for i in rebuilt)
        bars.append(DayBar(first + timedelta(days=number), Uptime(seconds), rebuilt=later))
    return tuple(bars)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def total(bars: Iterable[DayBar]) -> Uptime:
    """Return the bars' days added up."""
    seconds: dict[Status, float] = {}
    for bar in bars:
        for status, spent in bar.uptime.seconds.items():
            seconds[status] = seconds.get(status, 0.0) + spent
    return Uptime(seconds)


def percent_words(ratio: float | None, *, digits: int = 2) -> str:
    """Return a ratio as a percentage, rounded down: 100 % is said only when nothing was lost."""
    if ratio is None:
        return "not measured"
    scale = 10**digits
    shown = floor(round(ratio * 100 * scale, 6)) / scale
    if ratio < 1 and shown >= 100:
        shown = 100 - 1 / scale
    return f"{shown:.{digits}f} %"


def coverage_words(ratio: float) -> str:
    """Return how much of a period was measured; what is little is not called nothing."""
    return "less than 1 %" if 0 < ratio < 0.01 else percent_words(ratio, digits=0)


def duration_words(seconds: float) -> str:
    """Return a duration in the two largest units that say something, such as `1 h 5 min`."""
    whole = max(1, round(seconds))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])
