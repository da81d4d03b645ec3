"""Whether automation may still decide about an incident, or people have made it theirs."""

from __future__ import annotations

from sqlalchemy import Connection

from incidents.lifecycle import Origin, waits_for
from monitor.storage.alerts import open_alerts_of
from monitor.storage.incidents import Incident
from monitor.storage.regrouping import people_worked_on
from monitor.storage.tasks import open_task_counts
from monitor.use_cases.ledger import Ledger


def held_by(connection: Connection, incident: Incident, open_tasks: int | None = None) -> str:
    """Return whom or what automation leaves the incident to; empty where it may close it.

    `open_tasks` spares the question to the database where the caller has asked it.
    """
    if open_tasks is None:
        open_tasks = open_task_counts(connection, [incident.id]).get(incident.id, 0)
    return waits_for(
        incident.origin,
        taken_over=incident.taken_over,
        taken_over_by=incident.taken_over_by,
        lead=incident.lead,
        open_tasks=open_tasks,
    )


def is_untouched(connection: Connection, incident: Incident) -> bool:
    """Tell whether nobody has done anything with an incident that automation opened."""
    return (
        incident.origin is Origin.AUTOMATIC
        and incident.acknowledged_by is None
        and not held_by(connection, incident)
        and not people_worked_on(connection, incident.id)
    )


def release(ledger: Ledger, incident: Incident) -> None:
    """End an incident that people have given back, if nothing else keeps it open."""
    ledger.flush()
    connection = ledger.tx.connection
    if (
        incident.is_open
        and not held_by(connection, incident)
        and not open_alerts_of(connection, [incident.id])
    ):
        ledger.resolve(incident, "no alert of it fires any more")
