"""Rows that gap repair reads and writes: what was open of a source, and what is rebuilt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, or_, select

from monitor.storage.incidents import Incident, load_incidents, set_components
from monitor.storage.schema import alerts, incidents
from monitor.storage.store import Transaction

BATCH = 500  # identities asked for in one statement
_a = alerts.c
_i = incidents.c


def open_of_source(connection: Connection, source: str) -> list[RowMapping]:
    """Return the open alerts that came through a door."""
    statement = select(alerts).where(_a.open_marker == 1, _a.source == source)
    return list(connection.execute(statement).mappings())


def kept_of(
    connection: Connection, fingerprints: Iterable[str], since: datetime
) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """Return when each identity fired that did so after `since`; no end while it is open."""
    wanted = sorted(set(fingerprints))
    found: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for start in range(0, len(wanted), BATCH):
        statement = select(
            _a.fingerprint, _a.starts_at, _a.ends_at, _a.resolved_at, _a.open_marker
        ).where(
            _a.fingerprint.in_(wanted[start : start + BATCH]),
            or_(_a.open_marker == 1, _a.resolved_at >= since, _a.ends_at >= since),
        )
        for row in connection.execute(statement):
            end = None if row.open_marker else row.resolved_at or row.ends_at
            found.setdefault(row.fingerprint, []).append((row.starts_at, end))
    return found


def incident_during(
    connection: Connection, key: str, component: str, start: datetime, end: datetime
) -> Incident | None:
    """Return the incident of this identity or component that was open in that time, if any."""
    alike = _i.key == key
    if component:
        alike = or_(alike, _i.component == component)
    statement = (
        select(_i.id)
        .where(alike, _i.started_at <= end, or_(_i.resolved_at.is_(None), _i.resolved_at >= start))
        .order_by(_i.id)
        .limit(1)
    )
    row_id = connection.execute(statement).scalar_one_or_none()
    return None if row_id is None else load_incidents(connection, [row_id])[row_id]


def insert_closed_incident(
    tx: Transaction, values: Mapping[str, Any], components: Mapping[str, str]
) -> int:
    """Record an incident that is over already and return its row id."""
    statement = insert(incidents).values(**values, open_marker=None).returning(_i.id)
    row_id = int(tx.connection.execute(statement).scalar_one())
    set_components(tx, row_id, components)
    tx.touch("incidents")
    return row_id


def insert_closed_alerts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record alerts that are over already."""
    if rows:
        tx.connection.execute(alerts.insert(), [{**row, "open_marker": None} for row in rows])
        tx.touch("alerts")
