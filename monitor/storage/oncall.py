"""Overrides of on-call schedules and the secret links of people's calendars, as rows."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from incidents.errors import UnknownObjectError
from incidents.oncall.schedule import Override
from monitor.storage.schema import calendar_links, oncall_overrides, users
from monitor.storage.store import Transaction

_c = oncall_overrides.c


def insert_override(tx: Transaction, override: Override) -> None:
    """Record a new override."""
    values = {name: getattr(override, name) for name in Override.__dataclass_fields__}
    tx.connection.execute(insert(oncall_overrides).values(**values))
    tx.touch("incidents")


def cancel_override(tx: Transaction, number: int, by: str, at: datetime) -> None:
    """Record that an override is not to be, or ends now."""
    statement = update(oncall_overrides).where(_c.number == number)
    tx.connection.execute(statement.values(cancelled_at=at, cancelled_by=by))
    tx.touch("incidents")


def shorten_override(tx: Transaction, number: int, ends_at: datetime) -> None:
    """Let an override that has begun end sooner."""
    statement = update(oncall_overrides).where(_c.number == number)
    tx.connection.execute(statement.values(ends_at=ends_at))
    tx.touch("incidents")


def load_override(connection: Connection, number: int) -> Override:
    """Return the override of that number.

    Raises:
        UnknownObjectError: there is none.
    """
    found = _load(connection, select(oncall_overrides).where(_c.number == number))
    if not found:
        raise UnknownObjectError(f"override {number}")
    return found[0]


def overrides_between(
    connection: Connection, since: datetime, until: datetime | None = None
) -> tuple[Override, ...]:
    """Return the overrides that touch a period, or all from `since` on; cancelled ones not."""
    statement = select(oncall_overrides).where(_c.ends_at > since, _c.cancelled_at.is_(None))
    if until is not None:
        statement = statement.where(_c.starts_at < until)
    return _load(connection, statement.order_by(_c.starts_at, _c.number))


def newest_overrides(
    connection: Connection, limit: int, *, schedule: str | None = None
) -> tuple[Override, ...]:
    """Return the overrides made last, cancelled ones included."""
    statement = select(oncall_overrides).order_by(_c.number.desc()).limit(limit)
    if schedule is not None:
        statement = statement.where(_c.schedule == schedule)
    return _load(connection, statement)


def _load(connection: Connection, statement: Select[Any]) -> tuple[Override, ...]:
    rows = connection.execute(statement).mappings()
    names = tuple(Override.__dataclass_fields__)
    return tuple(Override(**{name: row[name] for name in names}) for row in rows)


def people_mail(connection: Connection) -> dict[str, str]:
    """Return the e-mail address of every account that is open, by its name; empty for none."""
    found = select(users.c.name, users.c.email).where(users.c.disabled_at.is_(None))
    return {name: email or "" for name, email in connection.execute(found)}


def people_zones(connection: Connection) -> dict[str, str]:
    """Return the time zone of every account that has one of its own, by its name."""
    found = select(users.c.name, users.c.time_zone).where(users.c.time_zone != "")
    return {row.name: row.time_zone for row in connection.execute(found)}


def make_link(tx: Transaction, user_id: int, now: datetime) -> str:
    """Give an account a new calendar link and return its secret; the old one is void."""
    secret = secrets.token_urlsafe(32)
    revoke_link(tx, user_id)
    row = {"user_id": user_id, "token_hash": _hashed(secret), "created_at": now}
    tx.connection.execute(insert(calendar_links).values(**row))
    return secret


def revoke_link(tx: Transaction, user_id: int) -> None:
    """Make an account's calendar link void."""
    tx.connection.execute(delete(calendar_links).where(calendar_links.c.user_id == user_id))


def link_of(connection: Connection, user_id: int) -> tuple[datetime, datetime | None] | None:
    """Return when an account's link was made and when it was last read; None: it has none."""
    c = calendar_links.c
    row = connection.execute(select(c.created_at, c.read_at).where(c.user_id == user_id)).first()
    return (row.created_at, row.read_at) if row else None


def owner_of_link(connection: Connection, secret: str) -> tuple[int, str, datetime | None] | None:
    """Return (id, name, last read) of the open account whose link carries the secret, or None."""
    statement = (
        select(users.c.id, users.c.name, calendar_links.c.read_at)
        .join(calendar_links, calendar_links.c.user_id == users.c.id)
        .where(calendar_links.c.token_hash == _hashed(secret), users.c.disabled_at.is_(None))
    )
    row = connection.execute(statement).first()
    return (row.id, row.name, row.read_at) if row else None


def note_read(tx: Transaction, user_id: int, now: datetime) -> None:
    """Record that a calendar fetched the link."""
    statement = update(calendar_links).where(calendar_links.c.user_id == user_id)
    tx.connection.execute(statement.values(read_at=now))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
