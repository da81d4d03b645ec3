"""Reporters' personal data as rows: found, gathered, and erased; the facts of a report stay."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from incidents.texts import storable
from monitor.storage.schema import idempotency, outbox, report_messages, reports
from monitor.storage.store import Transaction

ERASED = "(erased)"
_r, _m, _o = reports.c, report_messages.c, outbox.c


def reports_of_address(connection: Connection, address: str) -> list[int]:
    """Return the row ids of every report that came from an address, upper or lower case."""
    wanted = func.lower(_r.reporter_email) == storable(address).strip().lower()
    return list(connection.execute(select(_r.id).where(wanted).order_by(_r.id)).scalars())


def report_of_number(connection: Connection, number: int) -> list[int]:
    """Return the row id of a report by its number, or nothing."""
    return list(connection.execute(select(_r.id).where(_r.number == number)).scalars())


def reports_to_erase(connection: Connection, before: datetime, limit: int) -> list[int]:
    """Return reports that were done with before an instant and are not erased yet."""
    done = _r.status.in_(("resolved", "closed")) & (_r.updated_at < before)
    statement = select(_r.id).where(done, _r.erased_at.is_(None)).order_by(_r.id).limit(limit)
    return list(connection.execute(statement).scalars())


def gather(connection: Connection, report_ids: Sequence[int], address: str) -> dict[str, Any]:
    """Return everything held about these reports, and every mail to `address` if it is given."""
    found = connection.execute(select(reports).where(_r.id.in_(report_ids)).order_by(_r.id))
    said = connection.execute(
        select(report_messages).where(_m.report_id.in_(report_ids)).order_by(_m.id)
    )
    mails = connection.execute(select(outbox).where(_mails(report_ids, address)).order_by(_o.id))
    by_report: dict[int, list[dict[str, Any]]] = {row_id: [] for row_id in report_ids}
    for row in said.mappings():
        by_report[row["report_id"]].append(
            {n: row[n] for n in ("at", "direction", "author", "body")}
        )
    return {
        "reports": [
            {**_without(row, "id", "incident_id"), "messages": by_report[row["id"]]}
            for row in found.mappings()
        ],
        "mails": [
            {
                n: row[n]
                for n in ("created_at", "finished_at", "recipient", "subject", "body", "state")
            }
            for row in mails.mappings()
        ],
    }


def erase(
    tx: Transaction, report_ids: Sequence[int], address: str, now: datetime
) -> Mapping[str, int]:
    """Take the person out of reports; return how many rows of each kind were changed or removed.

    What stays: number, category, component, incident, status, times, and whether it works now. The
    reporter's page is gone, because its secret address is.
    """
    tokens = list(tx.connection.execute(select(_r.token).where(_r.id.in_(report_ids))).scalars())
    for row_id in report_ids:
        tx.connection.execute(
            update(reports)
            .where(_r.id == row_id)
            .values(
                reporter_name="",
                reporter_email="",
                order_reference="",
                language="",
                description=ERASED,
                token=secrets.token_urlsafe(24),
                erased_at=now,
            )
        )
    said = update(report_messages).where(_m.report_id.in_(report_ids), _m.body != ERASED)
    counts = {
        "reports": len(report_ids),
        "messages": tx.connection.execute(said.values(body=ERASED)).rowcount,
        "mails": tx.connection.execute(delete(outbox).where(_mails(report_ids, address))).rowcount,
    }
    remembered = idempotency.c.answer["token"].as_string().in_(tokens)
    is_report = idempotency.c.key.startswith("report:")
    tx.connection.execute(delete(idempotency).where(is_report, remembered))
    tx.touch("reports")
    return counts


def _mails(report_ids: Sequence[int], address: str) -> ColumnElement[bool]:
    of_reports = _o.report_id.in_(report_ids)
    if not address:
        return of_reports
    return or_(of_reports, func.lower(_o.recipient) == storable(address).strip().lower())


def _without(row: Mapping[str, Any] | Any, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
