"""Who is on call, as people look at it and change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from incidents.errors import IncidentError, InvalidInputError
from incidents.oncall.schedule import (
    LONGEST_VIEW,
    Override,
    Schedule,
    Shift,
    check_override,
    gaps,
    shifts,
    who_is_on_call,
)
from incidents.texts import LONGEST_LINE, checked
from monitor.config.model import Configuration
from monitor.storage import oncall as rows
from monitor.storage.audit import record
from monitor.storage.idempotency import Once, refuse_repetition, remember
from monitor.storage.numbers import next_number
from monitor.storage.store import Store, Transaction

AHEAD = timedelta(days=14)  # how far gaps and handovers are looked for
AROUND = timedelta(days=2)  # what a preview shows before and after an override


@dataclass(frozen=True)
class OnCallNow:
    """One schedule at a moment: who has it, until when, who follows, and what nobody has."""

    schedule: Schedule
    team: str
    person: str | None
    override: int | None
    until: datetime | None  # None: nothing changes within `AHEAD`
    next_person: str | None
    gaps: tuple[Shift, ...]


@dataclass(frozen=True)
class Wanted:
    """A period somebody is to take."""

    schedule: str
    person: str
    starts_at: datetime
    ends_at: datetime
    reason: str = ""


class OverrideIsOver(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """What has ended cannot be ended."""

    def __init__(self, number: int) -> None:
        super().__init__(f"override {number} is over already; it cannot be ended once more")
        self.number = number


def on_call_now(
    connection: Connection, configuration: Configuration, now: datetime
) -> list[OnCallNow]:
    """Return every schedule as it stands, in the order of the file."""
    overrides = rows.overrides_between(connection, now, now + AHEAD)
    found = []
    for schedule in configuration.oncall.schedules.values():
        coming = shifts(schedule, now, now + AHEAD, overrides)
        following = next((s for s in coming if s.person != coming[0].person), None)
        found.append(
            OnCallNow(
                schedule=schedule,
                team=configuration.oncall.team_title(schedule.team),
                person=coming[0].person,
                override=coming[0].override,
                until=following.starts_at if following else None,
                next_person=following.person if following else None,
                gaps=tuple(shift for shift in coming if shift.person is None),
            )
        )
    return found


def coverage(
    connection: Connection, configuration: Configuration, now: datetime
) -> list[tuple[str, bool, float]]:
    """Return (schedule, somebody is on call, seconds without anybody in the next 14 days).

    Schedules that are meant to have gaps are left out.
    """
    overrides = rows.overrides_between(connection, now, now + AHEAD)
    found = []
    for schedule in configuration.oncall.schedules.values():
        if not schedule.gaps_allowed:
            held = who_is_on_call(schedule, now, overrides).person is not None
            missing = gaps(schedule, now, now + AHEAD, overrides)
            found.append((schedule.name, held, sum(gap.lasts.total_seconds() for gap in missing)))
    return found


def shifts_between(
    connection: Connection,
    configuration: Configuration,
    since: datetime,
    until: datetime,
    *,
    schedule: str | None = None,
) -> list[Shift]:
    """Return the shifts of one or of all schedules, the earliest first, gaps included.

    Raises:
        InvalidInputError: there is no such schedule, or the period ends before it starts or is
            longer than 400 days.
    """
    if until <= since:
        raise InvalidInputError("the period ends before it starts; look at from and to again")
    if until - since > LONGEST_VIEW:
        raise InvalidInputError(f"a period of at most {LONGEST_VIEW.days} days can be shown")
    names = [schedule] if schedule else list(configuration.oncall.schedules)
    overrides = rows.overrides_between(connection, since, until)
    found = [
        shift
        for name in names
        for shift in shifts(known_schedule(configuration, name), since, until, overrides)
    ]
    return sorted(found, key=lambda shift: (shift.starts_at, shift.schedule))


def known_schedule(configuration: Configuration, name: str) -> Schedule:
    """Return the schedule of that name.

    Raises:
        InvalidInputError: there is none.
    """
    found = configuration.oncall.schedules.get(name)
    if found is None:
        there = ", ".join(configuration.oncall.schedules) or "none yet"
        raise InvalidInputError(f"there is no schedule {name[:63]!r} (there are: {there})")
    return found


def missing_accounts(connection: Connection, configuration: Configuration) -> list[str]:
    """Return whoever is configured as a person and has no open account: they cannot sign in."""
    accounts = rows.people_mail(connection)
    return [name for name in configuration.oncall.names if name not in accounts]


def preview_override(
    connection: Connection, configuration: Configuration, wanted: Wanted, now: datetime
) -> tuple[list[Shift], list[Shift]]:
    """Return the shifts around a period as they are, and as they would be with the override.

    Raises:
        InvalidInputError: as `add_override`.
    """
    schedule = _checked(configuration, wanted, now)
    since, until = wanted.starts_at - AROUND, wanted.ends_at + AROUND
    overrides = rows.overrides_between(connection, since, until)
    made = _override(2**31, wanted, "", now)
    before = shifts(schedule, since, until, overrides)
    return before, shifts(schedule, since, until, (*overrides, made))


def add_override(
    store: Store,
    configuration: Configuration,
    wanted: Wanted,
    *,
    by: str,
    now: datetime,
    once: Once | None = None,
) -> Override:
    """Record that a person takes a period of a schedule, whoever's turn it would be.

    Raises:
        InvalidInputError: no such schedule, nobody of that name, or a period without sense.
        AlreadyDone: the same request was carried out before.
    """
    _checked(configuration, wanted, now)
    with store.begin() as tx:
        refuse_repetition(tx, once, "override")
        override = _override(next_number(tx, "override"), wanted, by, now)
        rows.insert_override(tx, override)
        remember(tx, once, override.number, now, "override")
        _record(tx, override, "added", by, now)
    return override


def end_override(
    store: Store, number: int, *, by: str, now: datetime, once: Once | None = None
) -> Override:
    """Take an override back, or end it now if it has begun; taking back twice changes nothing.

    Raises:
        UnknownObjectError: there is none of that number.
        OverrideIsOver: it has ended already.
        AlreadyDone: the same request was carried out before.
    """
    with store.begin() as tx:
        refuse_repetition(tx, once, "override")
        override = rows.load_override(tx.connection, number)
        if override.cancelled_at is not None:
            return override
        if override.ends_at <= now:
            raise OverrideIsOver(number)
        if override.starts_at < now:
            rows.shorten_override(tx, number, now)
        else:
            rows.cancel_override(tx, number, by, now)
        remember(tx, once, number, now, "override")
        _record(tx, override, "ended", by, now)
        return rows.load_override(tx.connection, number)


def _checked(configuration: Configuration, wanted: Wanted, now: datetime) -> Schedule:
    schedule = known_schedule(configuration, wanted.schedule)
    names: Sequence[str] = configuration.oncall.names
    check_override(schedule, wanted.person, wanted.starts_at, wanted.ends_at, now)
    if wanted.person not in names:
        raise InvalidInputError(f"there is no {wanted.person!r} under people: ({', '.join(names)})")
    return schedule


def _override(number: int, wanted: Wanted, by: str, now: datetime) -> Override:
    reason = wanted.reason.strip()
    return Override(
        number=number,
        schedule=wanted.schedule,
        person=wanted.person,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        reason=checked(reason, "the reason", LONGEST_LINE) if reason else "",
        created_by=by,
        created_at=now,
    )


def _record(tx: Transaction, override: Override, verb: str, by: str, now: datetime) -> None:
    detail = {
        "schedule": override.schedule,
        "person": override.person,
        "starts_at": override.starts_at.isoformat(),
        "ends_at": override.ends_at.isoformat(),
    }
    action, target = f"override.{verb}", f"override:{override.number}"
    record(tx, actor=by, action=action, target=target, at=now, detail=detail)
