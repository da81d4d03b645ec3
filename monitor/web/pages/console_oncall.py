"""Who is on call, in the console: now, in the weeks to come, and what people swap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.errors import IncidentError, InvalidInputError
from incidents.oncall.policy import Target, TargetKind
from incidents.oncall.schedule import Shift
from incidents.oncall.wallclock import instant_of, local_of
from monitor.config.oncall import OnCallSettings
from monitor.storage.oncall import overrides_between
from monitor.use_cases.oncall import (
    Wanted,
    add_override,
    end_override,
    missing_accounts,
    on_call_now,
    preview_override,
    shifts_between,
)
from monitor.web.pages.status import names
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page, zone_of
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
Reader = Annotated[Actor, Depends(require(Permission.VIEW))]
Changer = Annotated[Actor, Depends(require(Permission.CHANGE_ON_CALL))]
LOCAL = "%Y-%m-%dT%H:%M"  # what a browser's field for a date and a time holds
WEEKS = 5  # what a calendar shows at once
DAY = timedelta(days=1)
DONE = {
    "added": "The override is in force.",
    "ended": "The override is taken back.",
}


@dataclass(frozen=True)
class Piece:
    """A part of one day with one person, as a calendar's cell shows it."""

    shift: Shift
    starts: str  # 09:00; empty where it goes on from the day before
    ends: str  # 18:00; empty where it goes on until the next day


@dataclass(frozen=True)
class CalendarDay:
    """One day of a calendar: its date, and the pieces of each schedule by name."""

    date: date
    pieces: Mapping[str, Sequence[Piece]]


@router.get("/console/on-call")
def now(request: Request, actor: Reader, services: Given, done: str = "") -> Response:
    """Show who is on call, who follows, what nobody has, and who has swapped."""
    at, configuration = services.clock.now(), services.configuration.current
    with services.store.read() as connection:
        schedules = on_call_now(connection, configuration, at)
        overrides = overrides_between(connection, at)
        missing = missing_accounts(connection, configuration)
    return page(
        request,
        "console/on_call.html",
        title="On call",
        schedules=schedules,
        overrides=overrides,
        missing=missing,
        policies=configuration.oncall.policies,
        called={name: plan.heading for name, plan in configuration.oncall.schedules.items()},
        words=partial(_target_words, configuration.oncall),
        component_names=names(configuration),
        is_person=actor.name in configuration.oncall.names,
        done=DONE.get(done, ""),
    )


def _target_words(oncall: OnCallSettings, target: Target) -> str:
    """Return whom a step tells, by the name that people know."""
    match target.kind:
        case TargetKind.SCHEDULE:
            plan = oncall.schedules.get(target.name)
            return plan.heading if plan else target.words
        case TargetKind.TEAM:
            return f"everybody of {oncall.team_title(target.name)}"
        case _:
            return target.words


@router.get("/console/on-call/calendar")
def calendar(request: Request, actor: Reader, services: Given, week: str = "") -> Response:
    """Show five weeks from a Monday on, one's own shifts marked."""
    configuration = services.configuration.current
    zone = zone_of(actor, configuration.site.time_zone)
    today = local_of(services.clock.now(), zone).date()
    monday = _monday(week, today)
    days = [monday + n * DAY for n in range(7 * WEEKS)]
    bounds = [instant_of(datetime.combine(day, time()), zone) for day in [*days, days[-1] + DAY]]
    with services.store.read() as connection:
        found = shifts_between(connection, configuration, bounds[0], bounds[-1])
    cells = [
        CalendarDay(day, _pieces(found, bounds[n], bounds[n + 1], zone))
        for n, day in enumerate(days)
    ]
    return page(
        request,
        "console/on_call_calendar.html",
        title="On-call calendar",
        weeks=[cells[n : n + 7] for n in range(0, len(cells), 7)],
        schedules=configuration.oncall.schedules,
        today=today,
        earlier=monday - 7 * (WEEKS - 1) * DAY,
        later=monday + 7 * (WEEKS - 1) * DAY,
    )


