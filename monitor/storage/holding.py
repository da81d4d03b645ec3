"""Notifications that wait on purpose: held until a time, told together, paced over all workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from incidents.digest import DIGEST, Digest, Waiting
from incidents.outbox import incident_name
from incidents.pacing import Crowd, Held, Limit
from monitor.storage.deliveries import Delivery
from monitor.storage.outbox import enqueue
from monitor.storage.schema import incidents, outbox, paces, timeline
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into

_o = outbox.c
_CHUNK = 500  # row ids in one statement
_STANDS = tuple(incidents.c[name] for name in ("number", "title", "status", "acknowledged_by"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line for the timeline of whatever incident a row is about."""

    kind: str
    text: str
    reason: str


def crowd_of(
    connection: Connection, delivery: Delivery, events: Iterable[str], since: datetime
) -> Crowd:
    """Return what else of these events concerns the same recipient over the same channel."""
    mine = [*_same_recipient(delivery), _o.event.in_(sorted(events)), _o.id != delivery.id]
    told = and_(_o.state.in_(("sent", "folded")), _o.finished_at > since)
    statement = select(
        func.count().filter(told),
        func.count().filter(and_(_o.state == "sending", _o.id < delivery.id)),
        func.count().filter(
            or_(
                and_(_o.state == "sending", _o.id > delivery.id),
                and_(_o.state == "queued", _o.attempts == 0, _o.held.in_(("", Held.STORM.value))),
            )
        ),
    ).where(*mine, _o.state.in_(("sent", "folded", "sending", "queued")))
    recent = or_(_o.finished_at.is_(None), _o.finished_at > since)
    return Crowd(*connection.execute(statement.where(recent)).one())


def pent_up(connection: Connection, delivery: Delivery, events: Iterable[str]) -> tuple[int, int]:
    """Return (incidents, messages) that wait for another try to the same recipient, or have it.

    The delivery itself is left out.
    """
    digest = outbox.alias("digest")
    mine = and_(*_same_recipient(delivery), _o.held != Held.OUTAGE.value)
    alone = select(_o.incident_id, _o.id.label("message")).where(
        mine, _o.id != delivery.id, _is_tried_again(_o), _o.event.in_(sorted(events))
    )
    told_in = (
        select(_o.incident_id, digest.c.id.label("message"))
        .join(digest, digest.c.id == _o.folded_into)
        .where(mine, digest.c.id != delivery.id, _is_tried_again(digest.c))
    )
    both = alone.union_all(told_in).subquery()
    counts = select(
        func.count(both.c.incident_id.distinct()), func.count(both.c.message.distinct())
    )
    incident_count, messages = connection.execute(counts).one()
    return incident_count, messages


def _is_tried_again(c: Any) -> ColumnElement[bool]:
    waits = and_(c.state == "queued", c.attempts > 0)
    waited = and_(c.state.in_(("queued", "sending")), c.held == Held.NO_ANSWER.value)
    return or_(waits, waited, and_(c.state == "sending", c.attempts > 1))


def is_back(connection: Connection, delivery: Delivery, since: datetime) -> bool:
    """Return whether a message about an incident has reached the same recipient since then."""
    arrived = (_o.state == "sent", _o.finished_at > since, _o.event.startswith("incident_"))
    statement = select(_o.id).where(*_same_recipient(delivery), *arrived)
    return connection.execute(statement.limit(1)).first() is not None


