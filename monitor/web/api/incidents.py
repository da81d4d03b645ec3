"""Incidents as JSON: read, and worked on, by people's sessions and by machines with the token.

A POST that carries the header `Idempotency-Key` is carried out once, however often it is sent
within a day; a repetition is answered with the incident as it stands now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from incidents.lifecycle import Severity, Status
from monitor.storage import alerts as alert_rows
from monitor.storage import incidents as rows
from monitor.storage.idempotency import AlreadyDone, Once
from monitor.storage.incidents import Incident, IncidentFilter
from monitor.use_cases.incidents import IncidentDesk
from monitor.web.permissions import Actor, Permission
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])
MOST_LISTED = 500
LARGEST = 2**31 - 1  # what an integer column holds
Number = Annotated[int, Path(ge=1, le=LARGEST)]

Viewer = Depends(require(Permission.VIEW))
Responder = Annotated[Actor, Depends(require(Permission.WORK_INCIDENTS))]
Writer = Annotated[Actor, Depends(require(Permission.NOTE))]
Publisher = Annotated[Actor, Depends(require(Permission.PUBLISH))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewIncident(_Body):
    """An incident that a person opens."""

    title: str
    severity: Severity = Severity.CRITICAL
    component: str | None = None
    message: str = Field("", description="For customers: with it the incident is published.")


class NewNote(_Body):
    """An internal note."""

    text: str


class NewUpdate(_Body):
    """A public note, and the status the incident moves to with it."""

    text: str
    status: Status | None = None


class Move(_Body):
    """A change of status."""

    status: Status
    why: str = ""
    despite_firing: bool = Field(
        default=False, description="Resolve although alerts fire; told again, they reopen it."
    )


class Line(BaseModel):
    """A line of the timeline."""

    at: datetime
    kind: str
    actor: str
    text: str
    data: dict[str, Any] | None


class PublicNote(BaseModel):
    """What customers were told."""

    at: datetime
    status: str
    body: str
    author: str
    published_at: datetime | None


class AlertOfIncident(BaseModel):
    """An alert that belongs, or belonged, to the incident."""

    fingerprint: str
    state: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    source: str
    generator_url: str


class IncidentView(BaseModel):
    """An incident as lists show it."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    name: str
    title: str
    status: Status
    severity: Severity
    impact: str
    origin: str
    component: str | None
    journey: str | None
    step: str | None
    reason: str | None
    components: dict[str, str]
    started_at: datetime
    opened_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    taken_over: bool
    taken_over_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    reopened_count: int
    published_at: datetime | None
    customer_message: str
    runbook_url: str
    public_id: str


class IncidentDetail(IncidentView):
    """An incident with all that is known of it."""

    alerts: list[AlertOfIncident]
    timeline: list[Line]
    updates: list[PublicNote]


class IncidentList(BaseModel):
    """Incidents, newest first; `next` is the `before` of the next page."""

    incidents: list[IncidentView]
    next: int | None


