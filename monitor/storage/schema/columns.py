"""The metadata every table belongs to, and the columns many tables have."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, Text, false

from monitor.storage.types import BigId, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_id() -> Column[int]:
    """Return the number by which a table's own rows are known."""
    return Column("id", BigId, primary_key=True, autoincrement=True)


def at(name: str, *, required: bool = False) -> Column[UtcDateTime]:
    """Return an instant; NULL where it has not come, unless it is required."""
    return Column(name, UtcDateTime(), nullable=not required)


def words(name: str, default: str | None = None) -> Column[str]:
    """Return a text that is always there: empty rather than NULL, unless a default is given."""
    return Column(name, Text, nullable=False, default=default or "", server_default=default or "")


def count(name: str) -> Column[int]:
    """Return a number that starts at 0."""
    return Column(name, Integer, nullable=False, default=0, server_default="0")


def flag(name: str) -> Column[bool]:
    """Return a yes or no that starts as no."""
    return Column(name, Boolean, nullable=False, default=False, server_default=false())


def reference(table: str, *, required: bool = True, keep: bool = False) -> Column[int]:
    """Return a reference; the row goes with what it refers to, or is kept without it."""
    target = ForeignKey(f"{table}.id", ondelete="SET NULL" if keep else "CASCADE")
    name = {"incidents": "incident_id", "reports": "report_id", "users": "user_id"}.get(
        table, f"{table}_id"
    )
    return Column(name, BigId, target, nullable=not required)
