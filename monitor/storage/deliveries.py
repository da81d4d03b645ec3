"""The outbox as its workers see it: rows are claimed with a lease, finished, or put back.

A claim is one statement, so two workers never hold the same row: on PostgreSQL it locks and skips
what another transaction holds, on SQLite there is one writer at a time. A row whose lease ran out
is due again, because nobody can know whether it was sent: it goes out once more under the same key.

Rows about one thing (incident, maintenance or report) to one recipient over one channel form a
line, and only the first unfinished row of a line may be claimed. A row that was folded into another
is finished when that one is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from incidents.outbox import OPENINGS, Event
from incidents.pacing import Held
from monitor.storage import outages
from monitor.storage.schema import incidents, outbox, report_messages, timeline
from monitor.storage.schema.oncall import QUEUED_UPDATE, WAITS
from monitor.storage.store import Transaction

_UNFINISHED = ("queued", "sending")
_NOW = bindparam("now", type_=outbox.c.due_at.type)
TOLD_TOGETHER = (Held.STORM.value, Held.QUIET_HOURS.value, Held.OUTAGE.value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row of the outbox; `claim` proves that it is still ours."""

    id: int
    claim: str
    key: str
    event: str
    channel: str
    recipient: str
    severity: str
    subject: str
    body: str
    payload: Mapping[str, Any]
    created_at: datetime
    attempts: int
    incident_id: int | None
    maintenance_id: int | None
    report_id: int | None
    held: str = ""
    is_probe: bool = False
    """Whether it asks if a channel that rests is back."""

    @property
    def thread(self) -> str:
        """Return the name of what the row is about; its mails share a thread."""
        for name in ("incident", "maintenance", "report"):
            number = getattr(self, f"{name}_id")
            if number is not None:
                return f"{name}-{number}"
        return self.key

    @property
    def who(self) -> str:
        """Return who is told, as a line of the timeline says it."""
        if self.recipient and self.recipient != self.channel:
            return f"{self.recipient} by {self.channel}"
        return self.channel

    @property
    def what(self) -> str:
        """Return what of, as a line of the timeline says it."""
        return self.subject or self.event.replace("_", " ")


class Backlog(NamedTuple):
    """What still waits in the outbox."""

    pending: int
    oldest_at: datetime | None


class Opening(NamedTuple):
    """What became of the opening that the same recipient was sent."""

    state: str
    reason: str = ""
    reference: str = ""  # the receiver's own id of it
    attempts: int = 0

    @property
    def was_tried(self) -> bool:
        """Return whether it was given to the receiver at least once."""
        return self.attempts > 0

    @property
    def may_have_arrived(self) -> bool:
        """Return whether the recipient may know it; a deadline that passed leaves room for that."""
        if self.state == "failed":
            return self.was_tried and self.reason != "rejected"
        return self.state != "dropped" or self.was_tried


class Stands(NamedTuple):
    """How an incident stands; without a status it is gone."""

    status: str | None = None
    taken_by: str = ""


def due_channels(connection: Connection, now: datetime) -> Sequence[str]:
    """Return the channels that have a row due at `now`, without taking a write lock.

    One that rests is among them once a message may ask whether it is back.
    """
    return connection.execute(_due_channels(), {"now": now}).scalars().all()


def claim(
    tx: Transaction, *, channel: str, limit: int, worker: str, now: datetime, lease_seconds: float
) -> list[Delivery]:
    """Return up to `limit` due rows of a channel, now leased to `worker`, most urgent first.

    Of a channel that rests one row is returned, as its probe, and only when its time has come.
    """
    outage = outages.outage_of(tx.connection, channel)
    if outage is None or not outage.rests:
        return _claim_due(tx, _claim(), channel, limit, worker, now, lease_seconds)
    if not outages.take_probe(tx, channel, now):
        return []
    found = _claim_due(tx, _claim_probe(), channel, 1, worker, now, lease_seconds)
    if not found:
        outages.give_probe_back(tx, channel, now)
    return [replace(one, is_probe=True) for one in found]


