"""Looking back on an incident that is over: a draft from the record, and what people made of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from incidents import postmortem
from incidents.alerts.model import words
from incidents.lifecycle import Status
from incidents.notices.status import ComponentStatus
from incidents.notices.uptime import uptime
from incidents.postmortem import (
    LONGEST_POSTMORTEM,
    AlertFacts,
    ChangedMeanwhile,
    Line,
    Record,
    StillOpen,
    TaskFacts,
)
from incidents.texts import checked
from incidents.timeline import Kind
from monitor.config.model import Configuration
from monitor.storage import incidents as rows
from monitor.storage import ticket
from monitor.storage.alerts import alerts_of
from monitor.storage.idempotency import Once
from monitor.storage.incidents import Incident
from monitor.storage.postmortems import (
    Version,
    add_version,
    first_failure_at,
    latest_version,
    message_counts,
)
from monitor.storage.regrouping import merged_into
from monitor.storage.reports import count_still_broken, reports_of_incident
from monitor.storage.status import component_intervals
from monitor.storage.tasks import tasks_of
from monitor.use_cases.incidents import IncidentDesk

FOUND_BEFORE = timedelta(minutes=10)  # an alert begins after the run that made it true
MOST_ALERTS = 200  # of a draft, which people are to read; it says how many there are
END_LINES = 200  # of the timeline's beginning, and of its end
PEOPLES_LINES = 200  # between the two: what automation wrote is left out there
IMPAIRED = (
    ComponentStatus.MAJOR_OUTAGE,
    ComponentStatus.PARTIAL_OUTAGE,
    ComponentStatus.DEGRADED_PERFORMANCE,
)


class PostmortemDesk(IncidentDesk):
    """Where people look back on incidents."""

    def save(
        self,
        number: int,
        body: str,
        *,
        by: str,
        now: datetime,
        based_on: int | None = None,
        once: Once | None = None,
    ) -> Incident:
        """Save a new version; the first makes the incident one that is looked back on.

        `based_on` is the version that was worked on (0: none was saved): a newer one is not
        written over. A text that is the newest already makes no version.

        Raises:
            UnknownIncident, InvalidInputError
            StillOpen: the incident goes on.
            ChangedMeanwhile: there is a newer version than the one worked on.
        """
        body = checked(body, "the postmortem", LONGEST_POSTMORTEM)
        with self._at(number, once, now) as (ledger, incident):
            _must_be_over(incident)
            last = latest_version(ledger.tx.connection, incident.id)
            if last is not None and last.body == body:
                return incident
            if last is not None and based_on is not None and last.version != based_on:
                raise ChangedMeanwhile(number, last.version, last.author)
            version = Version(last.version + 1 if last else 1, now, by, body)
            add_version(ledger.tx, incident.id, version)
            text = f"Version {version.version} of the postmortem saved."
            ledger.note(incident, Kind.POSTMORTEM_SAVED, text, actor=by, version=version.version)
            if incident.status is Status.RESOLVED:
                ledger.change(incident, status=Status.POSTMORTEM)
                told = "Resolved → postmortem."
                ledger.note(incident, Kind.STATUS_CHANGED, told, actor=by, new="postmortem")
        return incident


def draft_postmortem(
    connection: Connection, configuration: Configuration, incident: Incident
) -> str:
    """Return what the record can write of an incident's postmortem, as Markdown.

    Raises:
        StillOpen: the incident goes on.
    """
    _must_be_over(incident)
    return postmortem.draft(record_of(connection, configuration, incident))


def record_of(connection: Connection, configuration: Configuration, incident: Incident) -> Record:
    """Return what is recorded of an incident that is over."""
    ended_at = incident.resolved_at or incident.updated_at
    alerts = alerts_of(connection, incident.id, limit=MOST_ALERTS)
    alert_count = sum(ticket.alert_counts(connection, incident.id).values())
    timeline = ticket.story_lines(connection, incident.id, ends=END_LINES, people=PEOPLES_LINES)
    reports = reports_of_incident(connection, incident.id)
    kinds = ticket.alert_kinds(connection, incident.id)
    journeys = {kind.journey for kind in kinds} | {incident.journey or ""}
    taken = ticket.first_line(connection, incident.id, Kind.ACKNOWLEDGED)
    since = incident.started_at - FOUND_BEFORE
    return Record(
        name=incident.name,
        title=incident.title,
        severity=incident.severity,
        impact_word=incident.impact,
        started_at=incident.started_at,
        opened_at=incident.opened_at,
        resolved_at=ended_at,
        acknowledged_at=taken["at"] if taken else incident.acknowledged_at,
        acknowledged_by=taken["actor"] if taken else incident.acknowledged_by or "",
        lead=incident.lead,
        communications=incident.communications,
        first_failure_at=first_failure_at(connection, journeys - {""}, since, ended_at),
        first_report_at=min((report.created_at for report in reports), default=None),
        reopened_count=incident.reopened_count,
        impact=_impact(connection, configuration, incident, ended_at),
        alerts=[
            AlertFacts(
                words(row["labels"]), row["starts_at"], row["resolved_at"], row["joined_because"]
            )
            for row in alerts
        ],
        alert_count=alert_count,
        report_count=len(reports),
        still_broken_count=count_still_broken(connection, incident.id),
        told=message_counts(connection, incident.id),
        unsent=ticket.unsent_counts(connection, incident.id),
        updates=[
            Line(row["at"], row["author"], f"{row['status']}: {row['body']}")
            for row in rows.load_updates(connection, incident.id)
        ],
        timeline=[Line(row["at"], row["actor"], row["text"]) for row in timeline],
        line_count=ticket.count_lines(connection, incident.id),
        tasks=[
            TaskFacts(task.text, task.owner, task.due_at, task.done_at is not None)
            for task in tasks_of(connection, incident.id)
        ],
        merged=[f"INC-{row.number}" for row in merged_into(connection, incident.id)],
    )


def _impact(
    connection: Connection, configuration: Configuration, incident: Incident, until: datetime
) -> dict[str, dict[str, float]]:
    """Return the seconds that each of the incident's components was impaired, by status."""
    intervals = component_intervals(connection, incident.started_at)
    found: dict[str, dict[str, float]] = {}
    for component in incident.components:
        spent = uptime(intervals.get(component, ()), incident.started_at, until).seconds
        known = configuration.component(component)
        impaired = {status.value: spent[status] for status in IMPAIRED if spent.get(status)}
        if impaired:
            found[known.name if known else component] = impaired
    return found


def _must_be_over(incident: Incident) -> None:
    if incident.is_open:
        raise StillOpen(incident.number)
