"""Open alerts in crowds: those that nobody who asks can tell apart are counted by the database.

Fifty thousand alerts of one rule are one crowd; only the alerts of the page that is shown are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, tuple_

from monitor.storage.schema import alerts

MOST_NAMED = 200  # crowds that one statement names
_c = alerts.c


@dataclass(frozen=True, slots=True)
class Crowd:
    """Alerts alike in what `values` say: state, severity, what mutes them, and labels."""

    count: int
    newest_id: int
    values: tuple[str, ...]


def open_crowds(connection: Connection, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return (crowd, identity of one of them, state, severity, muted_by, *labels asked for)."""
    values = [value.label(f"v{number}") for number, value in enumerate(_values(names))]
    told = select(_c.id, _c.fingerprint, *values).where(_c.open_marker == 1).subquery()
    alike = [told.c[value.name] for value in values]  # PostgreSQL groups by columns, not parameters
    statement = select(
        func.count(), func.max(told.c.id), func.min(told.c.fingerprint), *alike
    ).group_by(*alike)
    return [
        (Crowd(count, newest, tuple(told)), fingerprint, *told)
        for count, newest, fingerprint, *told in connection.execute(statement)
    ]


def page_of(
    connection: Connection,
    names: Sequence[str],
    crowds: Sequence[Crowd],
    ranks: Mapping[str, int],
    *,
    are_all: bool,
    offset: int,
    limit: int,
) -> list[int]:
    """Return row ids of alerts of these crowds, by the rank of their severity, the last first.

    `names` are the labels the crowds were asked for; `are_all` if there is no other crowd.
    """
    if not are_all and all(crowd.count == 1 for crowd in crowds):
        ordered = sorted(
            crowds, key=lambda crowd: (ranks.get(crowd.values[1], 1), -crowd.newest_id)
        )
        return [crowd.newest_id for crowd in ordered[offset : offset + limit]]
    values = _values(names)
    statement = select(_c.id).where(_c.open_marker == 1)
    order = (case(dict(ranks), value=_c.severity, else_=1), _c.id.desc())
    if are_all:
        page = statement.order_by(*order).offset(offset).limit(limit)
        return list(connection.execute(page).scalars())
    if len(crowds) <= MOST_NAMED:
        ours = statement.where(tuple_(*values).in_([crowd.values for crowd in crowds]))
        page = ours.order_by(*order).offset(offset).limit(limit)
        return list(connection.execute(page).scalars())
    wanted = {crowd.values for crowd in crowds}
    rows = connection.execute(statement.add_columns(*values).order_by(*order))
    ids = [row[0] for row in rows if tuple(row[1:]) in wanted]
    return ids[offset : offset + limit]


def values_of(
    connection: Connection, names: Sequence[str], ids: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return by row id what tells the crowd of an alert."""
    statement = select(_c.id, *_values(names)).where(_c.id.in_(ids))
    return {row[0]: tuple(row[1:]) for row in connection.execute(statement)}


def _values(names: Sequence[str]) -> list[ColumnElement[Any]]:
    labels = [func.coalesce(_c.labels[name].as_string(), "") for name in names]
    return [_c.state, _c.severity, _c.muted_by, *labels]