def _claim_due(
    tx: Transaction,
    statement: Any,
    channel: str,
    limit: int,
    worker: str,
    now: datetime,
    lease_seconds: float,
) -> list[Delivery]:
    _drop_overtaken(tx, channel, now)
    values = {
        "of_channel": channel,
        "most": limit,
        "now": now,
        "lease_ends": now + timedelta(seconds=lease_seconds),
        "mark": f"{worker}/{uuid.uuid4().hex[:12]}",
    }
    found = tx.connection.execute(statement, values)
    return [as_delivery(row) for row in sorted(found, key=lambda row: (row.priority, row.id))]


# The statements of every round are built once: that costs several times what running them does.


@cache
def _due_channels() -> Select[str]:
    rests = outages.waits_for_probe(outbox.c.channel, _NOW)
    return select(outbox.c.channel).where(_is_due(), ~rests).distinct()


@cache
def _claim() -> Any:
    return _claiming(outbox.c.priority, outbox.c.id)


@cache
def _claim_probe() -> Any:
    """Return the claim of a channel that rests.

    The least tried goes first, or one that fails for its own reasons would be the only one to ask.
    """
    return _claiming(outbox.c.attempts, outbox.c.priority, outbox.c.id)


def _claiming(*order: ColumnElement[Any]) -> Any:
    before, digest = outbox.alias("before"), outbox.alias("digest")
    told_in = select(digest.c.id).where(
        digest.c.id == before.c.folded_into, digest.c.state.in_(_UNFINISHED)
    )
    unfinished = or_(
        before.c.state.in_(_UNFINISHED), and_(before.c.state == "folded", told_in.exists())
    )
    in_front = _in_same_line(before, before.c.id < outbox.c.id, unfinished)
    due = (
        select(outbox.c.id)
        .where(outbox.c.channel == bindparam("of_channel"), text(f"outbox.{WAITS}"))
        .where(_is_due(), ~in_front)
        .where(or_(outbox.c.held.not_in(TOLD_TOGETHER), ~_earlier_of_its_group().exists()))
        .order_by(*order)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")  # the rows are picked exactly once
    )
    return (
        update(outbox)
        .where(outbox.c.id.in_(select(due.c.id)))
        .values(
            state="sending",
            attempts=outbox.c.attempts + 1,
            leased_until=bindparam("lease_ends"),
            leased_by=bindparam("mark"),
        )
        .returning(outbox)
    )


@cache
def _overtaken() -> Any:
    later = outbox.alias("later")
    closing = _in_same_line(
        later,
        later.c.id > outbox.c.id,
        later.c.event == Event.RESOLVED.value,
        later.c.state == "queued",
    )
    return (
        update(outbox)
        .where(
            outbox.c.channel == bindparam("of_channel"),
            text(QUEUED_UPDATE),
            closing,
        )
        .values(state="dropped", reason="superseded", finished_at=_NOW)
        .returning(outbox.c.incident_id, outbox.c.event, outbox.c.recipient, outbox.c.key)
    )


@cache
def _standing() -> Any:
    survivor = incidents.alias("survivor")
    merged = survivor.c.id.is_not(None)
    taken_by = case((merged, survivor.c.acknowledged_by), else_=incidents.c.acknowledged_by)
    return (
        select(func.coalesce(survivor.c.status, incidents.c.status), func.coalesce(taken_by, ""))
        .select_from(incidents.outerjoin(survivor, survivor.c.id == incidents.c.merged_into_id))
        .where(incidents.c.id == bindparam("incident_id"))
    )


