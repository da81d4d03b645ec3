"""Every alert with the why: what the console's explorer shows, one page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from incidents.alerts.inhibition import InhibitRule
from incidents.alerts.matchers import Matcher
from incidents.lifecycle import Severity
from monitor.storage.alert_lists import Rows, alerts_by_id, closed_rows
from monitor.storage.crowds import Alikes, many_valued, open_crowds, page_of, values_of
from monitor.use_cases.standing import Stands, Tests, standing

PER_PAGE = 50
MOST_CLOSED = 1_000  # of those that ended last
MOST_GROUPS = 200


class Shown(StrEnum):
    """What the explorer says of an alert; the first that is true."""

    FIRING = "firing"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MUTED = "muted"  # by a maintenance window
    LAPSED = "lapsed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Line:
    """One alert with its row and what is said of it."""

    stands: Stands
    shown: Shown
    row: Row[Any]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """Alerts that share the value of a label."""

    value: str
    count: int
    worst: Severity


@dataclass(frozen=True, slots=True)
class Explored:
    """A page of alerts, how many there are of each kind, and groups where they were asked for."""

    lines: list[Line]
    counts: Counter[Shown]
    total: int
    groups: list[GroupLine]


def explore(
    connection: Connection,
    rules: Sequence[InhibitRule],
    now: datetime,
    *,
    wanted: Sequence[Matcher] = (),
    shown: Shown | None = None,
    group: str = "",
    offset: int = 0,
) -> Explored:
    """Return what stands from `offset` on among alerts that meet `wanted` and are as `shown`.

    Open alerts unless `RESOLVED` is asked for; the worst first, then the last received.
    """
    names = (group,) if group else ()
    asked: list[str] = []  # every label that anybody asks about
    alikes = Alikes((), {})

    def crowds(connection: Connection, columns: Sequence[str], tests: Tests) -> Rows:
        nonlocal alikes
        asked[:], alikes = columns, Alikes(columns, many_valued(connection, tests))
        return open_crowds(connection, columns, alikes)

    found = standing(connection, crowds, rules, now, wanted=wanted, names=names)
    counts: Counter[Shown] = Counter()
    for one in found:
        counts[shown_as(one)] += one.key.count
    if shown is Shown.RESOLVED:
        listed = standing(connection, _closed, (), now, wanted=wanted, names=names, is_open=False)
        lines = [(one.key, one) for one in listed[offset : offset + PER_PAGE]]
        total, weighed = len(listed), [(one, 1) for one in listed]
    else:
        listed = [one for one in found if shown is None or shown_as(one) is shown]
        total, weighed = sum(one.key.count for one in listed), [(o, o.key.count) for o in listed]
        are_all = not wanted and len(listed) == len(found)
        lines = _lines(connection, asked, alikes, listed, are_all, offset)
    rows = alerts_by_id(connection, [row_id for row_id, _ in lines])
    return Explored(
        [Line(one, shown_as(one), rows[row_id]) for row_id, one in lines if row_id in rows],
        counts,
        total,
        _groups(weighed, group) if group else [],
    )


def _lines(
    connection: Connection,
    asked: Sequence[str],
    alikes: Alikes,
    listed: Sequence[Stands],
    are_all: bool,
    offset: int,
) -> list[tuple[int, Stands]]:
    """Return the alerts of a page by row id, each with how its crowd stands."""
    crowds = [one.key for one in listed]
    ids = page_of(connection, asked, crowds, _RANKS, are_all=are_all, offset=offset, limit=PER_PAGE)
    of_values = {one.key.values: one for one in listed}
    known = values_of(connection, asked, ids, alikes)
    return [(row_id, of_values[known[row_id]]) for row_id in ids if known[row_id] in of_values]


def shown_as(one: Stands) -> Shown:
    """Return the one word for an alert."""
    if not one.is_open:
        return Shown.RESOLVED
    if one.window:
        return Shown.MUTED
    if one.silences:
        return Shown.SILENCED
    if one.inhibited_by:
        return Shown.INHIBITED
    return Shown.LAPSED if one.state == "lapsed" else Shown.FIRING


_RANKS = {severity.value: severity.rank for severity in Severity}


def _closed(connection: Connection, names: Sequence[str], _tests: Tests) -> Rows:
    return closed_rows(connection, names, MOST_CLOSED)


def _groups(listed: Sequence[tuple[Stands, int]], name: str) -> list[GroupLine]:
    counts: Counter[str] = Counter()
    worst: dict[str, int] = {}
    for one, weight in listed:
        value = one.labels.get(name, "")
        counts[value] += weight
        worst[value] = min(worst.get(value, len(_RANKS)), _RANKS.get(one.severity, 1))
    by_weight = sorted(counts, key=lambda value: (worst[value], -counts[value], value))
    severities = list(Severity)
    return [
        GroupLine(value, counts[value], severities[worst[value]])
        for value in by_weight[:MOST_GROUPS]
    ]
