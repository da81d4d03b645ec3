"""A component's days as a picture and as words; the words stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from incidents.notices.status import ComponentStatus
from incidents.notices.uptime import DayBar, coverage_words, percent_words, total

PITCH = 10  # units of the drawing from one bar to the next
NARROW = 30  # days shown on a phone
TONES = {
    ComponentStatus.OPERATIONAL: "good",
    ComponentStatus.DEGRADED_PERFORMANCE: "minor",
    ComponentStatus.PARTIAL_OUTAGE: "major",
    ComponentStatus.MAJOR_OUTAGE: "critical",
    ComponentStatus.UNDER_MAINTENANCE: "planned",
    ComponentStatus.UNKNOWN: "unknown",
}


@dataclass(frozen=True)
class Stroke:
    """One day as it is drawn: its place, its tone, and its text for whoever points at it."""

    x: int
    tone: str
    text: str


@dataclass(frozen=True)
class Stretch:
    """Neighbouring days of which the same is to be said."""

    first: date
    last: date
    tone: str
    text: str

    @property
    def days(self) -> str:
        """Return the days in words: `22 Nov`, or `25 Aug – 21 Nov`."""
        if self.first == self.last:
            return f"{self.first:%-d %b}"
        return f"{self.first:%-d %b} – {self.last:%-d %b}"


@dataclass(frozen=True)
class BarsView:
    """A component's record over the days, ready to be shown."""

    wide: tuple[Stroke, ...]
    narrow: tuple[Stroke, ...]
    stretches: tuple[Stretch, ...]
    uptime: str
    coverage: str
    summary: str

    @property
    def width(self) -> int:
        """Return the width of the wide drawing in its own units."""
        return len(self.wide) * PITCH

    @property
    def narrow_width(self) -> int:
        """Return the width of the narrow drawing in its own units."""
        return len(self.narrow) * PITCH


def bars_view(bars: Sequence[DayBar]) -> BarsView:
    """Return the days as strokes, as stretches newest first, and as one sentence."""
    whole = total(bars)
    measured = coverage_words(whole.coverage)
    troubled = sum(bar.uptime.worst.is_trouble for bar in bars)
    days = "no day" if not troubled else "1 day" if troubled == 1 else f"{troubled} days"
    return BarsView(
        wide=_strokes(bars),
        narrow=_strokes(bars[-NARROW:]),
        stretches=_stretches(bars),
        uptime=percent_words(whole.ratio),
        coverage="" if measured == "100 %" else f"measured {measured} of the time",
        summary=f"Last {len(bars)} days: {days} with trouble, "
        f"uptime {percent_words(whole.ratio)}, measured {measured} of the time",
    )


def _strokes(bars: Sequence[DayBar]) -> tuple[Stroke, ...]:
    return tuple(
        Stroke(place * PITCH, TONES[bar.uptime.worst], f"{bar.day:%-d %b %Y}: {bar.text}")
        for place, bar in enumerate(bars)
    )


def _stretches(bars: Sequence[DayBar]) -> tuple[Stretch, ...]:
    found = []
    for (tone, text), days in groupby(bars, key=lambda bar: (TONES[bar.uptime.worst], bar.text)):
        same = list(days)
        found.append(Stretch(same[0].day, same[-1].day, tone, text))
    return tuple(reversed(found))