def finish(
    tx: Transaction,
    delivery: Delivery,
    *,
    state: str,
    now: datetime,
    why: str = "",
    error: str = "",
    reference: str = "",
) -> bool:
    """Close a row as sent, failed or dropped; False when it is no longer ours to close.

    `why` is a word of the closed set `monitor.notify.recheck.Unsent`, or empty for a sent row;
    `reference` is the receiver's own id of it.
    """
    values = {"state": state, "finished_at": now, "reason": why, "reference": reference}
    return _change(tx, delivery, last_error=error, **values)


def drop(tx: Transaction, delivery: Delivery, *, now: datetime, why: str) -> bool:
    """Close a claimed row unsent, its claim no attempt; False when it is no longer ours."""
    values = {"state": "dropped", "finished_at": now, "reason": why}
    return _change(tx, delivery, attempts=delivery.attempts - 1, **values)


def recall_pages(tx: Transaction, incident_id: int, *, why: str, words: str, at: datetime) -> int:
    """Drop the pages about an incident that wait, and say so; returns how many.

    `why` is a word of `monitor.notify.recheck.Unsent`. One that is being sent is left to its
    worker.
    """
    statement = (
        update(outbox)
        .where(
            outbox.c.incident_id == incident_id,
            outbox.c.event == Event.PAGED.value,
            outbox.c.state == "queued",
        )
        .values(state="dropped", reason=why, finished_at=at)
        .returning(outbox)
    )
    rows = sorted(tx.connection.execute(statement), key=lambda row: row.id)
    for row in rows:
        page = as_delivery(row)
        note(
            tx,
            incident_id=incident_id,
            report_id=None,
            at=at,
            kind="notification_dropped",
            text=f"Not sent to {page.who}: {page.what}; {words}.",
            data={
                "key": page.key,
                "event": page.event,
                "channel": page.channel,
                "recipient": page.recipient,
                "reason": why,
            },
        )
    return len(rows)


def put_back(tx: Transaction, delivery: Delivery, *, due_at: datetime, error: str = "") -> bool:
    """Queue a row again for `due_at`; False when it is no longer ours."""
    return _change(tx, delivery, state="queued", due_at=due_at, last_error=error)


def note(
    tx: Transaction,
    *,
    incident_id: int | None,
    report_id: int | None,
    at: datetime,
    kind: str,
    text: str,
    data: Mapping[str, Any],
) -> None:
    """Record what became of a notification where people look: the timeline, or the report."""
    if incident_id is not None:
        row = {"incident_id": incident_id, "at": at, "kind": kind, "text": text}
        tx.connection.execute(insert(timeline).values(**row, actor="monitor", data=dict(data)))
        tx.touch("incidents")
    elif report_id is not None:
        row = {"report_id": report_id, "at": at, "body": text}
        tx.connection.execute(
            insert(report_messages).values(**row, direction="note", author="monitor", channel="")
        )
        tx.touch("reports")


def incident_stands(connection: Connection, incident_id: int) -> Stands:
    """Return how an incident stands; one that was merged into another as that one."""
    row = connection.execute(_standing(), {"incident_id": incident_id}).one_or_none()
    return Stands(*row) if row else Stands()


def opening_of(connection: Connection, delivery: Delivery) -> Opening | None:
    """Return what became of the opening before this row in its line, if there is one.

    Of several since the incident last ended there, the latest that may have arrived counts. One
    that was folded into another message fared as that one did.
    """
    digest, ended = outbox.alias("digest"), outbox.alias("ended")
    last_end = select(func.max(ended.c.id)).where(
        ended.c.incident_id == delivery.incident_id,
        ended.c.channel == delivery.channel,
        ended.c.recipient == delivery.recipient,
        ended.c.event == Event.RESOLVED.value,
        ended.c.id < delivery.id,
    )
    folded = outbox.outerjoin(digest, digest.c.id == outbox.c.folded_into)
    statement = (
        select(
            func.coalesce(digest.c.state, outbox.c.state),
            func.coalesce(digest.c.reason, outbox.c.reason),
            func.coalesce(digest.c.reference, outbox.c.reference),
            func.coalesce(digest.c.attempts, outbox.c.attempts),
        )
        .select_from(folded)
        .where(
            outbox.c.incident_id == delivery.incident_id,
            outbox.c.channel == delivery.channel,
            outbox.c.recipient == delivery.recipient,
            outbox.c.event.in_([event.value for event in OPENINGS]),
            outbox.c.id < delivery.id,
            outbox.c.id > func.coalesce(last_end.scalar_subquery(), 0),
        )
        .order_by(outbox.c.id.desc())
    )
    found = [Opening(*row) for row in connection.execute(statement)]
    return next((one for one in found if one.may_have_arrived), found[0] if found else None)


