"""An insert that may meet a row which is there already, in either database's words."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from monitor.storage.store import Transaction


def insert_into(tx: Transaction, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    if tx.connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