def gather(
    tx: Transaction,
    delivery: Delivery,
    events: Iterable[str],
    line: Line,
    *,
    until: datetime,
    now: datetime,
) -> int:
    """Hold all that has waited for the same recipient to be back; returns how many rows.

    Messages that tell of several are taken apart for that, and never sent themselves.
    """
    waited = or_(_o.attempts > 0, _o.held == Held.NO_ANSWER.value)
    mine = (*_same_recipient(delivery), _o.state == "queued", waited)
    digests = select(_o.id).where(*mine, _o.event == DIGEST).with_for_update(skip_locked=True)
    parted = list(tx.connection.execute(digests).scalars())
    waits = {"state": "queued", "held": Held.OUTAGE.value, "due_at": until}
    ids: list[int | None] = []
    for chunk in _chunks(parted):
        again = update(outbox).where(_o.folded_into.in_(chunk), _o.state == "folded")
        again = again.values(**waits, folded_into=None, finished_at=None)
        ids += tx.connection.execute(again.returning(_o.incident_id)).scalars()
    _close(tx, parted, now, "dropped", reason="superseded")
    alone = select(_o.id).where(*mine, _o.event.in_(sorted(events)), _o.held != Held.OUTAGE.value)
    locked = tx.connection.execute(alone.with_for_update(skip_locked=True)).scalars().all()
    for chunk in _chunks(locked):
        held = update(outbox).where(_o.id.in_(chunk)).values(**waits)
        ids += tx.connection.execute(held.returning(_o.incident_id)).scalars()
    note_all(tx, ids, line, now, delivery)
    return len(ids)


def group_ends(connection: Connection, delivery: Delivery, held: Held) -> datetime | None:
    """Return when what is already held of the recipient for that reason is told, if anything is."""
    waits = (_o.state == "queued", _o.held == held.value)
    statement = select(func.min(_o.due_at)).where(*_same_recipient(delivery), *waits)
    found: datetime | None = connection.execute(statement).scalar_one()
    return found


def hold(tx: Transaction, delivery: Delivery, held: Held, until: datetime) -> bool:
    """Put a claimed row back until then, as if it had not been tried; False: it is not ours."""
    statement = (
        update(outbox)
        .where(_o.id == delivery.id, _o.leased_by == delivery.claim, _o.state == "sending")
        .values(
            state="queued",
            held=held.value,
            due_at=until,
            attempts=_o.attempts - 1,
            leased_by=None,
            leased_until=None,
        )
    )
    return tx.connection.execute(statement).rowcount == 1


def hold_all_behind(
    tx: Transaction,
    delivery: Delivery,
    events: Iterable[str],
    line: Line,
    *,
    until: datetime,
    now: datetime,
) -> int:
    """Hold what is queued for the same recipient of a storm; returns how many rows."""
    statement = (
        update(outbox)
        .where(
            *_same_recipient(delivery),
            _o.event.in_(sorted(events)),
            _o.id != delivery.id,
            _o.state == "queued",
            _o.attempts == 0,
            _o.held == "",
        )
        .values(held=Held.STORM.value, due_at=until)
        .returning(_o.incident_id)
    )
    ids = list(tx.connection.execute(statement).scalars())
    note_all(tx, ids, line, now, delivery)
    return len(ids)


def take_turn(tx: Transaction, channel: str, limit: Limit, now: datetime) -> datetime:
    """Return when the channel has room for one more message, which has that turn from now on."""
    known = select(paces.c.free_at).where(paces.c.channel == channel).with_for_update()
    free_at = tx.connection.execute(known).scalar_one_or_none() or now
    at, free_at = limit.turn(free_at, now)
    values = {"free_at": free_at}
    statement = insert_into(tx, paces).values(channel=channel, **values)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["channel"], set_=values))
    return at


def waiting_with(tx: Transaction, delivery: Delivery, now: datetime) -> list[Waiting]:
    """Return a claimed row and all that was held with it, and is told now; locked.

    What follows in the same incidents (their ends, above all) comes along. Nothing is returned
    where the row is no longer ours.
    """
    mine = _same_recipient(delivery)
    held = and_(_o.held == delivery.held, _o.due_at <= now)
    ours = and_(_o.id == delivery.id, _o.leased_by == delivery.claim, _o.state == "sending")
    of_ours = select(_o.incident_id).where(*mine, _o.state == "queued", held)
    statement = (
        select(outbox, *_STANDS)
        .join(incidents, incidents.c.id == _o.incident_id)
        .where(
            or_(
                ours,
                and_(
                    *mine,
                    _o.state == "queued",
                    or_(held, _o.incident_id.in_(of_ours), _o.incident_id == delivery.incident_id),
                ),
            )
        )
        .order_by(_o.id)
        .with_for_update(of=outbox, skip_locked=True)
    )
    rows = tx.connection.execute(statement).all()
    if delivery.id not in {row.id for row in rows}:
        return []
    return [_waiting(row) for row in rows]


