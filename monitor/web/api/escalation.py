"""The escalation of an incident, as JSON: where it stands, and moved on by hand."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from monitor.storage.incidents import load_incident
from monitor.use_cases.escalating import EscalationDesk
from monitor.web.api.escalation_views import EscalationView, escalation_of
from monitor.web.api.incident_asked import Asks, Body, Number, Responder, Viewer
from monitor.web.api.incident_views import IncidentDetail
from monitor.web.errors import NotFound
from monitor.web.services import Given, Services

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])


class Handover(Body):
    """Who is to take the incident."""

    person: str = Field(max_length=60)


@router.get("/{number}/escalation", dependencies=[Viewer])
def get_escalation(number: Number, services: Given) -> EscalationView:
    """Give where the escalation of an incident stands."""
    with services.store.read() as connection:
        found = escalation_of(services, connection, load_incident(connection, number))
    if found is None:
        raise NotFound(f"no escalation policy ever applied to incident INC-{number}")
    return found


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