@router.get("", dependencies=[Viewer])
def list_incidents(
    services: Given,
    *,
    open_: Annotated[bool | None, Query(alias="open")] = None,
    component: str | None = None,
    severity: Severity | None = None,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="Only lower numbers.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> IncidentList:
    """List the newest incidents that match."""
    wanted = IncidentFilter(
        open=open_, component=component, severity=severity, before_number=before, limit=limit
    )
    with services.store.read() as connection:
        found = rows.list_incidents(connection, wanted)
    last = found[-1].number if len(found) == limit else None
    return IncidentList(incidents=[IncidentView.model_validate(i) for i in found], next=last)


@router.get("/{number}", dependencies=[Viewer])
def get_incident(number: Number, services: Given) -> IncidentDetail:
    """Give one incident with its alerts, timeline and public notes."""
    with services.store.read() as connection:
        return _detail(connection, rows.load_incident(connection, number))


class Asked:
    """A request to work on an incident: who asks, and whether it was carried out before."""

    def __init__(
        self,
        request: Request,
        services: Given,
        idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    ) -> None:
        self._request = request
        self._services = services
        self._key = idempotency_key

    @property
    def desk(self) -> IncidentDesk:
        """Where the work is done."""
        return desk_of(self._services)

    @property
    def now(self) -> datetime:
        """The present."""
        return self._services.clock.now()

    def once(self, actor: Actor, body: _Body | None = None) -> Once | None:
        """Return what makes this request one that is carried out once."""
        path = self._request.url.path
        key = f"{actor.name}\n{self._key}" if self._key else None
        return Once.of(key, path, body.model_dump_json() if body else "")

    def answer(self, work: Callable[[], Incident]) -> IncidentDetail:
        """Carry the work out, unless it was before, and show the incident."""
        try:
            number = work().number
        except AlreadyDone as done:
            number = done.number
        with self._services.store.read() as connection:
            return _detail(connection, rows.load_incident(connection, number))


Asks = Annotated[Asked, Depends()]


@router.post("", status_code=201)
def open_incident(body: NewIncident, by: Responder, ask: Asks, answer: Response) -> IncidentDetail:
    """Open an incident by hand."""
    detail = ask.answer(
        lambda: ask.desk.open(
            title=body.title,
            severity=body.severity,
            component=body.component,
            message=body.message,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )
    answer.headers["location"] = f"/api/v1/incidents/{detail.number}"
    return detail


@router.post("/{number}/acknowledge")
def acknowledge(number: Number, by: Responder, ask: Asks) -> IncidentDetail:
    """Record who has taken the incident, and when."""
    return ask.answer(
        lambda: ask.desk.acknowledge(number, by=by.name, now=ask.now, once=ask.once(by))
    )


@router.post("/{number}/take-over")
def take_over(number: Number, by: Responder, ask: Asks) -> IncidentDetail:
    """Keep automation from closing the incident."""
    return ask.answer(
        lambda: ask.desk.take_over(number, by=by.name, now=ask.now, once=ask.once(by))
    )


@router.post("/{number}/hand-back")
def hand_back(number: Number, by: Responder, ask: Asks) -> IncidentDetail:
    """Let automation close the incident again."""
    return ask.answer(
        lambda: ask.desk.hand_back(number, by=by.name, now=ask.now, once=ask.once(by))
    )


@router.post("/{number}/notes")
def add_note(number: Number, body: NewNote, by: Writer, ask: Asks) -> IncidentDetail:
    """Write an internal note."""
    return ask.answer(
        lambda: ask.desk.add_note(
            number, body.text, by=by.name, now=ask.now, once=ask.once(by, body)
        )
    )


@router.post("/{number}/updates")
def publish_update(number: Number, body: NewUpdate, by: Publisher, ask: Asks) -> IncidentDetail:
    """Tell customers something."""
    return ask.answer(
        lambda: ask.desk.publish_update(
            number,
            body.text,
            status=body.status,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.post("/{number}/status")
def change_status(number: Number, body: Move, by: Responder, ask: Asks) -> IncidentDetail:
    """Move the incident to another status."""
    return ask.answer(
        lambda: ask.desk.change_status(
            number,
            body.status,
            why=body.why,
            despite_firing=body.despite_firing,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


def desk_of(services: Services) -> IncidentDesk:
    """Return where people work on incidents, for API and console alike."""
    return IncidentDesk(services.store, services.configuration.current, services.policy)


def _detail(connection: Connection, incident: Incident) -> IncidentDetail:
    shown = IncidentView.model_validate(incident).model_dump()
    return IncidentDetail.model_validate(
        {
            **shown,
            "alerts": [dict(row) for row in alert_rows.alerts_of(connection, incident.id)],
            "timeline": [dict(row) for row in rows.load_timeline(connection, incident.id)],
            "updates": [dict(row) for row in rows.load_updates(connection, incident.id)],
        }
    )
