"""Channels that do not answer: kept in the database, so that all workers ask as one.

Whoever writes here locks the channel's row first and the outbox's after it, and skips what another
has locked there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, select, update

from incidents.outage import REST_AFTER, Outage, fail_again
from incidents.pacing import Held
from monitor.storage.schema import channel_outages, outbox
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into

MOST_EXPLAINED = 1000  # rows that one failed probe writes lines about; the rest follow at the next
PROBE_LEASE = timedelta(minutes=1)  # a probe that takes longer, or died, is followed by another

_c, _o = channel_outages.c, outbox.c


def outage_of(connection: Connection, channel: str) -> Outage | None:
    """Return the channel's outage; None where the last message arrived."""
    found = connection.execute(select(channel_outages).where(_c.channel == channel)).one_or_none()
    return Outage(**found._mapping) if found else None


def resting(connection: Connection, channels: Collection[str]) -> dict[str, Outage]:
    """Return the outages of those of the channels that rest."""
    statement = select(channel_outages).where(_c.channel.in_(sorted(channels)))
    found = [Outage(**row._mapping) for row in connection.execute(statement)]
    return {outage.channel: outage for outage in found if outage.rests}


def waits_for_probe(channel: ColumnElement[str], now: Any) -> ColumnElement[bool]:
    """Return whether a channel rests, and no message may ask yet."""
    return exists().where(_c.channel == channel, _c.failures >= REST_AFTER, _c.probe_at > now)


def record_failure(
    tx: Transaction,
    channel: str,
    *,
    first_try: bool,
    began_at: datetime,
    now: datetime,
    wait_seconds: Callable[[int], float],
) -> Outage:
    """Return the channel's outage with one more failure.

    `wait_seconds` tells how long it rests after so many probes in vain.
    """
    fresh = {"since": began_at, "failed_at": began_at, "probe_at": now, "failures": 0}
    statement = insert_into(tx, channel_outages).values(channel=channel, **fresh)
    tx.connection.execute(statement.on_conflict_do_nothing(index_elements=["channel"]))
    known = select(channel_outages).where(_c.channel == channel).with_for_update()
    before = Outage(**tx.connection.execute(known).one()._mapping)
    after = fail_again(before, first_try=first_try, began_at=began_at, now=now)
    if after.failures > before.failures:
        wait = timedelta(seconds=wait_seconds(after.probes))
        after = replace(after, probe_at=now + wait)
    values = {
        "failed_at": after.failed_at,
        "probe_at": after.probe_at,
        "failures": after.failures,
    }
    tx.connection.execute(update(channel_outages).where(_c.channel == channel).values(**values))
    return after


def end(tx: Transaction, channel: str) -> Outage | None:
    """Forget the channel's outage, for it has answered; returns it."""
    statement = delete(channel_outages).where(_c.channel == channel).returning(channel_outages)
    found = tx.connection.execute(statement).one_or_none()
    return Outage(**found._mapping) if found else None


def take_probe(tx: Transaction, channel: str, now: datetime) -> bool:
    """Return whether one message may ask now; nobody else may until `PROBE_LEASE` is over."""
    return _set_probe(tx, channel, now + PROBE_LEASE, _c.probe_at <= now)


def give_probe_back(tx: Transaction, channel: str, now: datetime) -> None:
    """Let another message ask, for the one that was to do so did not leave."""
    _set_probe(tx, channel, now)


def _set_probe(
    tx: Transaction, channel: str, at: datetime, *conditions: ColumnElement[bool]
) -> bool:
    statement = update(channel_outages).where(_c.channel == channel, *conditions)
    return tx.connection.execute(statement.values(probe_at=at)).rowcount == 1


def hold_waiting(tx: Transaction, channel: str, most: int | None = None) -> Sequence[Row[Any]]:
    """Mark what waits for a channel that rests; returns the rows that were not marked yet."""
    waits = (_o.channel == channel, _o.state == "queued", _o.held == "", _o.attempts == 0)
    marked: list[Row[Any]] = []
    for chunk in _locked(tx, waits, most):
        statement = update(outbox).where(_o.id.in_(chunk)).values(held=Held.NO_ANSWER.value)
        marked += tx.connection.execute(statement.returning(outbox)).all()
    return sorted(marked, key=lambda row: row.id)


def release(tx: Transaction, channel: str, now: datetime) -> None:
    """Have what waits for another try over a channel that is back tried now."""
    tried = and_(_o.attempts > 0, _o.held.in_(("", Held.NO_ANSWER.value)))
    waits = (_o.channel == channel, _o.state == "queued", tried, _o.due_at > now)
    for chunk in _locked(tx, waits, None):
        tx.connection.execute(update(outbox).where(_o.id.in_(chunk)).values(due_at=now))
    tx.touch("outbox")


def give_up(
    tx: Transaction, channel: str, *, before: datetime, why: str, error: str, now: datetime
) -> Sequence[Row[Any]]:
    """Close as failed what was queued until `before` for a channel that rests; returns the rows."""
    free = _o.held.in_(("", Held.NO_ANSWER.value))
    waits = (_o.channel == channel, _o.state == "queued", free, _o.created_at <= before)
    values = {"state": "failed", "reason": why, "last_error": error, "finished_at": now}
    closed: list[Row[Any]] = []
    for chunk in _locked(tx, waits, MOST_EXPLAINED):
        statement = update(outbox).where(_o.id.in_(chunk)).values(**values)
        closed += tx.connection.execute(statement.returning(outbox)).all()
    return sorted(closed, key=lambda row: row.id)


_CHUNK = 500  # row ids in one statement


def _locked(
    tx: Transaction, conditions: Sequence[ColumnElement[bool]], most: int | None
) -> Sequence[Sequence[int]]:
    """Return the ids of such rows in parts, locked; without those that another has locked."""
    statement = select(_o.id).where(*conditions).order_by(_o.priority, _o.id).limit(most)
    ids = tx.connection.execute(statement.with_for_update(skip_locked=True)).scalars().all()
    return [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)]
