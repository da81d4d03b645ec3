"""Which incident things belong to, changed later: alerts moved, incidents merged and linked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, bindparam, delete, or_, select, update

from incidents.outbox import NotSent, Recipient
from incidents.timeline import AUTOMATION
from monitor.storage.schema import (
    alerts,
    incident_links,
    incident_tasks,
    incidents,
    outbox,
    placements,
    timeline,
)
from monitor.storage.store import Transaction

REPORTER = "reporter"  # a user's own act on a timeline is nobody's work on the incident


@dataclass(frozen=True, slots=True)
class Placement:
    """What a person decided about an alert: with this incident, or apart from it."""

    fingerprint: str
    incident_id: int
    apart: bool
    placed_by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Another incident that has to do with this one."""

    incident_id: int
    number: int
    title: str
    status: str
    why: str
    linked_by: str
    at: datetime


# Built once: every transaction about alerts asks for it, and building costs more than asking.
_LIVE = (
    select(*(placements.c[name] for name in Placement.__dataclass_fields__))
    .join_from(placements, incidents, incidents.c.id == placements.c.incident_id)
    .where(
        or_(
            incidents.c.open_marker == 1,
            incidents.c.resolved_at >= bindparam("since"),
            incidents.c.merged_into_id.is_not(None),
        )
    )
    .order_by(placements.c.id)
)


def alert_rows(connection: Connection, incident_id: int, ids: Collection[int]) -> list[RowMapping]:
    """Return those of the alerts with these row ids that belong to the incident, oldest first."""
    c = alerts.c
    statement = select(alerts).where(c.incident_id == incident_id, c.id.in_(sorted(set(ids))))
    return list(connection.execute(statement.order_by(c.id)).mappings())


def move_alerts(
    tx: Transaction, ids: Collection[int], to: int, because: str, placed_by: str
) -> None:
    """Record that these alerts belong to another incident, and who says so."""
    values = {"incident_id": to, "joined_because": because, "placed_by": placed_by}
    tx.connection.execute(update(alerts).where(alerts.c.id.in_(sorted(ids))).values(**values))
    tx.touch("alerts")


def move_all_alerts(tx: Transaction, source: int, to: int, because: str) -> int:
    """Record that every alert of one incident belongs to another, and return how many did."""
    moved = tx.connection.execute(
        update(alerts)
        .where(alerts.c.incident_id == source)
        .values(incident_id=to, joined_because=because)
    )
    tx.touch("alerts")
    return moved.rowcount


def move_open_tasks(tx: Transaction, source: int, to: int, first_number: int) -> int:
    """Give another incident the tasks that are not done, numbered from `first_number` on."""
    c = incident_tasks.c
    waiting = (c.incident_id == source, c.done_at.is_(None))
    ids = tx.connection.execute(select(c.id).where(*waiting).order_by(c.number)).scalars().all()
    for offset, row_id in enumerate(ids):
        values = {"incident_id": to, "number": first_number + offset}
        tx.connection.execute(update(incident_tasks).where(c.id == row_id).values(**values))
    return len(ids)


def follow_merge(tx: Transaction, source: int, to: int) -> None:
    """Have what was merged into `source` stand for `to`, so that nobody follows a chain."""
    merged = incidents.c.merged_into_id
    tx.connection.execute(update(incidents).where(merged == source).values(merged_into_id=to))


def merged_into(connection: Connection, incident_id: int) -> list[Row[Any]]:
    """Return (number, title, resolved_at) of the incidents merged into this one, oldest first."""
    c = incidents.c
    statement = select(c.number, c.title, c.resolved_at).where(c.merged_into_id == incident_id)
    return list(connection.execute(statement.order_by(c.number)))


def add_placements(tx: Transaction, rows: Sequence[Placement]) -> None:
    """Record what a person decided."""
    if rows:
        values = [{name: getattr(row, name) for name in row.__slots__} for row in rows]
        tx.connection.execute(placements.insert(), values)


def live_placements(connection: Connection, resolved_since: datetime) -> list[Placement]:
    """Return what people decided about incidents that alerts may still join, oldest first.

    That is: open ones, recent ones, and those that were merged into another.
    """
    return [Placement(*row) for row in connection.execute(_LIVE, {"since": resolved_since})]


def people_worked_on(connection: Connection, incident_id: int) -> bool:
    """Tell whether any line of the incident's timeline was written by a person of ours."""
    c = timeline.c
    statement = select(c.id).where(
        c.incident_id == incident_id, c.actor.not_in(("", AUTOMATION, REPORTER))
    )
    return connection.execute(statement.limit(1)).first() is not None


def add_link(tx: Transaction, one: int, other: int, *, why: str, by: str, at: datetime) -> bool:
    """Link two incidents; False where they are linked already, in either direction."""
    if tx.connection.execute(select(incident_links.c.id).where(_between(one, other))).first():
        return False
    row = {"incident_id": one, "other_id": other, "why": why, "linked_by": by, "at": at}
    tx.connection.execute(incident_links.insert().values(**row))
    tx.touch("incidents")
    return True


def remove_link(tx: Transaction, one: int, other: int) -> bool:
    """Take the link between two incidents away; False where there is none."""
    gone = tx.connection.execute(delete(incident_links).where(_between(one, other)))
    tx.touch("incidents")
    return gone.rowcount > 0


def links_of(connection: Connection, incident_id: int) -> list[LinkRow]:
    """Return the incidents that are linked to this one, by number."""
    found: list[LinkRow] = []
    mine, theirs = incident_links.c.incident_id, incident_links.c.other_id
    for here, there in ((mine, theirs), (theirs, mine)):
        i, k = incidents.c, incident_links.c
        statement = (
            select(i.id, i.number, i.title, i.status, k.why, k.linked_by, k.at)
            .join_from(incident_links, incidents, i.id == there)
            .where(here == incident_id)
        )
        found += [LinkRow(*row) for row in connection.execute(statement)]
    return sorted(found, key=lambda row: row.number)


def drop_queued(
    tx: Transaction, incident_id: int, recipients: Iterable[Recipient], now: datetime
) -> list[Mapping[str, Any]]:
    """Drop what waits to be sent about an incident to these recipients, and return it."""
    c = outbox.c
    wanted = set(recipients)
    waiting = tx.connection.execute(
        select(c.id, c.key, c.event, c.channel, c.recipient)
        .where(c.incident_id == incident_id, c.state == "queued", c.attempts == 0)
        .order_by(c.id)
        .with_for_update()
    )
    rows = [row for row in waiting.mappings() if (row["channel"], row["recipient"]) in wanted]
    if rows:
        reason = NotSent.SUPPRESSED_BY_PARENT.value
        tx.connection.execute(
            update(outbox)
            .where(c.id.in_([row["id"] for row in rows]), c.state == "queued")
            .values(state="dropped", reason=reason, finished_at=now)
        )
        tx.touch("outbox")
    return [dict(row) for row in rows]


def _between(one: int, other: int) -> Any:
    mine, theirs = incident_links.c.incident_id, incident_links.c.other_id
    return ((mine == one) & (theirs == other)) | ((mine == other) & (theirs == one))
