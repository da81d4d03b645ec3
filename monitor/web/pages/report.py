"""The form in which a user reports a problem; it works without JavaScript."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.reports.intake import NewReport
from monitor.storage.status import open_public_incidents
from monitor.storage.store import DATABASE_AWAY
from monitor.use_cases.report_placing import InvalidReport, category_choices
from monitor.use_cases.reports import submit_report
from monitor.web.form_tokens import form_token_age
from monitor.web.pages.status import names
from monitor.web.rate_limit import limited
from monitor.web.rendering import page
from monitor.web.security import form_token, refuse_cross_site, submitted
from monitor.web.services import Given, services_of

router = APIRouter(include_in_schema=False)
log = structlog.get_logger(__name__)
PURPOSE = "report"
TRAP = "company_site"  # people do not see this field; what fills it in is a program
REPORTS_AN_HOUR = 20  # from one network: an office or a mobile operator shares an address
FIELDS = ("description", "category", "name", "email", "order_reference", "incident")
NOT_SAVED = (
    "We could not save this just now, and we are on it. Your text is still here: "
    "please send it again in a minute."
)
NO_STORE = {"cache-control": "no-store"}


@router.get("/report")
def report_form(request: Request, incident: str = "") -> Response:
    """Show the form, with the problems we know of before anything is typed."""
    return _form(request, {"incident": incident[:12]})


async def report_fields(request: Request) -> Mapping[str, str]:
    """Return the form's fields; its token is looked at later, so that no text is lost."""
    refuse_cross_site(request)
    return await submitted(request)


report_fields.purpose = PURPOSE  # type: ignore[attr-defined] # read by the walk over all routes


@router.post("/report")
def send_report(
    request: Request, form: Annotated[Mapping[str, str], Depends(report_fields)], services: Given
) -> Response:
    """Take the report and lead its writer to the answer."""
    now = services.clock.now()
    if fault := _not_a_person(request, form):
        return _form(request, form, notice=fault, status=422)
    limited(request, PURPOSE, REPORTS_AN_HOUR, timedelta(hours=1), now)
    report = NewReport(
        language=request.headers.get("accept-language", "").split(",")[0][:35],
        **{name: form.get(name, "") for name in FIELDS},
    )
    try:
        sent = submit_report(
            services.store,
            services.configuration.current,
            report,
            public_url=services.settings.public_url,
            now=now,
            once=form.get("once", "")[:64],
            by_mail=services.settings.smtp_url is not None,
        )
    except InvalidReport as refused:
        return _form(request, form, faults=refused.faults, status=422)
    except DATABASE_AWAY as error:
        log.warning("report_not_saved", error=str(error))
        return _form(request, form, notice=NOT_SAVED, status=503)
    return RedirectResponse(f"/r/{sent.token}", 303, headers=NO_STORE)


def _not_a_person(request: Request, form: Mapping[str, str]) -> str:
    """Return what to tell whoever sent a form that no person filled in, or nothing."""
    services = services_of(request)
    key: bytes = request.app.state.signing_key
    if form_token_age(key, PURPOSE, form.get("form_token", ""), services.clock.now()) is None:
        return "This page had been open for a long time. Please check your text and send it again."
    if form.get(TRAP):
        return "We could not take this. Please send it again as it stands here."
    return ""


def _form(
    request: Request,
    values: Mapping[str, str],
    *,
    faults: Mapping[str, str] | None = None,
    notice: str = "",
    status: int = 200,
) -> Response:
    services = services_of(request)
    configuration = services.configuration.current
    try:
        with services.store.read() as connection:
            known = open_public_incidents(connection)
    except DATABASE_AWAY:
        known = ()
    answer = page(
        request,
        "public/report.html",
        status,
        values={name: values.get(name, "") for name in FIELDS},
        faults=faults or {},
        notice=notice,
        known=known,
        categories=[("", "Find it from my words"), *category_choices(configuration)],
        component_names=names(configuration),
        token=form_token(request, PURPOSE),
        once=values.get("once", "")[:64] or secrets.token_urlsafe(18),
        trap=TRAP,
    )
    answer.headers.update(NO_STORE)
    return answer
