"""What people are in the middle of: signing in, going to a provider and back, a link by mail.

Each is known by a secret that only they hold; the row has its hash. It serves one purpose, ends
at a time, and can be taken once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from monitor.storage.schema import proofs
from monitor.storage.store import Transaction


@dataclass(frozen=True)
class Proof:
    """Something begun and not ended."""

    id_hash: str
    purpose: str
    user_id: int | None
    data: Mapping[str, Any]
    failures: int
    created_at: datetime
    expires_at: datetime


def hashed(secret: str) -> str:
    """Return what a secret is kept as; it has so many bits that no salt is needed."""
    return sha256(secret.encode()).hexdigest()


def keep_proof(
    tx: Transaction,
    secret: str,
    purpose: str,
    *,
    now: datetime,
    expires_at: datetime,
    user_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Store something begun, and forget what has expired."""
    tx.connection.execute(delete(proofs).where(proofs.c.expires_at <= now))
    row = {"id_hash": hashed(secret), "purpose": purpose, "user_id": user_id, "data": data or {}}
    tx.connection.execute(insert(proofs).values(**row, created_at=now, expires_at=expires_at))


def proof_of(connection: Connection, secret: str, purpose: str, now: datetime) -> Proof | None:
    """Return what was begun with this secret for this purpose, unless it has expired."""
    c = proofs.c
    query = select(proofs).where(c.id_hash == hashed(secret), c.purpose == purpose)
    row = connection.execute(query.where(c.expires_at > now)).one_or_none()
    return _proof(row) if row else None


def take_proof(tx: Transaction, secret: str, purpose: str, now: datetime) -> Proof | None:
    """Return it and forget it: of two who take it at once, one gets None."""
    c = proofs.c
    taken = delete(proofs).where(c.id_hash == hashed(secret), c.purpose == purpose)
    row = tx.connection.execute(taken.returning(proofs)).one_or_none()
    return _proof(row) if row and row.expires_at > now else None


def count_failure(tx: Transaction, secret: str) -> int:
    """Count a failed try; return how many there have been."""
    change = update(proofs).where(proofs.c.id_hash == hashed(secret))
    counted = change.values(failures=proofs.c.failures + 1).returning(proofs.c.failures)
    return tx.connection.execute(counted).scalar_one_or_none() or 0


def drop_proofs_of(tx: Transaction, user_id: int, purpose: str | None = None) -> None:
    """Forget what an account is in the middle of."""
    which = delete(proofs).where(proofs.c.user_id == user_id)
    tx.connection.execute(which if purpose is None else which.where(proofs.c.purpose == purpose))


def _proof(row: Row[Any]) -> Proof:
    return Proof(**{name: getattr(row, name) for name in Proof.__dataclass_fields__})
