"""Incidents as JSON: read, and worked on, by people's sessions and by machines with the token.

A POST that carries the header `Idempotency-Key` is carried out once, however often it is sent
within a day; a repetition is answered with the incident as it stands now.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from incidents.lifecycle import Severity, Status
from incidents.texts import storable
from monitor.storage import incidents as rows
from monitor.storage.incidents import IncidentFilter
from monitor.web.api.incident_asked import (
    LARGEST,
    Asks,
    Body,
    Instant,
    Number,
    Publisher,
    Responder,
    Viewer,
    Writer,
)
from monitor.web.api.incident_views import (
    AlertPage,
    IncidentDetail,
    IncidentList,
    IncidentView,
    TimelinePage,
    alert_page,
    detail_of,
    timeline_page,
)
from monitor.web.services import Given

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])
MOST_LISTED = 500


class NewIncident(Body):
    """An incident that a person opens."""

    title: str
    severity: Severity = Severity.CRITICAL
    component: str | None = None
    message: str = Field("", description="For customers: with it the incident is published.")


class NewNote(Body):
    """An internal note."""

    text: str


class NewUpdate(Body):
    """A public note, and the status the incident moves to with it."""

    text: str
    status: Status | None = None


class Move(Body):
    """A change of status."""

    status: Status
    why: str = ""
    despite_firing: bool = Field(
        default=False, description="Resolve although alerts fire; told again, they reopen it."
    )


@router.get("", dependencies=[Viewer])
def list_incidents(
    services: Given,
    *,
    open_: Annotated[bool | None, Query(alias="open")] = None,
    component: str | None = None,
    severity: Severity | None = None,
    status: Status | None = None,
    person: Annotated[
        str | None, Query(max_length=120, description="Who took it, leads it, or has a task on it.")
    ] = None,
    q: Annotated[str, Query(max_length=200, description="Words of the title, or INC-7.")] = "",
    since: Annotated[Instant | None, Query(description="Began then or later.")] = None,
    until: Annotated[Instant | None, Query(description="Began before.")] = None,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="Only lower numbers.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> IncidentList:
    """List the newest incidents that match."""
    wanted = IncidentFilter(
        open=open_,
        component=component and storable(component),
        severity=severity,
        status=status,
        person=person and storable(person),
        text=q,
        began_from=since,
        began_until=until,
        before_number=before,
        limit=limit,
    )
    with services.store.read() as connection:
        found = rows.list_incidents(connection, wanted)
        count = rows.count_incidents(connection, wanted)
    last = found[-1].number if len(found) == limit else None
    shown = [IncidentView.model_validate(incident) for incident in found]
    return IncidentList(incidents=shown, count=count, next=last)


@router.get("/{number}", dependencies=[Viewer])
def get_incident(number: Number, services: Given) -> IncidentDetail:
    """Give one incident with its alerts, timeline and public notes; of many, the beginning."""
    with services.store.read() as connection:
        return detail_of(services, connection, rows.load_incident(connection, number))


@router.get("/{number}/timeline", dependencies=[Viewer])
def get_timeline(
    number: Number,
    services: Given,
    *,
    before: Annotated[int | None, Query(ge=1, le=LARGEST, description="Only older lines.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> TimelinePage:
    """Give a page of an incident's timeline, the newest line first."""
    with services.store.read() as connection:
        incident = rows.load_incident(connection, number)
        return timeline_page(connection, incident, before=before, limit=limit)


@router.get("/{number}/alerts", dependencies=[Viewer])
def get_alerts(
    number: Number,
    services: Given,
    *,
    after: Annotated[int, Query(ge=0, le=LARGEST, description="Only younger alerts.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> AlertPage:
    """Give a page of the alerts that ever belonged to an incident, the oldest first."""
    with services.store.read() as connection:
        incident = rows.load_incident(connection, number)
        return alert_page(connection, incident, after=after, limit=limit)


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
