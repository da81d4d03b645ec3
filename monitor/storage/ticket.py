"""What an incident's page reads: pages of its alerts and lines, and counts of the rest.

A storm may leave tens of thousands of either; a page must not cost more for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, case, func, select, tuple_

from incidents.timeline import AUTOMATION
from monitor.storage.schema import alerts, incidents, timeline

MOST_KINDS = 200  # of rules, journeys and runbooks that the alerts of one incident name
_a = alerts.c
_t = timeline.c


@dataclass(frozen=True, slots=True)
class AlertKind:
    """What many alerts of an incident share: their rule, their journey, the runbook they bring."""

    name: str
    journey: str
    runbook_url: str


def alert_page(
    connection: Connection, incident_id: int, *, offset: int = 0, limit: int
) -> list[RowMapping]:
    """Return some of the alerts that ever belonged to an incident, open ones first, then by age."""
    statement = select(alerts).where(_a.incident_id == incident_id)
    order = (_a.open_marker.is_(None), _a.id)
    found = connection.execute(statement.order_by(*order).offset(offset).limit(limit))
    return list(found.mappings())


def alert_counts(connection: Connection, incident_id: int) -> dict[str, int]:
    """Return how many alerts of an incident are in each state."""
    statement = (
        select(_a.state, func.count()).where(_a.incident_id == incident_id).group_by(_a.state)
    )
    return dict(connection.execute(statement).all())


def alert_kinds(connection: Connection, incident_id: int) -> list[AlertKind]:
    """Return the kinds of alerts an incident has, the first that came first."""
    columns = [
        func.coalesce(_a.labels["alertname"].as_string(), ""),
        func.coalesce(_a.labels["journey"].as_string(), ""),
        func.coalesce(_a.annotations["runbook_url"].as_string(), ""),
    ]
    named = (
        select(*(column.label(name) for column, name in zip(columns, "njr", strict=True)), _a.id)
        .where(_a.incident_id == incident_id)
        .subquery()
    )
    kinds = (named.c.n, named.c.j, named.c.r)
    statement = select(*kinds).group_by(*kinds).order_by(func.min(named.c.id)).limit(MOST_KINDS)
    return [AlertKind(*row) for row in connection.execute(statement)]


def line_counts(connection: Connection, incident_id: int) -> dict[tuple[str, str], int]:
    """Return how many lines a timeline has of each kind by each actor."""
    statement = (
        select(_t.kind, _t.actor, func.count())
        .where(_t.incident_id == incident_id)
        .group_by(_t.kind, _t.actor)
    )
    return {(kind, actor): count for kind, actor, count in connection.execute(statement)}


def line_page(
    connection: Connection,
    incident_id: int,
    *,
    of: Collection[tuple[str, str]] | None = None,
    before: int | None = None,
    limit: int,
) -> list[RowMapping]:
    """Return the newest lines of a timeline, newest first: those before a row, of these kinds.

    `of` are pairs of kind and actor; None: all.
    """
    statement = select(timeline).where(_t.incident_id == incident_id)
    if before is not None:
        statement = statement.where(_t.id < before)
    if of is not None:
        statement = statement.where(tuple_(_t.kind, _t.actor).in_(sorted(of)))
    return list(connection.execute(statement.order_by(_t.id.desc()).limit(limit)).mappings())


def count_lines(connection: Connection, incident_id: int) -> int:
    """Return how many lines a timeline has."""
    statement = select(func.count()).where(_t.incident_id == incident_id)
    return int(connection.execute(statement).scalar_one())


def story_lines(
    connection: Connection, incident_id: int, *, ends: int, people: int
) -> list[RowMapping]:
    """Return how a timeline begins and ends, and what people did between, oldest first.

    `ends` lines of its beginning and as many of its end, and at most `people` between them.
    """
    mine = select(timeline).where(_t.incident_id == incident_id)
    first = connection.execute(mine.order_by(_t.id).limit(ends)).mappings().all()
    if len(first) < ends:
        return list(first)
    later = mine.where(_t.id > first[-1]["id"])
    last = connection.execute(later.order_by(_t.id.desc()).limit(ends)).mappings().all()
    if len(last) < ends:
        return [*first, *reversed(last)]
    between = later.where(_t.id < last[-1]["id"], _t.actor != AUTOMATION)
    by_people = connection.execute(between.order_by(_t.id).limit(people)).mappings().all()
    return [*first, *by_people, *reversed(last)]


def unsent_counts(connection: Connection, incident_id: int) -> dict[str, int]:
    """Return how often a timeline gives each reason why somebody was not told."""
    reason = _t.data["reason"].as_string().label("reason")
    mine = select(reason).where(_t.incident_id == incident_id).subquery()
    named = select(mine.c.reason, func.count()).where(mine.c.reason != "")
    return dict(connection.execute(named.group_by(mine.c.reason)).all())


def first_line(connection: Connection, incident_id: int, kind: str) -> RowMapping | None:
    """Return the first line of a kind, or None."""
    statement = select(timeline).where(_t.incident_id == incident_id, _t.kind == kind)
    return connection.execute(statement.order_by(_t.id).limit(1)).mappings().one_or_none()


def first_line_at(connection: Connection, incident_id: int, kind: str) -> datetime | None:
    """Return when the first line of a kind was written, or None."""
    found = first_line(connection, incident_id, kind)
    return found["at"] if found is not None else None


def count_open(connection: Connection, *, but: int | None = None) -> int:
    """Return how many incidents are open, the number `but` not counted."""
    i = incidents.c
    statement = select(func.count()).where(i.open_marker == 1, i.number > 0)
    if but is not None:
        statement = statement.where(i.number != but)
    return int(connection.execute(statement).scalar_one())


def worst_open(connection: Connection, limit: int, *, but: int | None = None) -> list[int]:
    """Return the row ids of open incidents, worst first, then oldest; without the number `but`."""
    i = incidents.c
    rank = case({"critical": 0, "warning": 1}, value=i.severity, else_=2)
    statement = select(i.id).where(i.open_marker == 1, i.number > 0)
    if but is not None:
        statement = statement.where(i.number != but)
    return list(connection.execute(statement.order_by(rank, i.started_at).limit(limit)).scalars())
