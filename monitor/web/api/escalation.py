"""The escalation of an incident, as JSON: where it stands, and moved on by hand."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from monitor.storage.incidents import load_incident
from monitor.use_cases.escalating import EscalationDesk
from monitor.use_cases.escalation_view import escalation_now
from monitor.web.api.incident_asked import Asks, Body, Number, Responder, Viewer
from monitor.web.api.incident_views import IncidentDetail
from monitor.web.errors import NotFound
from monitor.web.services import Given, Services

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])


class _View(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Told(_View):
    """Whom a step called, and over what."""

    target: str
    person: str
    channels: list[str]


class Missed(_View):
    """Whom a step could not call, and why."""

    target: str
    why: str


class Step(_View):
    """A step that was taken."""

    sequence: int
    at: datetime
    words: str
    why: str
    by: str
    told: list[Told]
    missed: list[Missed]


class Next(_View):
    """What follows if nobody does anything, and whom it would call if it were now."""

    at: datetime
    words: str
    names: list[str]


class EscalationView(_View):
    """Where an incident's escalation stands."""

    policy: str
    state: str = Field(description="running, acknowledged, exhausted or ended")
    held_by: str = Field(description="What mutes it, so that the next step waits; else empty.")
    steps: list[Step]
    next: Next | None
    acknowledged_until: datetime | None


class Handover(Body):
    """Who is to take the incident."""

    person: str = Field(max_length=60)


@router.get("/{number}/escalation", dependencies=[Viewer])
def get_escalation(number: Number, services: Given) -> EscalationView:
    """Give where the escalation of an incident stands."""
    with services.store.read() as connection:
        found = escalation_now(
            connection,
            services.configuration.current,
            load_incident(connection, number),
            services.clock.now(),
            mails=services.policy.mails,
        )
    if found is None:
        raise NotFound(f"no escalation policy ever applied to incident INC-{number}")
    return EscalationView.model_validate(found)


@router.post("/{number}/escalate")
def escalate(number: Number, by: Responder, services: Given, ask: Asks) -> IncidentDetail:
    """Take the next step without waiting; an acknowledgement no longer holds."""
    desk = escalation_desk(services)
    return ask.answer(lambda: desk.escalate_now(number, by=by.name, now=ask.now, once=ask.once(by)))


@router.post("/{number}/reassign")
def reassign(
    number: Number, body: Handover, by: Responder, services: Given, ask: Asks
) -> IncidentDetail:
    """Call one person, who is to take the incident."""
    desk = escalation_desk(services)
    return ask.answer(
        lambda: desk.reassign(number, body.person, by=by.name, now=ask.now, once=ask.once(by, body))
    )


def escalation_desk(services: Services) -> EscalationDesk:
    """Return where people move escalations by hand, for API and console alike."""
    return EscalationDesk(services.store, services.configuration.current, services.policy)
