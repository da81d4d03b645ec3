"""A person's shifts as an iCalendar feed (RFC 5545), for the calendar they look at anyway.

Times are UTC instants, so that a handover is right whatever the reader's calendar knows of zones.
A shift keeps its UID for as long as it begins at the same moment, so that a swap moves an event
rather than doubling it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from incidents.oncall.schedule import Override, Schedule, Shift, shifts

BEFORE = timedelta(days=31)  # how far back a feed reaches
AHEAD = timedelta(days=183)
PRODUCT = "-//SayPro Monitor//On call//EN"


@dataclass(frozen=True)
class Feed:
    """Whose calendar it is and where its events lead."""

    person: str
    site: str
    url: str = ""  # of the page that shows who is on call


def shifts_of(
    person: str,
    schedules: Iterable[Schedule],
    overrides: Iterable[Override],
    since: datetime,
    until: datetime,
) -> list[Shift]:
    """Return a person's shifts in all schedules, the earliest first."""
    swaps = tuple(overrides)
    mine = [
        shift
        for schedule in schedules
        for shift in shifts(schedule, since, until, swaps)
        if shift.person == person
    ]
    return sorted(mine, key=lambda shift: (shift.starts_at, shift.schedule))


def feed_period(now: datetime) -> tuple[datetime, datetime]:
    """Return the period a feed covers; it moves once a month, so that a feed seldom changes."""
    first = (now.astimezone(UTC) - BEFORE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, first + BEFORE + AHEAD


def render_calendar(
    feed: Feed,
    schedules: Mapping[str, Schedule],
    overrides: Iterable[Override],
    now: datetime,
) -> bytes:
    """Return the feed; the same facts give the same bytes within a month."""
    since, until = feed_period(now)
    swaps = {override.number: override for override in overrides}
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"On call: {feed.person} ({feed.site})")
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for shift in shifts_of(feed.person, schedules.values(), swaps.values(), since, until):
        made = swaps.get(shift.override or 0)
        calendar.add_component(_event(shift, schedules[shift.schedule], made, feed, since))
    return bytes(calendar.to_ical())


def _event(
    shift: Shift, schedule: Schedule, made: Override | None, feed: Feed, since: datetime
) -> Event:
    event = Event()
    event.add("uid", uid_of(shift))
    event.add("dtstamp", (made.created_at if made else None) or since)
    event.add("dtstart", shift.starts_at.astimezone(UTC))
    event.add("dtend", shift.ends_at.astimezone(UTC))
    event.add("summary", f"On call: {schedule.heading}")
    event.add("description", _words(made))
    event.add("categories", ["ON CALL"])
    event.add("transp", "TRANSPARENT")  # being on call does not fill the day
    if feed.url:
        event.add("url", feed.url)
    return event


def uid_of(shift: Shift) -> str:
    """Return the stable name of a shift: its schedule, person and beginning."""
    start = shift.starts_at.astimezone(UTC)
    name = f"{shift.schedule}\n{shift.person}\n{start:%Y%m%dT%H%M%SZ}"
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@on-call"


def _words(made: Override | None) -> str:
    if made is None:
        return "By the rotation."
    why = f": {made.reason}" if made.reason else ""
    return f"Override {made.number}, made by {made.created_by or 'somebody'}{why}."
