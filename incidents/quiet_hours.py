"""Hours of the day in which only what must wake somebody gets through.

Hours are on the wall of a time zone; what is asked and answered are instants. Where a clock change
skips an hour that begins or ends them, the change itself counts; where it repeats one, the first
time counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = frozenset(range(7))
LONGEST = timedelta(days=1)
Until = Callable[[datetime], datetime | None]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start`, included, until `end`, excluded, which may be on the next day.

    `days` are those on which they begin, Monday is 0. A severity of `wakes` gets through.
    """

    start: time
    end: time
    zone: str = "UTC"
    days: frozenset[int] = EVERY_DAY
    wakes: frozenset[str] = frozenset({"critical"})

    def until(self, now: datetime, severity: str) -> datetime | None:
        """Return when what may not wake anybody can be told, or None: now."""
        if severity in self.wakes:
            return None
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            begins, ends = self._on(day, zone)
            if day.weekday() in self.days and begins <= now < ends:
                return ends
        return None

    def _on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the instants between which the hours that begin on `day` lie."""
        last = day if self.end > self.start else day + timedelta(days=1)
        return _instant(day, self.start, zone), _instant(last, self.end, zone)


def quiet_until(each: Iterable[Until], now: datetime) -> datetime | None:
    """Return when none of these says wait any more, or None: now.

    Where one begins before another ends it is waited for both, a day at most.
    """
    rules, at = list(each), now
    while at < now + LONGEST:
        waits = [until for rule in rules if (until := rule(at)) is not None]
        if not waits:
            break
        at = max(waits)
    return at if at > now else None


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a time on the wall."""
    local = datetime.combine(day, at, zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).time() == at:
        return instant
    after = local.replace(fold=1).astimezone(UTC)  # it was skipped: find the change itself
    low, high = min(instant, after), max(instant, after)
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
