"""Reports from programs: a shop's own app, a chat bot, a form elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from incidents.notices.statuspage import instant
from incidents.reports.intake import LONGEST_DESCRIPTION, LONGEST_EMAIL, NewReport
from monitor.use_cases.reports import submit_report
from monitor.web.pages.report import PURPOSE, REPORTS_AN_HOUR
from monitor.web.pages.reporter import load_view
from monitor.web.rate_limit import limited
from monitor.web.services import Given

router = APIRouter(tags=["reports"])
NO_STORE = {"cache-control": "no-store"}


class ReportRequest(BaseModel):
    """A user's report; only the description is needed."""

    model_config = ConfigDict(extra="forbid")

    description: str = Field(min_length=1, max_length=LONGEST_DESCRIPTION)
    category: str = Field("", max_length=63, description="One of the configured categories.")
    component: str = Field("", max_length=63, description="Id of a component of the page.")
    name: str = Field("", max_length=120)
    email: str = Field("", max_length=LONGEST_EMAIL)
    order_reference: str = Field("", max_length=60)
    incident: str = Field("", max_length=12, description="Public id of the incident it is about.")


class ReportAnswer(BaseModel):
    """What the writer of a report is told at once."""

    name: str
    token: str
    url: str
    answer: str
    category: str
    component: str | None
    incident: dict[str, Any] | None


@router.post(
    "/api/v1/reports",
    status_code=201,
    response_model=ReportAnswer,
    responses={200: {"model": ReportAnswer, "description": "It had been taken already."}},
)
def submit(
    request: Request,
    body: ReportRequest,
    services: Given,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> JSONResponse:
    """Take a report, link it to the incident it tells of, and answer it.

    The same body under the same `Idempotency-Key` is one report, however often it is sent.
    """
    now = services.clock.now()
    limited(request, PURPOSE, REPORTS_AN_HOUR, timedelta(hours=1), now)
    public_url = services.settings.public_url
    sent = submit_report(
        services.store,
        services.configuration.current,
        NewReport(**body.model_dump()),
        public_url=public_url,
        now=now,
        channel="api",
        once=f"api:{idempotency_key}" if idempotency_key else "",
        by_mail=services.settings.smtp_url is not None,
    )
    known = sent.known
    answer = ReportAnswer(
        name=f"RPT-{sent.number}",
        token=sent.token,
        url=f"{public_url}/r/{sent.token}",
        answer=sent.answer,
        category=sent.category,
        component=sent.component,
        incident=known and {"title": known.title, "since": instant(known.since), "url": known.link},
    )
    status = 201 if sent.is_new else 200
    return JSONResponse(answer.model_dump(), status_code=status, headers=NO_STORE)


@router.get("/api/v1/reports/{token}")
def report(token: str, services: Given) -> JSONResponse:
    """Give a report to whoever knows its secret reference: what its writer's page shows."""
    view = load_view(services, token)
    found, incident = view.report, view.incident
    document = {
        "name": found.name,
        "status": view.status.value,
        "status_words": view.status.words,
        "category": found.category,
        "component": found.component,
        "description": found.description,
        "created_at": instant(found.created_at),
        "updated_at": instant(found.updated_at),
        "asks_whether_it_works": view.asks,
        "works_now": found.works_now,
        "incident": incident
        and {
            "title": incident.title,
            "status": incident.status,
            "since": instant(incident.started_at),
            "url": f"{services.settings.public_url}/incidents/{incident.public_id}",
        },
        "messages": [
            {"at": instant(m.at), "from": "you" if m.direction == "in" else "us", "body": m.body}
            for m in view.messages
        ],
    }
    return JSONResponse(document, headers=NO_STORE)
