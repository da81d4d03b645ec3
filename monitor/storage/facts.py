"""Single facts that outlive a process, and duties that one process at a time may hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from monitor.storage.schema import facts, leases
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into


def read_fact(connection: Connection, name: str) -> Any:
    """Return what was recorded under a name, None where nothing was."""
    statement = select(facts.c.value).where(facts.c.name == name)
    return connection.execute(statement).scalar_one_or_none()


def write_fact(tx: Transaction, name: str, value: Any, now: datetime) -> None:
    """Record a JSON value under a name, in place of what was there."""
    values = {"value": value, "updated_at": now}
    insert = insert_into(tx, facts).values(name=name, **values)
    tx.connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))


def take_lease(tx: Transaction, name: str, holder: str, now: datetime, lasts: timedelta) -> bool:
    """Take or prolong a duty; False while another holder's lease has not ended.

    The lease's last instant is excluded: at `until` anybody may take it.
    """
    insert = insert_into(tx, leases)
    values = {"holder": holder, "until": now + lasts}
    statement = insert.values(name=name, **values).on_conflict_do_update(
        index_elements=["name"],
        set_=values,
        where=or_(leases.c.holder == holder, leases.c.until <= now),
    )
    return tx.connection.execute(statement.returning(leases.c.name)).first() is not None


def give_up_lease(tx: Transaction, name: str, holder: str) -> None:
    """End a lease before its time, if it is the holder's."""
    mine = and_(leases.c.name == name, leases.c.holder == holder)
    tx.connection.execute(delete(leases).where(mine))
