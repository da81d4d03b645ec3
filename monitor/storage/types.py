"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import cast

import orjson
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BigId = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up only an INTEGER key


_AS_JSON_DOES = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def compact_json(value: object) -> str:
    """Return a value as columns of JSON keep it."""
    try:
        return orjson.dumps(value, option=_AS_JSON_DOES).decode()
    except orjson.JSONEncodeError:  # what only the slower one can write, or refuses in its words
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Text(sqlite.DATETIME):
    """A time as SQLite keeps it: text, which is read and written by `UtcDateTime` itself."""

    def bind_processor(self, dialect: Dialect) -> None:
        """Leave texts as they are."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Leave texts as they are."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware on the way in, aware and in UTC on the way out, to the microsecond.

    SQLite keeps `2026-11-22 09:00:00.000000`. A busy statement writes five of them a row, so they
    are written and read by the two quickest calls there are.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> DateTime:
        """Keep the zone where the database can; SQLite keeps the text of the UTC time."""
        if dialect.name == "postgresql":
            return DateTime(timezone=True)
        return _Text()  # type: ignore[no-untyped-call] # untyped there

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant as the database keeps it.

        Raises:
            ValueError: the value has no time zone, so that nobody can say which instant it is.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        if dialect.name == "postgresql":
            return utc
        return cast("datetime", utc.isoformat(" ", "microseconds")[:26])

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored instant, aware and in UTC."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)
        return datetime.fromisoformat(f"{value}+00:00")