def told_by(connection: Connection, digest_id: int) -> list[Waiting]:
    """Return what a message tells of, as its incidents stand by now."""
    statement = (
        select(outbox, *_STANDS)
        .join(incidents, incidents.c.id == _o.incident_id)
        .where(_o.folded_into == digest_id)
        .order_by(_o.id)
    )
    return [_waiting(row) for row in connection.execute(statement)]


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        id=row.id,
        event=row.event,
        incident_id=row.incident_id,
        name=incident_name(row.number),
        title=row.title,
        severity=row.severity,
        text=str(row.payload.get("text", "")),
        is_over=row.status == "resolved",
        taken_by=row.acknowledged_by or "",
    )


def put_digest(
    tx: Transaction, delivery: Delivery, digest: Digest, key: str, now: datetime
) -> None:
    """Queue the message that tells of several rows, and close them as told by it."""
    row = {
        "key": key,
        "event": DIGEST,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "severity": digest.severity,
        "subject": digest.subject,
        "body": digest.body,
        "priority": 0,
        "payload": {"key": key, "event": DIGEST, **digest.payload},
        "created_at": now,
    }
    enqueue(tx, [row])
    row_id = tx.connection.execute(select(_o.id).where(_o.key == key)).scalar_one()
    _close(tx, [one.id for one in digest.together], now, "folded", folded_into=row_id)


def drop_over(tx: Transaction, over: Sequence[Waiting], reason: str, now: datetime) -> None:
    """Close rows whose story ended before anybody was to be told."""
    _close(tx, [one.id for one in over], now, "dropped", reason=reason)


def let_go(tx: Transaction, singly: Sequence[Waiting], but: int, now: datetime) -> None:
    """Have rows that were held told one by one, at once; the row `but` is under way already."""
    for ids in _chunks([one.id for one in singly if one.id != but]):
        tx.connection.execute(
            update(outbox).where(_o.id.in_(ids), _o.state == "queued").values(due_at=now)
        )
    tx.touch("outbox")


def folded_incidents(connection: Connection, row_id: int) -> list[int]:
    """Return the incidents that a digest tells of."""
    statement = select(_o.incident_id).where(_o.folded_into == row_id).distinct()
    return [i for i in connection.execute(statement).scalars() if i is not None]


def note_all(
    tx: Transaction,
    incident_ids: Iterable[int | None],
    line: Line,
    at: datetime,
    delivery: Delivery,
) -> None:
    """Write one line on the timeline of each of these incidents."""
    data = {
        "key": delivery.key,
        "event": delivery.event,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "reason": line.reason,
    }
    row = {"at": at, "kind": line.kind, "text": line.text, "actor": "monitor", "data": data}
    rows = [{"incident_id": i, **row} for i in sorted({i for i in incident_ids if i is not None})]
    if rows:
        tx.connection.execute(insert(timeline), rows)
        tx.touch("incidents")


def _close(tx: Transaction, ids: Sequence[int], now: datetime, state: str, **values: Any) -> None:
    done = {"state": state, "finished_at": now, "leased_by": None, "leased_until": None, **values}
    for chunk in _chunks(ids):
        tx.connection.execute(update(outbox).where(_o.id.in_(chunk)).values(**done))


def _chunks(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK))


def _same_recipient(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (_o.channel == delivery.channel, _o.recipient == delivery.recipient)
