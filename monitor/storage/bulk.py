"""Many rows of a busy table at once, and many names in one question, as each database likes them.

SQLAlchemy prepares every value of every row by itself, which for an alert takes several times as
long as SQLite takes to store it. Here SQLite gets finished tuples and PostgreSQL one JSON document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Connection,
    Select,
    String,
    Table,
    TextClause,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from monitor.storage.types import UtcDateTime, compact_json

DIALECTS = ("sqlite", "postgresql")

_SQLITE = sqlite.dialect()
_Bind = Callable[[Any], Any]


def texts(dialect: str, name: str) -> Select[Any]:
    """Return the texts of the parameter `name`: one however many there are, so one plan for all."""
    return _each(dialect, name, String())


def numbers(dialect: str, name: str) -> Select[Any]:
    """Return the whole numbers of the parameter `name`."""
    return _each(dialect, name, BigInteger())


def _each(dialect: str, name: str, kind: TypeEngine[Any]) -> Select[Any]:
    if dialect == "sqlite":
        return select(func.json_each(bindparam(name, type_=JSON)).table_valued("value").c.value)
    return select(func.unnest(bindparam(name, type_=ARRAY(kind))))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all give the same columns; the database fills in the others' defaults.

    Raises:
        IntegrityError: a row breaks a constraint.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        binds = _binds(table, names)
        values = [tuple([bind(row[name]) for name, bind in binds]) for row in rows]
        connection.exec_driver_sql(_tuples_into(table, names), values)
    else:
        connection.execute(_document_into(table, names), {"rows": orjson.dumps(rows).decode()})


@lru_cache
def _tuples_into(table: Table, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"


@lru_cache
def _document_into(table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(names)
    return text(
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} "
        f"FROM json_populate_recordset(NULL::{table.name}, CAST(:rows AS json))"
    )


@lru_cache
def _binds(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, _Bind], ...]:
    """Return what makes each column's value one that SQLite takes."""
    return tuple((name, _bind_of(table.c[name].type)) for name in names)


def _bind_of(kind: TypeEngine[Any]) -> _Bind:
    if isinstance(kind, UtcDateTime):
        return _instant
    return _document if isinstance(kind, JSON) else _as_it_is


@lru_cache(256)  # the rows of a transaction share most of their instants
def _instant(value: datetime | None) -> Any:
    return UtcDateTime().process_bind_param(value, _SQLITE)


def _document(value: Any) -> str | None:
    return None if value is None else compact_json(value)


def _as_it_is(value: Any) -> Any:
    return value
