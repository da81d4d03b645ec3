"""Which incident a report hangs on: chosen by its writer or by an agent, told on the timeline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from incidents.errors import UnknownObjectError
from incidents.reports.categories import is_symptom
from incidents.reports.conversation import (
    Known,
    ReportStatus,
)
from incidents.reports.linking import LinkKind, choose_incident
from incidents.timeline import AUTOMATION, Entry, Kind
from monitor.config.model import Configuration
from monitor.storage.audit import record
from monitor.storage.incidents import add_entries, load_incident, open_incidents
from monitor.storage.numbers import lock_incidents
from monitor.storage.reports import (
    Report,
    change_report,
    load_report,
    load_report_by_token,
)
from monitor.storage.status import public_incidents_of, row_id_of
from monitor.storage.store import Store, Transaction
from monitor.use_cases.report_mail import REPORTER
from monitor.use_cases.report_placing import (
    InvalidReport,
    candidate,
    category_choices,
    component_of,
)


def join_incident(store: Store, token: str, public_id: str, now: datetime) -> None:
    """Link a report to the open public incident that its reporter says is theirs.

    Raises:
        UnknownObjectError: there is no such report, or no such open public incident.
    """
    with store.begin() as tx:
        lock_incidents(tx)
        report = report_by_token(tx.connection, token)
        row_id = row_id_of(tx.connection, public_id)
        if row_id not in {incident.id for incident in open_incidents(tx.connection)}:
            raise UnknownObjectError("open incident of that name")
        move_report(
            tx, report, row_id, REPORTER, "the reporter said that this is their problem", now
        )


def link_report(
    store: Store, number: int, incident_number: int | None, *, by: str, now: datetime
) -> None:
    """Hang a report on another incident, or on none; both timelines say so.

    Raises:
        UnknownObjectError: there is no such report.
        UnknownIncident: there is no such incident.
    """
    with store.begin() as tx:
        lock_incidents(tx)
        report = load_report(tx.connection, number)
        target = load_incident(tx.connection, incident_number).id if incident_number else None
        move_report(tx, report, target, by, f"linked by {by}", now)


def move_report(
    tx: Transaction, report: Report, target: int | None, by: str, reason: str, now: datetime
) -> None:
    if report.incident_id == target:
        return
    if report.incident_id is not None:
        text = f"{report.name} unlinked"
        note_on_incident(
            tx, report.incident_id, Kind.REPORT_UNLINKED, text, report.number, now, actor=by
        )
    if target is not None:
        text = f"{report.name} linked: {reason}"
        note_on_incident(tx, target, Kind.REPORT_LINKED, text, report.number, now, actor=by)
    status = ReportStatus.OPEN if report.status is ReportStatus.NEW else report.status
    change_report(
        tx,
        report.id,
        incident_id=target,
        linked_by=by if target else "",
        link_reason=reason if target else "",
        status=status.value,
        updated_at=now,
    )


def note_on_incident(
    tx: Transaction,
    incident_id: int,
    kind: Kind,
    text: str,
    number: int,
    now: datetime,
    *,
    actor: str = AUTOMATION,
) -> None:
    """Add a line to an incident's timeline; never with the reporter's name or words."""
    entry = Entry(at=now, kind=kind, text=text, actor=actor, data={"report": number})
    add_entries(tx, [(incident_id, entry)])
    tx.touch("incidents")


def known_incident(
    connection: Connection, incident_id: int | None, public_url: str
) -> Known | None:
    """Return the public side of an incident; of a draft nothing is known outside."""
    if incident_id is None:
        return None
    incident = public_incidents_of(connection, [incident_id]).get(incident_id)
    if incident is None:
        return None
    link = f"{public_url}/incidents/{incident.public_id}"
    return Known(incident.title, incident.started_at, link)


def report_by_token(connection: Connection, token: str) -> Report:
    report = load_report_by_token(connection, token)
    if report is None:
        raise UnknownObjectError("report with that reference")
    return report


def correct_category(
    store: Store, configuration: Configuration, token: str, category: str, now: datetime
) -> None:
    """Record what the reporter says it is about, and link it where that makes an incident fit.

    Raises:
        UnknownObjectError: there is no such report.
        InvalidReport: there is no such category.
    """
    if category not in {name for name, _ in category_choices(configuration)}:
        raise InvalidReport({"category": "Please choose one of the list."})
    with store.begin() as tx:
        lock_incidents(tx)
        report = report_by_token(tx.connection, token)
        component = component_of(configuration, category)
        change_report(tx, report.id, category=category, component=component, updated_at=now)
        detail = {"old": report.category, "new": category}
        record(
            tx,
            actor=REPORTER,
            action="report.recategorised",
            target=report.name,
            at=now,
            detail=detail,
        )
        if report.incident_id is not None or report.status is ReportStatus.CLOSED:
            return
        open_now = [candidate(incident) for incident in open_incidents(tx.connection)]
        failing = is_symptom(report.description)
        link = choose_incident(component, open_now, tells_of_failure=failing)
        if link.kind is LinkKind.LINKED and link.incident_id is not None:
            move_report(tx, report, link.incident_id, AUTOMATION, link.reason, now)
