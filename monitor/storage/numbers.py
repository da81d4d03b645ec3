"""Numbers that count up, names nobody can guess, and the one lock over all incidents."""

from __future__ import annotations

import secrets

from sqlalchemy import text

from monitor.storage.store import Transaction

PUBLIC_ID_LENGTH = 12
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0 or 1: people read these out
_INCIDENTS_LOCK = 0x5A9_0002  # any fixed number

_NEXT = text(
    "INSERT INTO counters (name, value) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
)


def next_number(tx: Transaction, name: str) -> int:
    """Return the next number of `incident`, `maintenance` or `report`, counted from 1.

    A number taken in a transaction that is rolled back is given out again: there are no gaps.
    """
    return int(tx.connection.execute(_NEXT, {"name": name}).scalar_one())


def public_id() -> str:
    """Return a new random name of 12 characters (60 bit) for use in public addresses."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PUBLIC_ID_LENGTH))


def lock_incidents(tx: Transaction) -> None:
    """Make this transaction the only one that changes incidents until it ends.

    Take it before reading what the change depends on, and after locking rows of `alerts`.
    SQLite needs no lock: a transaction that writes has the database to itself.
    """
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text(f"SELECT pg_advisory_xact_lock({_INCIDENTS_LOCK})"))
