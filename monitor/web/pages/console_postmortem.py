"""The postmortem of an incident: read, written, and taken away as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from incidents.errors import UnknownObjectError
from incidents.postmortem import ChangedMeanwhile
from monitor.storage.incidents import load_incident
from monitor.storage.postmortems import latest_version, load_version, versions_of
from monitor.storage.tasks import tasks_of
from monitor.use_cases.postmortems import PostmortemDesk, draft_postmortem
from monitor.web.api.postmortems import markdown_file
from monitor.web.params import Before, Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services, services_of

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
Worker = Annotated[Actor, Depends(require(Permission.WORK_INCIDENTS))]


@router.get("/console/incidents/{number}/postmortem", dependencies=[READ])
def postmortem(
    request: Request,
    number: Number,
    version: Before = None,
    edit: bool = False,
    saved: bool = False,
) -> HTMLResponse:
    """Show the newest version, an older one, or the draft that the record can write."""
    return _show(request, number, version=version, edit=edit, saved=saved)


@router.get("/console/incidents/{number}/postmortem.md", dependencies=[READ])
def export(number: Number, services: Given) -> Response:
    """Give the newest version as a Markdown file."""
    with services.store.read() as connection:
        found = latest_version(connection, load_incident(connection, number).id)
    if found is None:
        raise UnknownObjectError(f"postmortem of INC-{number} yet")
    return markdown_file(number, found)


@router.post("/console/incidents/{number}/postmortem")
def save(
    request: Request, number: Number, form: Submitted, actor: Worker, services: Given
) -> Response:
    """Save a version; what somebody else saved meanwhile is shown rather than written over."""
    body, based_on = form.get("body", ""), form.get("based_on", "0")
    desk = PostmortemDesk(services.store, services.configuration.current, services.policy)
    try:
        desk.save(
            number,
            body.replace("\r\n", "\n"),
            based_on=int(based_on) if based_on.isdecimal() and len(based_on) < 10 else 0,
            by=actor.name,
            now=services.clock.now(),
        )
    except ChangedMeanwhile as refused:
        return _show(request, number, edit=True, typed=body, fault=str(refused), status=409)
    return RedirectResponse(f"/console/incidents/{number}/postmortem?saved=true", 303)


def _show(
    request: Request,
    number: int,
    *,
    version: int | None = None,
    edit: bool = False,
    saved: bool = False,
    typed: str = "",
    fault: str = "",
    status: int = 200,
) -> HTMLResponse:
    services: Services = services_of(request)
    with services.store.read() as connection:
        incident = load_incident(connection, number)
        versions = versions_of(connection, incident.id)
        newest = versions[0] if versions else None
        shown = load_version(connection, incident.id, version) if version else newest
        draft = (
            "" if shown else draft_postmortem(connection, services.configuration.current, incident)
        )
        tasks = tasks_of(connection, incident.id)
    return page(
        request,
        "console/ticket/postmortem.html",
        status,
        title=f"Postmortem of {incident.name}",
        incident=incident,
        versions=versions,
        shown=shown,
        newest=newest,
        body=typed or (shown.body if shown else draft),
        edit=edit,
        saved=saved,
        fault=fault,
        tasks=tasks,
    )
