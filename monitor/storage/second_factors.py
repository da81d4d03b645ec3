"""Second factors and recovery codes as rows; whatever is spent is spent once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from monitor.storage.schema import recovery_codes, second_factors
from monitor.storage.store import Transaction


@dataclass(frozen=True)
class Factor:
    """A second factor in force."""

    sealed: str
    last_step: int
    since: datetime


def factor_of(connection: Connection, user_id: int) -> Factor | None:
    """Return an account's second factor, None where it has none."""
    c = second_factors.c
    query = select(c.sealed, c.last_step, c.since).where(c.user_id == user_id)
    row = connection.execute(query).one_or_none()
    return Factor(row.sealed, row.last_step, row.since) if row else None


def have_factors(connection: Connection) -> set[int]:
    """Return the accounts that have a second factor."""
    return set(connection.execute(select(second_factors.c.user_id)).scalars())


def keep_factor(tx: Transaction, user_id: int, sealed: str, step: int, now: datetime) -> None:
    """Put a second factor in force, in place of any other; its code of `step` is spent."""
    drop_factor(tx, user_id)
    row = {"user_id": user_id, "sealed": sealed, "last_step": step, "since": now}
    tx.connection.execute(insert(second_factors).values(**row))


def spend_step(tx: Transaction, user_id: int, step: int) -> bool:
    """Spend a time step and all before it; False where that has happened already."""
    c = second_factors.c
    change = update(second_factors).where(c.user_id == user_id, c.last_step < step)
    return tx.connection.execute(change.values(last_step=step)).rowcount == 1


def drop_factor(tx: Transaction, user_id: int) -> None:
    """Forget an account's second factor and recovery codes."""
    for table in (second_factors, recovery_codes):
        tx.connection.execute(delete(table).where(table.c.user_id == user_id))


def keep_recovery_codes(tx: Transaction, user_id: int, hashes: Sequence[str]) -> None:
    """Replace an account's recovery codes."""
    tx.connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    rows = [{"code_hash": code_hash, "user_id": user_id} for code_hash in hashes]
    tx.connection.execute(insert(recovery_codes), rows)


def spend_recovery_code(tx: Transaction, user_id: int, code_hash: str, now: datetime) -> bool:
    """Spend a recovery code; False if there is none such or it is spent."""
    c = recovery_codes.c
    change = update(recovery_codes).where(c.user_id == user_id, c.code_hash == code_hash)
    return (
        tx.connection.execute(change.where(c.used_at.is_(None)).values(used_at=now)).rowcount == 1
    )


def recovery_codes_left(connection: Connection, user_id: int) -> int:
    """Return how many recovery codes an account has left."""
    c = recovery_codes.c
    query = select(func.count()).where(c.user_id == user_id, c.used_at.is_(None))
    return connection.execute(query).scalar_one()
