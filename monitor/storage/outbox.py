"""Notifications are put into the outbox here; `deliveries.py` takes them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.storage.schema import outbox
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into

_EMPTY = {
    "incident_id": None,
    "maintenance_id": None,
    "report_id": None,
    "recipient": "",
    "severity": "",
    "subject": "",
    "body": "",
    "priority": 10,
    "state": "queued",
    "attempts": 0,
    "last_error": "",
}


def enqueue(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue notifications for delivery once this transaction is committed.

    A row needs `key`, `event`, `channel`, `payload`, `created_at` and what it is about; it is due
    at once unless `due_at` says otherwise. A row whose key is there already changes nothing.
    """
    if rows:
        filled = [{**_EMPTY, "due_at": row["created_at"], **row} for row in rows]
        statement = insert_into(tx, outbox).on_conflict_do_nothing(index_elements=["key"])
        tx.connection.execute(statement, filled)
        tx.touch("outbox")
