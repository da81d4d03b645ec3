"""Who a provider says somebody is, tied to an account: by issuer and subject, never by a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from monitor.storage.schema import identities
from monitor.storage.store import Transaction
from monitor.storage.users import User, user_by_id


def user_of_identity(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the account of an identity, shut or not."""
    c = identities.c
    query = select(c.user_id).where(c.issuer == issuer, c.subject == subject)
    user_id = connection.execute(query).scalar_one_or_none()
    return None if user_id is None else user_by_id(connection, user_id)


def link_identity(tx: Transaction, issuer: str, subject: str, user_id: int, now: datetime) -> None:
    """Tie an identity to an account.

    Raises:
        sqlalchemy.exc.IntegrityError: it is tied to one already.
    """
    row = {"issuer": issuer, "subject": subject, "user_id": user_id, "linked_at": now}
    tx.connection.execute(insert(identities).values(**row))
