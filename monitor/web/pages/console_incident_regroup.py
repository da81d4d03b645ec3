"""What belongs together, said by a person: split, move, merge and link from one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from incidents.errors import InvalidInputError
from monitor.storage.console import report_lines
from monitor.storage.incidents import load_incident, open_incidents
from monitor.storage.regrouping import links_of
from monitor.storage.ticket import alert_page
from monitor.use_cases.regrouping import RegroupingDesk
from monitor.web.params import LARGEST, Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
WORK = Depends(require(Permission.WORK_INCIDENTS))
Worker = Annotated[Actor, WORK]
MOST_SHOWN = 200  # alerts or reports to choose from; the API takes any


@router.get("/console/incidents/{number}/regroup", dependencies=[WORK])
def regroup_page(request: Request, number: Number, services: Given) -> HTMLResponse:
    """Show what belongs to an incident, to be sent elsewhere."""
    with services.store.read() as connection:
        incident = load_incident(connection, number)
        alerts = alert_page(connection, incident.id, limit=MOST_SHOWN)
        reports = report_lines(connection, limit=MOST_SHOWN, incident_id=incident.id)
        others = [one for one in open_incidents(connection) if one.number != number][-MOST_SHOWN:]
        links = links_of(connection, incident.id)
    return page(
        request,
        "console/ticket/regroup.html",
        title=f"Regroup {incident.name}",
        incident=incident,
        alerts=alerts,
        reports=reports,
        others=[(str(one.number), f"{one.name} {one.title}") for one in others],
        links=links,
    )


@router.post("/console/incidents/{number}/split")
def split(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Open a new incident with what was chosen."""
    new = _desk(services).split(
        number,
        alerts=_chosen(form, "alert"),
        reports=_chosen(form, "report"),
        title=form.get("title", ""),
        why=form.get("why", ""),
        by=actor.name,
        now=services.clock.now(),
    )
    return _to(new.number, "split")


@router.post("/console/incidents/{number}/move")
def move(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Move what was chosen to another incident, or to a new one where none is named."""
    if not form.get("to"):
        return split(number, form, actor, services)
    to = _number(form, "to")
    _desk(services).move(
        number,
        to=to,
        alerts=_chosen(form, "alert"),
        reports=_chosen(form, "report"),
        why=form.get("why", ""),
        by=actor.name,
        now=services.clock.now(),
    )
    return _to(to, "moved")


@router.post("/console/incidents/{number}/merge")
def merge(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Make the incident a part of another."""
    into, now = _number(form, "into"), services.clock.now()
    _desk(services).merge(number, into=into, why=form.get("why", ""), by=actor.name, now=now)
    return _to(into, "merged")


@router.post("/console/incidents/{number}/link")
def link(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Note that another incident has to do with this one."""
    other, now = _number(form, "other"), services.clock.now()
    _desk(services).link(number, other=other, why=form.get("why", ""), by=actor.name, now=now)
    return _to(number, "linked")


@router.post("/console/incidents/{number}/unlink")
def unlink(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Take the link to another incident away."""
    other, now = _number(form, "other"), services.clock.now()
    _desk(services).unlink(number, other=other, why=form.get("why", ""), by=actor.name, now=now)
    return _to(number, "unlinked")


def _desk(services: Services) -> RegroupingDesk:
    return RegroupingDesk(services.store, services.configuration.current, services.policy)


def _to(number: int, done: str) -> RedirectResponse:
    return RedirectResponse(f"/console/incidents/{number}?done={done}", 303)


def _chosen(form: Mapping[str, str], kind: str) -> list[int]:
    """Return the numbers of the ticked boxes, which are named like `alert-41`."""
    named = (name.removeprefix(f"{kind}-") for name in form if name.startswith(f"{kind}-"))
    return [int(text) for text in named if text.isascii() and text.isdecimal() and len(text) < 19]


def _number(form: Mapping[str, str], field: str) -> int:
    """Return the incident that a field names, as `INC-7` or `7`.

    Raises:
        InvalidInputError: it names none.
    """
    text = form.get(field, "").strip().upper().removeprefix("INC-")
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) <= LARGEST):
        raise InvalidInputError("name the other incident, such as INC-7")
    return int(text)