def _monday(text: str, today: date) -> date:
    """Return the Monday of the week that `text` dates, or of this one."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today
    if abs(day.year - today.year) > 5:
        day = today
    return day - day.weekday() * DAY


def _pieces(
    found: Sequence[Shift], start: datetime, end: datetime, zone: ZoneInfo
) -> dict[str, list[Piece]]:
    pieces: dict[str, list[Piece]] = {}
    for shift in found:
        if shift.starts_at < end and shift.ends_at > start:
            starts = f"{local_of(shift.starts_at, zone):%H:%M}" if shift.starts_at > start else ""
            ends = f"{local_of(shift.ends_at, zone):%H:%M}" if shift.ends_at < end else ""
            pieces.setdefault(shift.schedule, []).append(Piece(shift, starts, ends))
    return pieces


@router.get("/console/on-call/overrides/new")
def override_form(
    request: Request,
    actor: Changer,
    services: Given,
    schedule: str = "",
    starts: str = "",
    ends: str = "",
) -> Response:
    """Show the form: the coming hours, for whoever asks, unless told; times in their own zone."""
    configuration = services.configuration.current
    local = local_of(services.clock.now(), zone_of(actor, configuration.site.time_zone))
    own = actor.name if actor.name in configuration.oncall.names else ""
    values = {
        "schedule": schedule,
        "person": own,
        "starts": starts or f"{local:{LOCAL}}",
        "ends": ends or f"{local + 4 * timedelta(hours=1):{LOCAL}}",
    }
    return _form(request, services, values)


@router.post("/console/on-call/overrides")
def override(request: Request, actor: Changer, form: Submitted, services: Given) -> Response:
    """Show what the override would change, or put it in force."""
    configuration, at = services.configuration.current, services.clock.now()
    try:
        wanted = _wanted(form, zone_of(actor, configuration.site.time_zone))
        if form.get("action") != "save":
            with services.store.read() as connection:
                before, after = preview_override(connection, configuration, wanted, at)
            return _form(request, services, form, before=before, after=after)
        add_override(services.store, configuration, wanted, by=actor.name, now=at)
    except IncidentError as refused:
        return _form(request, services, form, fault=str(refused), status=refused.http_status)
    return RedirectResponse("/console/on-call?done=added", 303)


@router.post("/console/on-call/overrides/{number}/end")
def end(number: Number, actor: Changer, services: Given) -> Response:
    """Take an override back, or end it now if it has begun."""
    end_override(services.store, number, by=actor.name, now=services.clock.now())
    return RedirectResponse("/console/on-call?done=ended", 303)


def _wanted(form: Mapping[str, str], zone: ZoneInfo) -> Wanted:
    """Return what the form describes.

    Raises:
        InvalidInputError: a time is not one.
    """
    return Wanted(
        schedule=form.get("schedule", ""),
        person=form.get("person", ""),
        starts_at=_instant(form.get("starts", ""), zone),
        ends_at=_instant(form.get("ends", ""), zone),
        reason=form.get("reason", ""),
    )


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            raise InvalidInputError("give the time without an offset; the zone stands beside it")
        return instant_of(local, zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"{text[:40]!r} is no date and time (such as 2026-11-22T09:00)"
        ) from error


def _form(
    request: Request,
    services: Services,
    values: Mapping[str, str],
    *,
    before: Sequence[Shift] = (),
    after: Sequence[Shift] = (),
    fault: str = "",
    status: int = 200,
) -> Response:
    oncall = services.configuration.current.oncall
    return page(
        request,
        "console/on_call_override.html",
        status,
        title="Override a shift",
        values=values,
        schedules=[(name, plan.heading) for name, plan in oncall.schedules.items()],
        people=[("", "choose"), *((name, name) for name in oncall.names)],
        before=before,
        after=after,
        fault=fault,
        previewed=bool(after),
    )
