"""Open alerts for lists, read compactly: a list of 50,000 must not take a second.

Only the labels that somebody asks about are taken out of an alert, by the database; what is merely
passed on is written as JSON there too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from typing import cast as cast_type

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)

from monitor.storage.schema import alerts, incidents

NEVER = "0001-01-01T00:00:00.000Z"
_c = alerts.c

Rows = Sequence[tuple[Any, ...]]


def open_texts(connection: Connection, names: Sequence[str], _tests: object = None) -> Rows:
    """Return (text, fingerprint, state, severity, muted_by, *labels asked for) of open alerts.

    The text is the alert's members in Alertmanager's JSON, without those that change with the
    asker: `receivers` and `status`.
    """
    text = _text(connection.dialect.name)
    return _all(connection, select(text, *_facts(names)).where(_c.open_marker == 1))


def closed_rows(connection: Connection, names: Sequence[str], limit: int) -> Rows:
    """Return the same of the alerts that ended last, each with its row id for the text."""
    ended = select(_c.id, *_facts(names)).where(
        _c.resolved_at.is_not(None), _c.open_marker.is_(None)
    )
    return _all(connection, ended.order_by(_c.resolved_at.desc(), _c.id).limit(limit))


def alerts_by_id(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Return whole alerts, with the `number` of their incident, by row id."""
    statement = (
        select(alerts, incidents.c.number)
        .outerjoin(incidents, incidents.c.id == _c.incident_id)
        .where(_c.id.in_(ids))
    )
    return {row.id: row for row in connection.execute(statement)}


def _all(connection: Connection, statement: Select[Any]) -> Rows:
    return cast_type("Rows", connection.execute(statement).all())


def _facts(names: Sequence[str]) -> list[ColumnElement[Any]]:
    asked = [_c.labels[name].as_string() for name in names]
    return [_c.fingerprint, _c.state, _c.severity, _c.muted_by, *asked]


def _text(dialect: str) -> ColumnElement[str]:
    """Return the expression that writes an alert's members as JSON."""
    quoted = (
        func.json_quote(_c.generator_url)
        if dialect == "sqlite"
        else cast(func.to_json(_c.generator_url), Text)
    )
    parts: list[Any] = [
        '"annotations":',
        cast(_c.annotations, Text),
        ',"endsAt":"',
        func.coalesce(_time(dialect, _c.ends_at), NEVER),
        '","fingerprint":"',
        _c.fingerprint,
        '","startsAt":"',
        _time(dialect, _c.starts_at),
        '","updatedAt":"',
        _time(dialect, _c.updated_at),
        '","labels":',
        cast(_c.labels, Text),
        case(
            (_c.generator_url == "", ""), else_=literal(',"generatorURL":', Text).op("||")(quoted)
        ),
    ]
    texts = [literal(part, Text) if isinstance(part, str) else part for part in parts]
    joined: Any = texts[0]
    for text in texts[1:]:
        joined = joined.op("||")(text)
    found: ColumnElement[str] = joined
    return found


def _time(dialect: str, column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the expression that writes an instant as Alertmanager does: milliseconds, UTC."""
    if dialect == "sqlite":  # kept as the text of the UTC time, with microseconds
        text = type_coerce(column, Text)
        return (
            func.substr(text, 1, 10).op("||")("T").op("||")(func.substr(text, 12, 12)).op("||")("Z")
        )
    utc = func.timezone("UTC", column)
    return func.to_char(utc, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
