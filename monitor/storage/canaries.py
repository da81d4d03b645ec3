"""What a canary leaves in the database while it walks, and its removal afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, delete, or_, select

from incidents.lifecycle import Status
from monitor.storage.schema import alerts, incidents, outbox
from monitor.storage.store import Transaction


class Progress(NamedTuple):
    """How far a canary has come."""

    is_open: bool
    events: dict[str, tuple[str, timedelta | None]]  # event → (state, time from queue to receipt)


def progress_of(connection: Connection, incident_id: int) -> Progress:
    """Return how a canary's incident and its notifications stand."""
    status = select(incidents.c.status).where(incidents.c.id == incident_id)
    o = outbox.c
    rows = connection.execute(
        select(o.event, o.state, o.created_at, o.finished_at).where(o.incident_id == incident_id)
    )
    events = {
        row.event: (row.state, row.finished_at - row.created_at if row.finished_at else None)
        for row in rows
    }
    found = connection.execute(status).scalar_one_or_none()
    return Progress(found is not None and found != Status.RESOLVED, events)


def canary_of(connection: Connection, fingerprint: str) -> int | None:
    """Return the row id of the incident that a canary's alert opened, if it has."""
    statement = select(alerts.c.incident_id).where(alerts.c.fingerprint == fingerprint)
    return connection.execute(statement.limit(1)).scalar_one_or_none()


def remove_canaries(tx: Transaction, label: str, before: datetime) -> None:
    """Remove the alerts and incidents of canaries that set out before an instant."""
    old = select(incidents.c.id).where(incidents.c.number < 0, incidents.c.opened_at < before)
    marked = alerts.c.labels[label].as_string().is_not(None)
    mine = or_(alerts.c.incident_id.in_(old), alerts.c.incident_id.is_(None) & marked)
    tx.connection.execute(delete(alerts).where(mine, alerts.c.received_at < before, marked))
    tx.connection.execute(
        delete(incidents).where(incidents.c.number < 0, incidents.c.opened_at < before)
    )
    tx.touch("incidents")
