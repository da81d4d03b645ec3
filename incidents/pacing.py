"""How often a recipient is disturbed: a channel's limit, and the grouping of a storm.

A first page is never limited: it goes at once, and what it uses up makes the rest wait longer.
Many first pages at once are one storm: the first goes at once, the others in one message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)


class Held(StrEnum):
    """Why a notification waits though its receiver could be told."""

    THROTTLED = "throttled"
    STORM = "storm"
    QUIET_HOURS = "quiet_hours"
    OUTAGE = "outage"
    NO_ANSWER = "no_answer"

    @property
    def words(self) -> str:
        """Return the reason as people read it."""
        return {
            Held.THROTTLED: "the channel's limit is reached",
            Held.STORM: "many come at once and are told in one message",
            Held.QUIET_HOURS: "quiet hours",
            Held.OUTAGE: "what could not be delivered for a while is told in one message",
            Held.NO_ANSWER: "its channel does not answer",
        }[self]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_minute` messages in the long run, of which `burst` may go at once."""

    per_minute: float
    burst: int

    def turn(self, free_at: datetime, now: datetime) -> tuple[datetime, datetime]:
        """Return when one more message may go, and the `free_at` to remember from then on.

        The generic cell rate algorithm (ITU-T I.371): `free_at` is when the channel has caught up
        with all that was let through or promised a turn.
        """
        spacing = MINUTE / self.per_minute
        caught_up = max(free_at, now)
        at = max(now, caught_up - spacing * (self.burst - 1))
        return at, caught_up + spacing


@dataclass(frozen=True, slots=True)
class Grouping:
    """More than `more_than` openings for one recipient in `within` are a storm.

    What is held of it goes out together after `wait`.
    """

    more_than: int
    within: timedelta
    wait: timedelta


@dataclass(frozen=True, slots=True)
class Crowd:
    """What else concerns the recipient of a notification that wants to go out now."""

    told: int = 0
    """Messages of its kind that went out within the window, each of a group counted."""
    before: int = 0
    """Those under way that were queued before it."""
    behind: int = 0
    """Those that wait or are under way behind it."""


def is_storm(grouping: Grouping, crowd: Crowd) -> bool:
    """Return whether there are too many to be told one by one."""
    return crowd.told + crowd.before + crowd.behind + 1 > grouping.more_than


def goes_first(crowd: Crowd) -> bool:
    """Return whether it is the first of a storm, which nothing holds up."""
    return crowd.told == 0 and crowd.before == 0


def is_pent_up(grouping: Grouping, incidents: int, messages: int) -> bool:
    """Return whether so many that waited for a receiver are a storm, behind one that arrived.

    `incidents` are those that the `messages` tell of.
    """
    return messages > 1 and 1 + incidents > grouping.more_than
