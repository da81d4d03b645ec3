"""Schedules and policies for tests; a test overrides only what it is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from incidents.oncall.policy import Policy, Step, Target, TargetKind
from incidents.oncall.rotation import Hours, Layer, Rotation
from incidents.oncall.schedule import Override, Schedule

PARIS = ZoneInfo("Europe/Paris")
FIRST = datetime(2026, 3, 2, 9)  # noqa: DTZ001 - a Monday on the wall clock
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def layer(
    *people: str,
    length: timedelta = WEEK,
    first: datetime = FIRST,
    zone: ZoneInfo = PARIS,
    hours: tuple[Hours, ...] = (),
    until: datetime | None = None,
) -> Layer:
    """A layer of people who take turns from Monday 2 March 2026, 09:00 in Paris."""
    return Layer(Rotation(people or ("ann", "ben"), length, first, zone), hours, until)


def schedule(*layers: Layer) -> Schedule:
    """A schedule of these layers, or of one weekly rotation."""
    return Schedule("shop", "engineers", layers or (layer(),), time_zone="Europe/Paris")


def at(text: str, zone: ZoneInfo = PARIS, *, fold: int = 0) -> datetime:
    """An instant, given as a wall-clock time such as `2026-03-29 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def override(
    person: str, starts: datetime, ends: datetime, *, number: int = 1, schedule: str = "shop"
) -> Override:
    """A person who takes a period."""
    return Override(number, schedule, person, starts, ends)


def person(name: str) -> Target:
    """A person as a step names them."""
    return Target(TargetKind.PERSON, name)


def policy(*waits_minutes: float, rounds: int = 1, timeout_minutes: float | None = 30) -> Policy:
    """A policy whose steps tell `p0`, `p1` … and wait so long; its last resort is `everybody`."""
    steps = tuple(
        Step((person(f"p{number}"),), timedelta(minutes=wait))
        for number, wait in enumerate(waits_minutes or (5, 10))
    )
    timeout = None if timeout_minutes is None else timedelta(minutes=timeout_minutes)
    last = (Target(TargetKind.CHANNEL, "everybody"),)
    return Policy("shop", steps, last, rounds, timeout)
