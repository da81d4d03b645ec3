"""What a rule evaluator kept of the past: points at which an alert fired become episodes.

`query_range` over `ALERTS` gives a point a step while an alert fires. Points no further apart than
a bridge belong to one episode: an evaluator that was restarted, or a rule that flapped, makes a
hole that is no end. An episode that still goes on at the last step is not over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidents.correlation import Subject, opens_incident
from incidents.lifecycle import Severity


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of time in which an alert fired; the end is the last moment it was seen to."""

    labels: Mapping[str, str]
    fingerprint: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Episodes that one incident would have held, had we been there."""

    key: str
    episodes: tuple[Episode, ...]

    @property
    def starts_at(self) -> datetime:
        """Return when the first of them began."""
        return min(episode.starts_at for episode in self.episodes)

    @property
    def ends_at(self) -> datetime:
        """Return when the last of them ended."""
        return max(episode.ends_at for episode in self.episodes)

    @property
    def first(self) -> Episode:
        """Return the worst of those that came first: the one it is named after."""
        return min(self.episodes, key=lambda e: (Severity.of(e.labels).rank, e.starts_at))


def spans(points: Iterable[datetime], bridge: timedelta) -> list[tuple[datetime, datetime]]:
    """Return the stretches that points make; holes up to `bridge` (included) are none."""
    found: list[tuple[datetime, datetime]] = []
    for at in sorted(points):
        if found and at - found[-1][1] <= bridge:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def disturbances(episodes: Sequence[Episode], bridge: timedelta) -> list[Disturbance]:
    """Return the incidents that episodes would have been, oldest first.

    Episodes of one component (or, without one, of one identity) belong together while the next
    begins no later than `bridge` after the last one's end, as a resolved incident is reopened.
    Alerts that open nothing are left out.
    """
    by_key: dict[str, list[Disturbance]] = {}
    for episode in sorted(episodes, key=lambda one: one.starts_at):
        if not opens_incident(Severity.of(episode.labels)):
            continue
        subject = Subject.of(episode.labels)
        mine = by_key.setdefault(subject.component or subject.key, [])
        if mine and episode.starts_at - mine[-1].ends_at <= bridge:
            mine[-1] = Disturbance(mine[-1].key, (*mine[-1].episodes, episode))
        else:
            mine.append(Disturbance(subject.key, (episode,)))
    found = [one for several in by_key.values() for one in several]
    return sorted(found, key=lambda one: one.starts_at)
