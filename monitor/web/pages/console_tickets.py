"""How the work on an incident is shared: roles, tasks and what is overruled, by form."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path
from fastapi.responses import RedirectResponse

from incidents.errors import InvalidInputError
from incidents.lifecycle import Impact, Severity
from monitor.use_cases.ticket_work import Responsibility, TicketDesk
from monitor.web.params import LARGEST, Number
from monitor.web.permissions import Actor, Permission
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
Worker = Annotated[Actor, Depends(require(Permission.WORK_INCIDENTS))]
Word = TypeVar("Word", Severity, Impact)
TaskNumber = Annotated[int, Path(ge=1, le=LARGEST)]


@router.post("/console/incidents/{number}/roles")
def assign(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Give both roles to whom the form names; nobody where a field is empty."""
    desk, now = _desk(services), services.clock.now()
    for role in Responsibility:
        if role.value in form:
            desk.assign(number, role, form[role.value], by=actor.name, now=now)
    return _back(number, "assigned", "work")


@router.post("/console/incidents/{number}/tasks")
def add_task(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Add a task."""
    _desk(services).add_task(
        number,
        form.get("text", ""),
        owner=form.get("owner", ""),
        due_at=_moment(services, form.get("due", "")),
        by=actor.name,
        now=services.clock.now(),
    )
    return _back(number, "task", "tasks")


@router.post("/console/incidents/{number}/tasks/{task}")
def finish_task(
    number: Number, task: TaskNumber, form: Submitted, actor: Worker, services: Given
) -> RedirectResponse:
    """Say that a task is done, or that it is not."""
    done, now = form.get("done") == "yes", services.clock.now()
    _desk(services).finish_task(number, task, done=done, by=actor.name, now=now)
    return _back(number, "task_done" if done else "task_open", "tasks")


@router.post("/console/incidents/{number}/tasks/{task}/change")
def change_task(
    number: Number, task: TaskNumber, form: Submitted, actor: Worker, services: Given
) -> RedirectResponse:
    """Say anew what a task is, whose and by when."""
    _desk(services).change_task(
        number,
        task,
        text=form.get("text", ""),
        owner=form.get("owner", ""),
        due_at=_moment(services, form.get("due", "")),
        by=actor.name,
        now=services.clock.now(),
    )
    return _back(number, "task_changed", "tasks")


@router.post("/console/incidents/{number}/overrule")
def overrule(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Set severity or impact whatever alerts say, or give one back to automation."""
    desk, now, why = _desk(services), services.clock.now(), form.get("why", "")
    severity, impact = form.get("severity", ""), form.get("impact", "")
    if not severity and not impact:
        raise InvalidInputError("choose a severity or an impact to overrule")
    if severity:
        word = _word(severity, Severity)
        desk.overrule_severity(number, word, why=why, by=actor.name, now=now)
    if impact:
        felt = _word(impact, Impact)
        desk.overrule_impact(number, felt, why=why, by=actor.name, now=now)
    return _back(number, "overruled", "work")


def _word(text: str, kind: type[Word]) -> Word | None:
    if text == "automatic":
        return None
    if text not in set(kind):
        raise InvalidInputError(f"no {text[:20]!r}: expected one of {', '.join(kind)}")
    return kind(text)


def _moment(services: Services, text: str) -> datetime | None:
    """Return the moment that a field names, on the site's clock; None where it is empty.

    Raises:
        InvalidInputError: it names none.
    """
    if not text.strip():
        return None
    zone = ZoneInfo(services.configuration.current.site.time_zone)
    try:
        found = datetime.strptime(text.strip(), "%Y-%m-%dT%H:%M").replace(tzinfo=zone)
    except ValueError as error:
        raise InvalidInputError("a time is written like 2026-11-22T18:00") from error
    if not 1970 <= found.year < 9000:
        raise InvalidInputError("a task is due some time from 1970 to 9000")
    return found


def _desk(services: Services) -> TicketDesk:
    return TicketDesk(services.store, services.configuration.current, services.policy)


def _back(number: int, done: str, part: str) -> RedirectResponse:
    return RedirectResponse(f"/console/incidents/{number}?done={done}#{part}", 303)
