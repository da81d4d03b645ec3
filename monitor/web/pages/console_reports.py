"""Users' reports in the console: read, answered, linked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.errors import InvalidInputError
from incidents.reports.conversation import ReportStatus
from monitor.storage.audit import record
from monitor.storage.incidents import load_incidents, open_incidents
from monitor.storage.reports import (
    ReportFilter,
    count_by_status,
    list_reports,
    load_messages,
    load_report,
)
from monitor.use_cases.conversation import add_note, ask_reporter, recategorise, reply
from monitor.use_cases.report_links import link_report
from monitor.use_cases.report_placing import (
    InvalidReport,
    category_choices,
    suggested_incident,
)
from monitor.web.pages.status import names
from monitor.web.params import LARGEST, Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, goes_on_by_itself, require
from monitor.web.services import Given, Services, services_of

router = APIRouter(include_in_schema=False)
Reader = Annotated[Actor, Depends(require(Permission.VIEW_REPORTS))]
CanRead = Depends(require(Permission.VIEW_REPORTS))
Agent = Annotated[Actor, Depends(require(Permission.ANSWER_REPORTS))]
Linker = Annotated[Actor, Depends(require(Permission.LINK_REPORTS))]
PAGE_LENGTH = 50


@router.get("/console/reports", dependencies=[CanRead])
def report_list(
    request: Request, services: Given, status: str = "", before: int | None = None
) -> Response:
    """Show the newest reports, all of them or those of one status."""
    wanted = ReportFilter(
        status=status if status in set(ReportStatus) else None,
        before_number=before,
        limit=PAGE_LENGTH,
    )
    configuration = services.configuration.current
    with services.store.read() as connection:
        found = list_reports(connection, wanted)
        counts = count_by_status(connection)
    return page(
        request,
        "console/reports.html",
        title="Reports",
        reports=found,
        counts=counts,
        statuses=list(ReportStatus),
        status=wanted.status,
        older=found[-1].number if len(found) == PAGE_LENGTH else None,
        labels=dict(category_choices(configuration)),
        component_names=names(configuration),
    )


@router.get("/console/reports/{number}")
def report_detail(request: Request, number: Number, actor: Reader, services: Given) -> Response:
    """Show one report with its conversation, its incident and what may be done.

    That somebody opened it is recorded: it holds what is personal.
    """
    shown = _show(request, number)
    if not goes_on_by_itself(request):
        now, target = services.clock.now(), f"RPT-{number}"
        with services.store.begin() as tx:
            record(tx, actor=actor.name, action="report.opened", target=target, at=now)
    return shown


@router.post("/console/reports/{number}/reply")
def send_reply(
    request: Request, number: Number, actor: Agent, form: Submitted, services: Given
) -> Response:
    """Answer the reporter, or write a note that stays inside."""

    def act() -> None:
        text, now = form.get("text", ""), services.clock.now()
        if form.get("kind") == "note":
            add_note(services.store, number, text, by=actor.name, now=now)
            return
        reply(
            services.store,
            number,
            text,
            by=actor.name,
            public_url=services.settings.public_url,
            site=services.configuration.current.site.name,
            now=now,
            asks=form.get("kind") == "question",
        )

    return _after(request, number, act, typed=form.get("text", ""))


@router.post("/console/reports/{number}/ask")
def ask(request: Request, number: Number, actor: Agent, services: Given) -> Response:
    """Ask the reporter whether it works now."""

    def act() -> None:
        ask_reporter(
            services.store,
            number,
            by=actor.name,
            public_url=services.settings.public_url,
            site=services.configuration.current.site.name,
            now=services.clock.now(),
        )

    return _after(request, number, act)


@router.post("/console/reports/{number}/link")
def link(
    request: Request, number: Number, actor: Linker, form: Submitted, services: Given
) -> Response:
    """Hang the report on an incident, or on none."""

    def act() -> None:
        text = form.get("incident", "").strip().upper().removeprefix("INC-")
        digits = text.isascii() and text.isdigit() and len(text) < 11
        if text and not (digits and int(text) <= LARGEST):
            raise InvalidInputError("an incident is named like INC-7; leave it empty for none")
        target = int(text) if text else None
        link_report(services.store, number, target, by=actor.name, now=services.clock.now())

    return _after(request, number, act)


@router.post("/console/reports/{number}/category")
def change_category(
    request: Request, number: Number, form: Submitted, services: Given, actor: Agent
) -> Response:
    """Record what the report is about."""

    def act() -> None:
        configuration = services.configuration.current
        category, now = form.get("category", ""), services.clock.now()
        recategorise(services.store, configuration, number, category, by=actor.name, now=now)

    return _after(request, number, act)


def _after(request: Request, number: int, act: Callable[[], None], *, typed: str = "") -> Response:
    """Do what the form asks and show the page again, or say what is wrong with it."""
    try:
        act()
    except InvalidReport as refused:
        return _show(request, number, fault=" ".join(refused.faults.values()), typed=typed)
    except InvalidInputError as refused:
        return _show(request, number, fault=str(refused), typed=typed)
    return RedirectResponse(f"/console/reports/{number}", 303)


def _show(request: Request, number: int, *, fault: str = "", typed: str = "") -> Response:
    services: Services = services_of(request)
    configuration = services.configuration.current
    with services.store.read() as connection:
        report = load_report(connection, number)
        messages = load_messages(connection, report.id)
        guess = suggested_incident(connection, report)
        near = load_incidents(connection, [i for i in (report.incident_id, guess) if i])
        open_now = open_incidents(connection)
    return page(
        request,
        "console/report.html",
        422 if fault else 200,
        title=report.name,
        report=report,
        messages=messages,
        incident=near.get(report.incident_id) if report.incident_id else None,
        suggestion=near.get(guess) if guess else None,
        open_incidents=open_now,
        fault=fault,
        typed=typed,
        categories=category_choices(configuration),
        labels=dict(category_choices(configuration)),
        component_names=names(configuration),
    )
