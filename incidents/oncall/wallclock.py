"""Wall-clock times of a zone as instants: one definition for every clock change.

A wall-clock time means *the first instant at which the clocks there show it, or a later time*.
So a time that comes twice (the clocks go back) is its first coming, and a time that never comes
(the clocks go forward) is the moment at which they skip it. Later wall-clock times never mean
earlier instants, so shifts that follow each other on the wall do so in truth.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


@lru_cache(maxsize=8192)  # a calendar asks for the same handovers again and again
def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a naive wall-clock time in `zone`."""
    aware = local.replace(tzinfo=zone, fold=0)
    instant = aware.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return instant
    before, after = aware.utcoffset(), aware.replace(fold=1).utcoffset()
    assert before is not None  # a zone always has an offset
    assert after is not None
    return _skipped_at(local.replace(tzinfo=UTC) - after, local.replace(tzinfo=UTC) - before, zone)


def local_of(at: datetime, zone: ZoneInfo) -> datetime:
    """Return the naive wall-clock time in `zone` at an instant."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _skipped_at(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant between the two, to the second, at which the offset changes."""
    offset = early.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + timedelta(seconds=(late - early) // SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)
