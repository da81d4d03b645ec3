"""Maintenance windows as rows: written once, then only facts are added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, or_, select, update

from incidents.errors import UnknownObjectError
from incidents.notices.maintenance import Effect, Maintenance, Scope
from incidents.texts import storable
from monitor.storage.schema import maintenance, maintenance_scope
from monitor.storage.store import Transaction

_c = maintenance.c
# Built once: every transaction about alerts asks for it, and building costs more than asking.
_LIVE = (
    select(maintenance)
    .where(_c.cancelled_at.is_(None), or_(_c.ends_at > bindparam("now"), _c.verified_at.is_(None)))
    .order_by(_c.starts_at, _c.id)
)


def insert_window(tx: Transaction, window: Maintenance) -> None:
    """Record a new window with its scope."""
    values = {
        column.name: getattr(window, column.name) for column in _c if hasattr(window, column.name)
    }
    statement = insert(maintenance).values(**values).returning(_c.id)
    row_id = tx.connection.execute(statement).scalar_one()
    scope = [
        {"maintenance_id": row_id, "component": s.component, "effect": s.effect.value}
        for s in window.scope
    ]
    tx.connection.execute(insert(maintenance_scope), scope)
    tx.touch("maintenance")


def note_fact(tx: Transaction, number: int, **values: Any) -> None:
    """Record facts of one window, such as `verified_at`."""
    tx.connection.execute(update(maintenance).where(_c.number == number).values(**values))
    tx.touch("maintenance")


def row_id(connection: Connection, number: int) -> int:
    """Return the row id of window `number`.

    Raises:
        UnknownObjectError: there is none.
    """
    found: int | None = connection.execute(
        select(_c.id).where(_c.number == number)
    ).scalar_one_or_none()
    if found is None:
        raise UnknownObjectError(f"maintenance MNT-{number}")
    return found


def load_window(connection: Connection, number: int) -> Maintenance:
    """Return window `number`.

    Raises:
        UnknownObjectError: there is none.
    """
    found = _load(connection, select(maintenance).where(_c.number == number))
    if not found:
        raise UnknownObjectError(f"maintenance MNT-{number}")
    return found[0]


def load_public_window(connection: Connection, public_id: str) -> Maintenance | None:
    """Return the window with that public id, or None."""
    found = _load(connection, select(maintenance).where(_c.public_id == storable(public_id)))
    return found[0] if found else None


def live_windows(connection: Connection, now: datetime) -> tuple[Maintenance, ...]:
    """Return the windows that are not over: scheduled, in progress or verifying, next one first."""
    return _load(connection, _LIVE, now=now)


def newest_windows(connection: Connection, limit: int) -> tuple[Maintenance, ...]:
    """Return the windows of any state that start last, the latest first."""
    statement = select(maintenance).order_by(_c.starts_at.desc(), _c.id.desc()).limit(limit)
    return _load(connection, statement)


def windows_between(
    connection: Connection, start: datetime, end: datetime
) -> tuple[Maintenance, ...]:
    """Return the windows that start from `start` (included) to `end`, the latest first."""
    statement = (
        select(maintenance)
        .where(_c.starts_at >= start, _c.starts_at < end)
        .order_by(_c.starts_at.desc(), _c.id.desc())
    )
    return _load(connection, statement)


def _load(connection: Connection, statement: Select[Any], **values: Any) -> tuple[Maintenance, ...]:
    rows = connection.execute(statement, values).all()
    scopes = _scopes(connection, [row.id for row in rows])
    return tuple(_window(row, scopes.get(row.id, ())) for row in rows)


def _scopes(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Scope, ...]]:
    if not ids:
        return {}
    s = maintenance_scope.c
    statement = select(maintenance_scope).where(s.maintenance_id.in_(ids)).order_by(s.component)
    found: dict[int, tuple[Scope, ...]] = {}
    for row in connection.execute(statement):
        scope = Scope(row.component, Effect(row.effect))
        found[row.maintenance_id] = (*found.get(row.maintenance_id, ()), scope)
    return found


def _window(row: Row[Any], scope: tuple[Scope, ...]) -> Maintenance:
    values = {name: value for name, value in row._mapping.items() if name != "id"}
    return Maintenance(**values, scope=scope)
