"""A reporter's own page, reached by a reference that nobody can guess.

Shows only what is the reporter's own and what is public: never internal notes, the names of
agents, or an incident that is not published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.notices.published import PublicIncident
from incidents.reports.conversation import ReportStatus
from monitor.storage.reports import (
    Report,
    ReportMessage,
    load_messages,
    load_report_by_token,
)
from monitor.storage.status import open_public_incidents, public_incidents_of
from monitor.use_cases.conversation import (
    answer_whether_it_works,
    write_to_us,
)
from monitor.use_cases.report_links import correct_category, join_incident
from monitor.use_cases.report_placing import InvalidReport, category_choices, suggested_incident
from monitor.web.errors import NotFound
from monitor.web.pages.status import names
from monitor.web.rate_limit import limited
from monitor.web.rendering import page
from monitor.web.security import form_token, signed_form
from monitor.web.services import Given, Services, services_of

router = APIRouter(include_in_schema=False)
PURPOSE = "reporter"
WORDS_AN_HOUR = 60  # messages and answers from one network
PRIVATE = {"x-robots-tag": "noindex, nofollow", "cache-control": "no-store"}
Form = Annotated[Mapping[str, str], Depends(signed_form(PURPOSE))]


@dataclass(frozen=True)
class ReporterView:
    """What a reporter may see of the own report."""

    report: Report
    status: ReportStatus
    messages: tuple[ReportMessage, ...]
    incident: PublicIncident | None
    suggestion: PublicIncident | None

    @property
    def asks(self) -> bool:
        """Return whether the page asks whether it works now."""
        return self.status is ReportStatus.RESOLVED and self.report.is_asked


def load_view(services: Services, token: str) -> ReporterView:
    """Return the report with that reference as its writer may see it.

    While its incident is open again, a report that we thought solved is open too.

    Raises:
        NotFound: there is none.
    """
    with services.store.read() as connection:
        report = load_report_by_token(connection, token)
        if report is None:
            raise NotFound("There is no report at this address. Check that the link is complete.")
        messages = load_messages(connection, report.id)
        guess = suggested_incident(connection, report)
        wanted = [i for i in (report.incident_id, guess) if i is not None]
        public = public_incidents_of(connection, wanted)
    incident = public.get(report.incident_id) if report.incident_id else None
    status = report.status
    if status is ReportStatus.RESOLVED and incident is not None and incident.is_open:
        status = ReportStatus.OPEN
    said = tuple(m for m in messages if m.direction in ("in", "out"))
    suggestion = public.get(guess) if guess is not None else None
    return ReporterView(report, status, said, incident, suggestion)


@router.get("/r/{token}")
def reporter_page(request: Request, token: str, services: Given) -> Response:
    """Show the report, our answers, and what is asked of its writer."""
    return _show(request, load_view(services, token))


@router.post("/r/{token}/message")
def send_message(request: Request, token: str, form: Form, services: Given) -> Response:
    """Add the reporter's message."""

    def act() -> None:
        write_to_us(services.store, token, form.get("message", ""), services.clock.now())

    return _after(request, token, act, form)


@router.post("/r/{token}/works")
def answer(request: Request, token: str, form: Form, services: Given) -> Response:
    """Take the yes or no to "does it work for you now?"."""

    def act() -> None:
        word = form.get("works", "")
        if word not in ("yes", "no"):
            raise InvalidReport({"works": "Please answer yes or no."})
        now = services.clock.now()
        answer_whether_it_works(services.store, token, works=word == "yes", now=now)

    return _after(request, token, act, form)


@router.post("/r/{token}/category")
def change_category(request: Request, token: str, form: Form, services: Given) -> Response:
    """Take the reporter's word on what the report is about."""

    def act() -> None:
        configuration, now = services.configuration.current, services.clock.now()
        correct_category(services.store, configuration, token, form.get("category", ""), now)

    return _after(request, token, act, form)


@router.post("/r/{token}/incident")
def join(request: Request, token: str, form: Form, services: Given) -> Response:
    """Hang the report on the incident that its writer says is the same."""

    def act() -> None:
        join_incident(services.store, token, form.get("incident", ""), services.clock.now())

    return _after(request, token, act, form)


def _after(
    request: Request, token: str, act: Callable[[], None], form: Mapping[str, str]
) -> Response:
    """Do what the form asks and show the page again, or say what is wrong with it."""
    services = services_of(request)
    limited(request, PURPOSE, WORDS_AN_HOUR, timedelta(hours=1), services.clock.now())
    try:
        act()
    except InvalidReport as refused:
        view = load_view(services, token)
        typed = form.get("message", "")
        return _show(request, view, faults=refused.faults, typed=typed, status=422)
    return RedirectResponse(f"/r/{token}", 303, headers=PRIVATE)


def _show(
    request: Request,
    view: ReporterView,
    *,
    faults: Mapping[str, str] | None = None,
    typed: str = "",
    status: int = 200,
) -> Response:
    services = services_of(request)
    configuration = services.configuration.current
    with services.store.read() as connection:
        others: tuple[Any, ...] = () if view.incident else open_public_incidents(connection)
    shown = page(
        request,
        "public/reporter.html",
        status,
        view=view,
        report=view.report,
        others=others,
        faults=faults or {},
        typed=typed,
        categories=category_choices(configuration),
        component_names=names(configuration),
        token=form_token(request, PURPOSE),
        address=f"{services.settings.public_url}/r/{view.report.token}",
    )
    shown.headers.update(PRIVATE)
    return shown
