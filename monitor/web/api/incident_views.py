"""Incidents as the JSON API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from incidents.lifecycle import Severity, Status
from monitor.storage import alerts as alert_rows
from monitor.storage import incidents as rows
from monitor.storage import ticket
from monitor.storage.incidents import Incident
from monitor.storage.regrouping import links_of, merged_into
from monitor.storage.reports import reports_of_incident
from monitor.storage.tasks import tasks_of
from monitor.storage.told import told_of
from monitor.web.api.escalation_views import EscalationView, escalation_of
from monitor.web.services import Services

MOST_OF_EACH = 500  # alerts and lines that the JSON of an incident brings along


class Line(BaseModel):
    """A line of the timeline."""

    id: int = Field(description="Rises with every line, of all timelines together.")
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
    """An alert that belongs, or belonged, to the incident; `id` names it when it is moved."""

    id: int
    fingerprint: str
    state: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    source: str
    generator_url: str
    joined_because: str
    placed_by: str


class TaskView(BaseModel):
    """Something somebody has to do about the incident."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    text: str
    owner: str
    due_at: datetime | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str


class LinkView(BaseModel):
    """Another incident that has to do with this one."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    title: str
    status: Status
    why: str
    linked_by: str
    at: datetime


class IncidentView(BaseModel):
    """An incident as lists show it."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    name: str
    title: str
    status: Status
    severity: Severity
    derived_severity: str = Field(
        description="What automation says while a person overrules the severity; else empty."
    )
    impact: str
    derived_impact: str = Field(description="As `derived_severity`, of the impact.")
    lead: str
    communications: str
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
    reconstructed: bool
    resolved_at: datetime | None
    resolved_by: str | None
    reopened_count: int
    published_at: datetime | None
    customer_message: str
    runbook_url: str
    public_id: str


class ToldView(BaseModel):
    """Somebody who was told of an incident, or was not, and why."""

    model_config = ConfigDict(from_attributes=True)

    channel: str
    event: str = Field(description="What of: opened, update, resolved …; empty: of nothing.")
    standing: str = Field(description="told, waiting, held, failed or not told.")
    at: datetime
    why: str
    until: datetime | None = Field(description="When it is due, where it waits.")


class IncidentDetail(IncidentView):
    """An incident with all that is known of it."""

    merged_into: int | None = Field(description="The number of what it was merged into.")
    merged: list[int] = Field(description="The numbers of what was merged into it.")
    links: list[LinkView]
    tasks: list[TaskView]
    reports: list[int] = Field(description="The numbers of the reports linked to it.")
    alerts: list[AlertOfIncident] = Field(
        description=f"Oldest first, the first {MOST_OF_EACH} of them."
    )
    alert_count: int = Field(description="How many alerts it ever had.")
    alerts_next: int | None = Field(
        description="The `after` of GET …/alerts, where the rest of them is; null: these are all."
    )
    told: list[ToldView]
    escalation: EscalationView | None = Field(
        description="Where its escalation stands; null where no policy ever covered it."
    )
    timeline: list[Line] = Field(description=f"Oldest first, the newest {MOST_OF_EACH} of them.")
    line_count: int = Field(description="How many lines the timeline has.")
    timeline_next: int | None = Field(
        description="The `before` of GET …/timeline, where older ones are; null: these are all."
    )
    updates: list[PublicNote]


class IncidentList(BaseModel):
    """Incidents, newest first; `next` is the `before` of the next page, `count` that of all."""

    incidents: list[IncidentView]
    count: int
    next: int | None


class TimelinePage(BaseModel):
    """Lines, newest first; `next` is the `before` of the next page, `count` that of all."""

    lines: list[Line]
    count: int
    next: int | None


class AlertPage(BaseModel):
    """Alerts, oldest first; `next` is the `after` of the next page, `count` that of all."""

    alerts: list[AlertOfIncident]
    count: int
    next: int | None


def timeline_page(
    connection: Connection, incident: Incident, *, before: int | None, limit: int
) -> TimelinePage:
    """Return a page of an incident's timeline."""
    found = ticket.line_page(connection, incident.id, before=before, limit=limit + 1)
    lines = found[:limit]
    return TimelinePage.model_validate(
        {
            "lines": [dict(row) for row in lines],
            "count": ticket.count_lines(connection, incident.id),
            "next": lines[-1]["id"] if len(found) > limit else None,
        }
    )


def alert_page(connection: Connection, incident: Incident, *, after: int, limit: int) -> AlertPage:
    """Return a page of the alerts that ever belonged to an incident."""
    found = alert_rows.alerts_of(connection, incident.id, after=after, limit=limit + 1)
    alerts = found[:limit]
    return AlertPage.model_validate(
        {
            "alerts": [dict(row) for row in alerts],
            "count": sum(ticket.alert_counts(connection, incident.id).values()),
            "next": alerts[-1]["id"] if len(found) > limit else None,
        }
    )


def detail_of(services: Services, connection: Connection, incident: Incident) -> IncidentDetail:
    """Return an incident with all that is known of it."""
    shown = IncidentView.model_validate(incident).model_dump()
    alerts = alert_page(connection, incident, after=0, limit=MOST_OF_EACH)
    lines = timeline_page(connection, incident, before=None, limit=MOST_OF_EACH)
    survivor = rows.load_incidents(connection, [incident.merged_into_id or 0])
    return IncidentDetail.model_validate(
        {
            **shown,
            "merged_into": next((found.number for found in survivor.values()), None),
            "merged": [row.number for row in merged_into(connection, incident.id)],
            "links": links_of(connection, incident.id),
            "tasks": tasks_of(connection, incident.id),
            "reports": [one.number for one in reports_of_incident(connection, incident.id)],
            "alerts": alerts.alerts,
            "alert_count": alerts.count,
            "alerts_next": alerts.next,
            "told": told_of(connection, incident.id),
            "escalation": escalation_of(services, connection, incident),
            "timeline": lines.lines[::-1],
            "line_count": lines.count,
            "timeline_next": lines.next,
            "updates": [dict(row) for row in rows.load_updates(connection, incident.id)],
        }
    )
