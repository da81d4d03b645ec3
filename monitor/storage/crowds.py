"""Open alerts in crowds: those that nobody who asks can tell apart are counted by the database.

Fifty thousand alerts of one rule are one crowd, also where a silence asks for a label that each has
for itself; only the alerts of the page that is shown are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, select, tuple_

from incidents.alerts.matchers import Matcher
from monitor.storage.schema import alerts

MOST_NAMED = 200  # crowds that one statement names, and values of a label that are told apart
_c = alerts.c
_FACTS = (_c.state, _c.severity, _c.muted_by)


@dataclass(slots=True)
class Crowd:
    """Alerts alike in what `values` say: state, severity, what mutes them, and labels.

    Of a label that only matchers look at, one value stands for all on which they agree; the row
    ids of all its alerts are known then.
    """

    values: tuple[str, ...]
    fingerprint: str  # of one of them
    count: int = 0
    ids: list[int] | None = None


class Alikes:
    """Which labels are told apart by what matchers say of them alone.

    `tests` are the matchers of each such label. Every value is looked at once.
    """

    def __init__(self, names: Sequence[str], tests: Mapping[str, Sequence[Matcher]]) -> None:
        tested = [place for place, name in enumerate(names) if name in tests]
        self.places = [len(_FACTS) + place for place in tested]
        """Where these labels are among the values of a crowd."""
        self._classes = [_Classes(tests[names[place]]) for place in tested]

    def classes(self, written: Sequence[str]) -> tuple[str, ...]:
        """Return what stands for the values of these labels."""
        return tuple([of[value] for of, value in zip(self._classes, written, strict=True)])

    def put_in(self, others: Sequence[str], marks: Sequence[str]) -> tuple[str, ...]:
        """Return all values of a crowd: those of these labels among the others."""
        shown = list(others)
        for place, mark in zip(self.places, marks, strict=True):
            shown.insert(place, mark)
        return tuple(shown)

    def of(self, values: Sequence[str]) -> tuple[str, ...]:
        """Return the values of the crowd that an alert with these belongs to."""
        others = [value for place, value in enumerate(values) if place not in self.places]
        return self.put_in(others, self.classes([values[place] for place in self.places]))


class _Classes(dict[str, str]):
    """By value of a label, the first that met the same matchers."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        super().__init__()
        self._tests = [matcher.test() for matcher in matchers]
        self._first: dict[tuple[bool, ...], str] = {}

    def __missing__(self, value: str) -> str:
        met = tuple([test(value) for test in self._tests])
        first = self[value] = self._first.setdefault(met, value)
        return first


def many_valued(
    connection: Connection, tests: Mapping[str, Sequence[Matcher]]
) -> dict[str, Sequence[Matcher]]:
    """Return the tests of labels of which open alerts have too many values for a crowd each."""
    found = {}
    for name in sorted(tests):
        values = select(_c.labels[name].as_string()).where(_c.open_marker == 1).distinct()
        if len(connection.execute(values.limit(MOST_NAMED + 1)).all()) > MOST_NAMED:
            found[name] = tests[name]
    return found


def open_crowds(
    connection: Connection, names: Sequence[str], alikes: Alikes
) -> list[tuple[Any, ...]]:
    """Return (crowd, identity of one of them, state, severity, muted_by, *labels asked for)."""
    values = [value.label(f"v{number}") for number, value in enumerate(_values(names))]
    told = select(_c.id, _c.fingerprint, *values).where(_c.open_marker == 1).subquery()
    alike = [told.c[value.name] for value in values]  # PostgreSQL groups by columns, not parameters
    crowds = (
        _crowds(connection, told, alike, alikes)
        if alikes.places
        else _plain(connection, told, alike)
    )
    return [(crowd, crowd.fingerprint, *crowd.values) for crowd in crowds]


def _plain(connection: Connection, told: Subquery, alike: Sequence[Any]) -> list[Crowd]:
    counted = select(func.count(), func.min(told.c.fingerprint), *alike).group_by(*alike)
    return [
        Crowd(tuple(values), fingerprint, count)
        for count, fingerprint, *values in connection.execute(counted)
    ]


def _crowds(
    connection: Connection, told: Subquery, alike: Sequence[Any], alikes: Alikes
) -> Iterable[Crowd]:
    """Return crowds of which some labels are told apart by matchers alone.

    The values of such a label come as one list for all alerts alike in the others: a row for each
    would take several times as long.
    """
    together = func.json_agg if connection.dialect.name == "postgresql" else func.json_group_array
    lists = [told.c.id, told.c.fingerprint, *(alike[place] for place in alikes.places)]
    others = [value for place, value in enumerate(alike) if place not in alikes.places]
    statement = select(*map(together, lists), *others).group_by(*others)
    found: dict[tuple[str, ...], Crowd] = {}
    for row in connection.execute(statement):
        ids, fingerprints, *tested = (
            one if isinstance(one, list) else json.loads(one) for one in row[: len(lists)]
        )
        of_class: dict[tuple[str, ...], Crowd] = {}
        for row_id, fingerprint, *written in zip(ids, fingerprints, *tested, strict=True):
            marks = alikes.classes(written)
            crowd = of_class.get(marks)
            if crowd is None:
                values = alikes.put_in(row[len(lists) :], marks)
                crowd = found.setdefault(values, Crowd(values, fingerprint, ids=[]))
                of_class[marks] = crowd
            crowd.count += 1
            crowd.fingerprint = min(crowd.fingerprint, fingerprint)
            cast("list[int]", crowd.ids).append(row_id)
    return found.values()


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
    values = _values(names)
    statement = select(_c.id).where(_c.open_marker == 1)
    order = (case(dict(ranks), value=_c.severity, else_=1), _c.id.desc())
    if are_all:
        page = statement.order_by(*order).offset(offset).limit(limit)
        return list(connection.execute(page).scalars())
    if all(crowd.ids is not None for crowd in crowds):
        ranked = (
            (ranks.get(crowd.values[1], 1), -row_id)
            for crowd in crowds
            for row_id in crowd.ids or ()
        )
        return [-negative for _, negative in nsmallest(offset + limit, ranked)[offset:]]
    if len(crowds) <= MOST_NAMED:
        ours = statement.where(tuple_(*values).in_([crowd.values for crowd in crowds]))
        page = ours.order_by(*order).offset(offset).limit(limit)
        return list(connection.execute(page).scalars())
    wanted = {crowd.values for crowd in crowds}
    rows = connection.execute(statement.add_columns(*values).order_by(*order))
    ids = [row[0] for row in rows if tuple(row[1:]) in wanted]
    return ids[offset : offset + limit]


def values_of(
    connection: Connection, names: Sequence[str], ids: Sequence[int], alikes: Alikes
) -> dict[int, tuple[str, ...]]:
    """Return by row id what tells the crowd of an alert."""
    statement = select(_c.id, *_values(names)).where(_c.id.in_(ids))
    return {row[0]: alikes.of(row[1:]) for row in connection.execute(statement)}


def _values(names: Sequence[str]) -> list[ColumnElement[Any]]:
    labels = [func.coalesce(_c.labels[name].as_string(), "") for name in names]
    return [*_FACTS, *labels]