def backlog(connection: Connection, now: datetime) -> Backlog:
    """Return how many rows are not finished, and since when the oldest of them waits.

    What is held on purpose waits from the moment on when it is due.
    """
    waits_since = case((outbox.c.held != "", outbox.c.due_at), else_=outbox.c.created_at)
    statement = select(func.count(), func.min(waits_since).filter(waits_since <= now)).where(
        outbox.c.state.in_(_UNFINISHED)
    )
    count, oldest = connection.execute(statement).one()
    return Backlog(count, oldest)


def _is_due() -> Any:
    return or_(
        and_(outbox.c.state == "queued", outbox.c.due_at <= _NOW),
        and_(outbox.c.state == "sending", outbox.c.leased_until <= _NOW),
    )


def _in_same_line(other: Any, *conditions: Any) -> Any:
    """Whether there is such a row among those that may not pass each other, or be passed.

    A row about nothing in particular is in no line. Each thing is asked about by itself, for which
    there is an index: one question about all three reads every row of the channel, each time.
    """
    things = ("incident_id", "maintenance_id", "report_id")
    same = (other.c.channel == outbox.c.channel, other.c.recipient == outbox.c.recipient)
    return or_(
        *(
            select(other.c.id).where(other.c[name] == outbox.c[name], *same, *conditions).exists()
            for name in things
        )
    )


def _earlier_of_its_group() -> Any:
    """Rows that were held for the same recipient and stand for the whole group.

    Only the first of them is claimed: whoever has it decides what becomes of all.
    """
    earlier = outbox.alias("earlier")
    return select(earlier.c.id).where(
        earlier.c.channel == outbox.c.channel,
        earlier.c.recipient == outbox.c.recipient,
        earlier.c.held == outbox.c.held,
        earlier.c.id < outbox.c.id,
        or_(
            earlier.c.state == "sending",
            and_(earlier.c.state == "queued", earlier.c.due_at <= _NOW),
        ),
    )


def _drop_overtaken(tx: Transaction, channel: str, now: datetime) -> None:
    """Drop queued updates of incidents whose closing is queued behind them, and say so."""
    values = {"of_channel": channel, "now": now}
    for row in tx.connection.execute(_overtaken(), values).all():
        text = f"Not sent to {channel}: the incident was resolved before this update could go out."
        data = {"key": row.key, "event": row.event, "reason": "superseded"}
        note(
            tx,
            incident_id=row.incident_id,
            report_id=None,
            at=now,
            kind="notification_dropped",
            text=text,
            data=data,
        )


def _change(tx: Transaction, delivery: Delivery, **values: Any) -> bool:
    statement = (
        update(outbox)
        .where(outbox.c.id == delivery.id, outbox.c.leased_by == delivery.claim)
        .where(outbox.c.state == "sending")
        .values(leased_by=None, leased_until=None, **values)
    )
    return tx.connection.execute(statement).rowcount == 1


def as_delivery(row: Row[Any]) -> Delivery:
    """Return a row of the outbox as its workers see it."""
    names = [name for name in Delivery.__dataclass_fields__ if name not in ("claim", "is_probe")]
    return Delivery(claim=row.leased_by, **{name: getattr(row, name) for name in names})
