"""Who is on call, as JSON: now, in a period, and what people change about it.

A POST that carries the header `Idempotency-Key` is carried out once, however often it is sent
within a day; a repetition is answered with the override as it stands now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from incidents.oncall.schedule import Override, Shift
from incidents.texts import LONGEST_LINE
from monitor.storage.idempotency import AlreadyDone, Once
from monitor.storage.oncall import load_override, newest_overrides, overrides_between
from monitor.use_cases.oncall import (
    OnCallNow,
    Wanted,
    add_override,
    end_override,
    missing_accounts,
    on_call_now,
    shifts_between,
)
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.security import require
from monitor.web.services import Given

router = APIRouter(prefix="/api/v1/oncall", tags=["on call"])
Viewer = Depends(require(Permission.VIEW))
Changer = Annotated[Actor, Depends(require(Permission.CHANGE_ON_CALL))]
USUAL_PERIOD = timedelta(days=14)
MOST_LISTED = 500


class ShiftView(BaseModel):
    """A period with one person, or with nobody; the start is included, the end is not."""

    model_config = ConfigDict(from_attributes=True)

    schedule: str
    person: str | None = Field(description="None: nobody is on call.")
    starts_at: datetime
    ends_at: datetime
    override: int | None = Field(description="The number of the override it comes from.")


class ScheduleNow(BaseModel):
    """One schedule as it stands."""

    schedule: str
    title: str
    team: str
    time_zone: str
    person: str | None
    override: int | None
    until: datetime | None
    next_person: str | None
    gaps: list[ShiftView] = Field(description="Within the next 14 days.")


class OnCall(BaseModel):
    """Every schedule, and people who have no account."""

    at: datetime
    schedules: list[ScheduleNow]
    without_account: list[str]


class Shifts(BaseModel):
    """Shifts in a period, the earliest first."""

    shifts: list[ShiftView]


class OverrideView(BaseModel):
    """Somebody who takes a period, whoever's turn it would be."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    schedule: str
    person: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str
    created_at: datetime | None
    cancelled_at: datetime | None
    cancelled_by: str


class Overrides(BaseModel):
    """Overrides, the one made last first, or those to come, the earliest first."""

    overrides: list[OverrideView]


class NewOverride(BaseModel):
    """A period somebody is to take; the start is included, the end is not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: str = Field(max_length=63)
    person: str = Field(max_length=60)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: str = Field("", max_length=LONGEST_LINE)


@router.get("/now", dependencies=[Viewer])
def now(services: Given) -> OnCall:
    """Give who is on call now, who follows, and the gaps ahead."""
    at, configuration = services.clock.now(), services.configuration.current
    with services.store.read() as connection:
        found = on_call_now(connection, configuration, at)
        missing = missing_accounts(connection, configuration)
    return OnCall(at=at, schedules=[_schedule(each) for each in found], without_account=missing)


@router.get("/shifts", dependencies=[Viewer])
def shifts(
    services: Given,
    *,
    from_: Annotated[
        AwareDatetime | None, Query(alias="from", description="Now without it.")
    ] = None,
    to: Annotated[AwareDatetime | None, Query(description="14 days later without it.")] = None,
    schedule: str | None = None,
    person: str | None = None,
) -> Shifts:
    """Give the shifts of a period, cut to it, gaps included."""
    since = _utc(from_ or services.clock.now())
    until = _utc(to) if to else since + USUAL_PERIOD
    configuration = services.configuration.current
    with services.store.read() as connection:
        found = shifts_between(connection, configuration, since, until, schedule=schedule)
    return Shifts(shifts=[_shift(s) for s in found if person is None or s.person == person])


@router.get("/overrides", dependencies=[Viewer])
def overrides(
    services: Given,
    *,
    schedule: str | None = None,
    past: Annotated[bool, Query(description="Also those that are over or taken back.")] = False,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> Overrides:
    """Give the overrides in force and to come, or with `past` all, the newest first."""
    with services.store.read() as connection:
        if past:
            found = newest_overrides(connection, limit, schedule=schedule)
        else:
            coming = overrides_between(connection, services.clock.now())
            found = tuple(o for o in coming if schedule in (None, o.schedule))[:limit]
    return Overrides(overrides=[_override(override) for override in found])


class Asked:
    """A request to change who is on call, and whether it was carried out before."""

    def __init__(
        self,
        request: Request,
        services: Given,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> None:
        self._path, self._key = request.url.path, idempotency_key
        self._services = services

    def once(self, actor: Actor, body: NewOverride | None = None) -> Once | None:
        """Return what makes this request one that is carried out once."""
        key = f"{actor.name}\n{self._key}" if self._key else None
        return Once.of(key, self._path, body.model_dump_json() if body else "")

    def answer(self, work: Callable[[], Override]) -> OverrideView:
        """Carry the work out, unless it was before, and show the override."""
        try:
            return _override(work())
        except AlreadyDone as done:
            with self._services.store.read() as connection:
                return _override(load_override(connection, done.number))


Asks = Annotated[Asked, Depends()]


@router.post("/overrides", status_code=201)
def add(
    body: NewOverride, by: Changer, services: Given, ask: Asks, answer: Response
) -> OverrideView:
    """Have a person take a period of a schedule."""
    wanted = Wanted(
        body.schedule, body.person, _utc(body.starts_at), _utc(body.ends_at), body.reason
    )
    view = ask.answer(
        lambda: add_override(
            services.store,
            services.configuration.current,
            wanted,
            by=by.name,
            now=services.clock.now(),
            once=ask.once(by, body),
        )
    )
    answer.headers["location"] = f"/api/v1/oncall/overrides/{view.number}"
    return view


@router.get("/overrides/{number}", dependencies=[Viewer])
def override(number: Number, services: Given) -> OverrideView:
    """Give one override."""
    with services.store.read() as connection:
        return _override(load_override(connection, number))


@router.post("/overrides/{number}/end")
def end(number: Number, by: Changer, services: Given, ask: Asks) -> OverrideView:
    """Take an override back, or end it now if it has begun."""
    return ask.answer(
        lambda: end_override(
            services.store, number, by=by.name, now=services.clock.now(), once=ask.once(by)
        )
    )


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _schedule(found: OnCallNow) -> ScheduleNow:
    return ScheduleNow(
        schedule=found.schedule.name,
        title=found.schedule.heading,
        team=found.team,
        time_zone=found.schedule.time_zone,
        person=found.person,
        override=found.override,
        until=found.until,
        next_person=found.next_person,
        gaps=[_shift(gap) for gap in found.gaps],
    )


def _shift(shift: Shift) -> ShiftView:
    return ShiftView.model_validate(shift)


def _override(override: Override) -> OverrideView:
    return OverrideView.model_validate(override)
