"""Signs of life: when each part of the monitor last did its work, and which part is overdue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """A part that must go on for anybody to be told anything."""

    DATABASE = "database"
    SCHEDULER = "scheduler"
    OUTBOX = "outbox"
    RULES = "rules"

    @property
    def words(self) -> str:
        """Return what does not happen while it stands still."""
        return {
            Part.DATABASE: "the database does not answer",
            Part.SCHEDULER: "recurring work is not done",
            Part.OUTBOX: "nobody looks at the outbox: notifications are not sent",
            Part.RULES: "no alert named Watchdog arrives: rules are not evaluated, or not heard",
        }[self]


@dataclass(frozen=True, slots=True)
class Sign:
    """When a part last showed that it lives, in seconds of the monotonic clock."""

    part: Part
    seen: float
    limit_seconds: float
    what: str = ""


@dataclass(frozen=True, slots=True)
class Stall:
    """A part that has been silent for too long."""

    part: Part
    silent_seconds: float
    what: str = ""

    @property
    def words(self) -> str:
        """Return what is wrong, for somebody who is woken by it."""
        about = f" ({self.what})" if self.what else ""
        return f"{self.part.words}{about}, for {self.silent_seconds:.0f} s"


def stalls(signs: Iterable[Sign], now: float) -> tuple[Stall, ...]:
    """Return what is overdue, the longest silence of each part; the limit itself is not over."""
    worst: dict[Part, Stall] = {}
    for sign in signs:
        silent = now - sign.seen
        if silent <= sign.limit_seconds:
            continue
        known = worst.get(sign.part)
        if known is None or silent > known.silent_seconds:
            worst[sign.part] = Stall(sign.part, silent, sign.what)
    return tuple(worst[part] for part in Part if part in worst)


def duty_signs(
    done: Mapping[str, float], intervals: Mapping[str, float], slack_seconds: float = 60.0
) -> list[Sign]:
    """Return a sign for every recurring duty: it may be three intervals late, and a minute."""
    return [
        Sign(Part.SCHEDULER, done[name], 3 * seconds + slack_seconds, name)
        for name, seconds in intervals.items()
        if name in done
    ]
