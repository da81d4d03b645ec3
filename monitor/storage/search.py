"""Finding incidents, reports and maintenance by words, the same on SQLite and on PostgreSQL.

Every word has to stand somewhere in the row; what fits best comes first, then what is open, then
what is newest. Only the newest `REACH` rows of a kind are looked at, so that a search costs the
same after years. SQLite tells upper from lower case apart outside A to Z; PostgreSQL does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)

from monitor.storage.schema import alerts, incidents, maintenance, report_messages, reports

REACH = 20_000  # 0.3 s for a word that is nowhere, SQLite on one busy core, 2026-11


@dataclass(frozen=True, slots=True)
class Found:
    """A row that fits: its number, what it is called, more words, and the word of its state."""

    number: int
    title: str
    detail: str
    state: str


def find_incidents(connection: Connection, words: Sequence[str], limit: int) -> list[Found]:
    """Return incidents by number, title, component, journey, cause, or a label of their alerts."""
    c = incidents.c
    own = (c.title, c.public_title, c.component, c.journey, c.step, c.reason, c.customer_message)
    fits = [
        or_(_named(c.number, "INC-", word), _any_holds(own, word), _label_of(c.id, word))
        for word in words
    ]
    rank = _rank(c.title, words)
    statement = select(c.number, c.title, c.component, c.status).where(
        *fits, _within_reach(incidents)
    )
    order = (rank, c.open_marker.is_(None), c.number.desc())
    rows = connection.execute(statement.order_by(*order).limit(limit))
    return [Found(row.number, row.title, row.component or "", row.status) for row in rows]


def find_reports(connection: Connection, words: Sequence[str], limit: int) -> list[Found]:
    """Return reports by number, text, answers, reporter or order: for whoever may read reports."""
    c, m = reports.c, report_messages.c
    own = (c.description, c.reporter_name, c.reporter_email, c.order_reference, c.component)
    said = [exists().where(m.report_id == c.id, _holds(m.body, word)) for word in words]
    fits = [
        or_(_named(c.number, "RPT-", word), _any_holds(own, word), told)
        for word, told in zip(words, said, strict=True)
    ]
    statement = select(c.number, c.description, c.component, c.status).where(
        *fits, _within_reach(reports)
    )
    order = (_rank(c.description, words), c.status == "closed", c.number.desc())
    rows = connection.execute(statement.order_by(*order).limit(limit))
    return [Found(row.number, row.description, row.component or "", row.status) for row in rows]


def find_windows(connection: Connection, words: Sequence[str], limit: int) -> list[Found]:
    """Return maintenance windows by number, title or description, the newest first."""
    c = maintenance.c
    fits = [
        or_(_named(c.number, "MNT-", word), _any_holds((c.title, c.description), word))
        for word in words
    ]
    statement = select(c.number, c.title, c.description).where(*fits, _within_reach(maintenance))
    order = (_rank(c.title, words), c.number.desc())
    rows = connection.execute(statement.order_by(*order).limit(limit))
    return [Found(row.number, row.title, row.description, "") for row in rows]


def report_number_by_token(connection: Connection, token: str) -> int | None:
    """Return the number of the report with this secret reference, or None."""
    statement = select(reports.c.number).where(reports.c.token == token)
    return connection.execute(statement).scalar_one_or_none()


def _holds(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    return column.icontains(word, autoescape=True)


def _any_holds(columns: Sequence[Column[Any]], word: str) -> ColumnElement[bool]:
    return or_(*(_holds(column, word) for column in columns))


def _named(number: Column[int], prefix: str, word: str) -> ColumnElement[bool]:
    """Return whether the word is the row's name: `INC-7`, `#7` or `7`."""
    digits = word.upper().removeprefix(prefix).removeprefix("#")
    known = digits.isascii() and digits.isdigit() and len(digits) < 10
    return number == int(digits) if known else or_(False)


def _label_of(incident_id: Column[int], word: str) -> ColumnElement[bool]:
    """Return whether an alert of the incident has the word in a label; `name=value` names both."""
    name, equals, value = word.partition("=")
    text = cast(alerts.c.labels, String)
    parts = (f'"{name}":', value.strip('"')) if equals and name else (word,)
    return exists().where(
        alerts.c.incident_id == incident_id, *(_holds(text, part) for part in parts)
    )


def _rank(title: Column[str], words: Sequence[str]) -> ColumnElement[int]:
    """Return 0 where the title begins with the words, 1 where it holds them all, else 2."""
    begins = title.istartswith(" ".join(words), autoescape=True)
    return case((begins, 0), (and_(*(_holds(title, word) for word in words)), 1), else_=2)


def _within_reach(table: Table) -> ColumnElement[bool]:
    newest: Select[Any] = select(func.coalesce(func.max(table.c.number), 0) - REACH)
    return table.c.number > newest.scalar_subquery()
