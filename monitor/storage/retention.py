"""What is old goes: each kind of record after its own time, in small transactions.

What is still going on is never touched, however old: open incidents and alerts, reports that
wait for somebody, windows that are not verified, notifications that are not finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, tuple_, update

from monitor.config.model import Retention
from monitor.storage import schema
from monitor.storage.audit_chain import trim
from monitor.storage.idempotency import KEPT
from monitor.storage.runs import without_evidence
from monitor.storage.store import Store

DEAD_TOKENS_KEPT = timedelta(days=90)  # long enough to ask what a program showed
BATCH = 500  # rows a transaction deletes: writers wait only so long


def apply_retention(store: Store, retention: Retention, now: datetime) -> Mapping[str, int]:
    """Delete what is older than it is kept, and return how many rows of each table went.

    The age a record may reach is included: it goes once it is older.
    """
    evidence_before = now - timedelta(seconds=retention.evidence)
    counts = {"evidence": _drop_evidence(store, evidence_before)}
    for table, condition in _expired(retention, now):
        counts[table.name] = _delete(store, table, condition)
    counts["audit"] = _trim_audit(store, now - timedelta(seconds=retention.audit), now)
    return counts


def _expired(retention: Retention, now: datetime) -> list[tuple[Table, ColumnElement[bool]]]:
    """Return what may go, in an order in which nothing is left that points nowhere."""
    runs_before = now - timedelta(seconds=retention.runs)
    incidents_before = now - timedelta(seconds=retention.incidents)
    reports_before = now - timedelta(seconds=retention.reports)
    alert, window, report = schema.alerts.c, schema.maintenance.c, schema.reports.c
    token, ended_before = schema.api_tokens.c, now - DEAD_TOKENS_KEPT
    ended = or_(window.verified_at.is_not(None), window.cancelled_at.is_not(None))
    return [
        (schema.runs, schema.runs.c.started_at < runs_before),
        (schema.verdicts, schema.verdicts.c.last_run_at < runs_before),
        (schema.incidents, schema.incidents.c.resolved_at < incidents_before),
        (schema.alerts, and_(alert.open_marker.is_(None), alert.resolved_at < incidents_before)),
        (
            schema.reports,
            and_(report.status.in_(("resolved", "closed")), report.updated_at < reports_before),
        ),
        (schema.maintenance, and_(ended, window.ends_at < incidents_before)),
        (schema.silences, schema.silences.c.ends_at < incidents_before),
        (schema.oncall_overrides, schema.oncall_overrides.c.ends_at < incidents_before),
        (schema.outbox, schema.outbox.c.finished_at < incidents_before),
        (schema.component_states, schema.component_states.c.until < incidents_before),
        (schema.sessions, schema.sessions.c.expires_at < now),
        (schema.proofs, schema.proofs.c.expires_at < now),
        (schema.api_tokens, or_(token.expires_at < ended_before, token.revoked_at < ended_before)),
        (schema.idempotency, schema.idempotency.c.at < now - KEPT),
    ]


def _trim_audit(store: Store, before: datetime, now: datetime) -> int:
    """Take the oldest part of the audit log, and leave the chain whole behind it."""
    gone = 0
    while True:
        with store.begin() as tx:
            part = trim(tx, before, now)
        gone += part
        if not part:
            return gone


def _delete(store: Store, table: Table, condition: ColumnElement[bool]) -> int:
    """Delete in parts and return how many rows went; rows that depend on them go with them."""
    keys = list(table.primary_key.columns)
    gone = 0
    while _any(store, table, condition):
        with store.begin() as tx:
            part = tuple_(*keys).in_(select(*keys).where(condition).limit(BATCH))
            gone += tx.connection.execute(delete(table).where(part)).rowcount
    return gone


def _any(store: Store, table: Table, condition: ColumnElement[bool]) -> bool:
    with store.read() as connection:
        return connection.execute(select(table).where(condition).limit(1)).first() is not None


def _drop_evidence(store: Store, before: datetime) -> int:
    """Take from old runs what was sent and received; the runs themselves stay."""
    c = schema.runs.c
    old = and_(c.has_evidence, c.started_at < before)
    cleared = 0
    while _any(store, schema.runs, old):
        with store.begin() as tx:
            rows = tx.connection.execute(select(c.id, c.body).where(old).limit(BATCH)).all()
            for row in rows:
                values = {"body": without_evidence(row.body), "has_evidence": False}
                tx.connection.execute(update(schema.runs).where(c.id == row.id).values(**values))
            cleared += len(rows)
    return cleared
