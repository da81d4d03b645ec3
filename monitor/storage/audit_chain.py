"""The chain that seals the audit log: each row's hash covers the row and the hash before it.

So a row that was edited, removed, put in or moved shows, and so does a missing end for whoever
noted an earlier head. Rows are sealed after their commit, in the order of their ids as far as
they are committed; `position` counts them without a gap. Retention may take the oldest sealed
rows away: the anchor `start` then holds where the kept part begins, and a row of the log says so.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, text, update

from incidents.timeline import AUTOMATION
from monitor.storage.audit import canonical, record
from monitor.storage.schema import audit, audit_anchors
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into

GENESIS = "0" * 64  # what the first row's hash is chained to
BATCH = 500  # rows a transaction seals or removes: writers wait only so long
_LOCK = 0x5A9_0003  # any fixed number
_c = audit.c


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the chain and the hash of the row there; position 0 is before the first row."""

    position: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Something that is not as it was sealed."""

    position: int
    what: str

    def __str__(self) -> str:
        """Return the fault in words."""
        return f"position {self.position}: {self.what}"


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the whole chain found."""

    start: Anchor  # the last row that retention took, or the beginning
    head: Anchor  # the last sealed row that is there
    sealed: int
    unsealed: int
    faults: tuple[ChainFault, ...]


def hash_of_row(row: RowMapping, position: int, previous_hash: str) -> str:
    """Return the SHA-256 of a row at a place in the chain, in hexadecimal.

    It covers the canonical JSON of position, hash before, instant (UTC, microseconds), actor,
    action, target and detail, so that every one of them is held.
    """
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    held = [position, previous_hash, at, row["actor"], row["action"], row["target"], row["detail"]]
    return hashlib.sha256(canonical(held).encode("ascii")).hexdigest()


def read_anchor(connection: Connection, name: str) -> Anchor:
    """Return the anchor `start` or `head`."""
    a = audit_anchors.c
    found = connection.execute(select(a.position, a.hash).where(a.name == name)).one_or_none()
    return Anchor(*found) if found else Anchor()


def anything_unsealed(connection: Connection) -> bool:
    """Return whether rows wait for their place in the chain."""
    waiting = select(_c.id).where(_c.position.is_(None)).limit(1)
    return connection.execute(waiting).first() is not None


def seal(tx: Transaction, now: datetime) -> Anchor:
    """Give up to `BATCH` waiting rows their place in the chain and return its head."""
    _lock(tx)
    head = read_anchor(tx.connection, "head")
    waiting = select(audit).where(_c.position.is_(None)).order_by(_c.id).limit(BATCH)
    sealed = []
    for row in tx.connection.execute(waiting).mappings():
        position = head.position + 1
        sealed.append(
            {
                "row_id": row["id"],
                "new_position": position,
                "new_previous": head.hash,
                "new_hash": hash_of_row(row, position, head.hash),
            }
        )
        head = Anchor(position, sealed[-1]["new_hash"])
    if sealed:
        statement = update(audit).where(_c.id == bindparam("row_id"))
        values: dict[str, Any] = {
            "position": bindparam("new_position"),
            "previous_hash": bindparam("new_previous"),
            "hash": bindparam("new_hash"),
        }
        tx.connection.execute(statement.values(**values), sealed)
        _write_anchor(tx, "head", head, now)
    return head


def trim(tx: Transaction, before: datetime, now: datetime) -> int:
    """Remove up to `BATCH` of the oldest sealed rows that are older than `before`.

    Only a beginning of the chain goes, never a row from within it. The removal is recorded.
    """
    _lock(tx)
    start = read_anchor(tx.connection, "start")
    oldest = (
        select(_c.position, _c.hash, _c.at)
        .where(_c.position.is_not(None))
        .order_by(_c.position)
        .limit(BATCH)
    )
    end, gone = start, 0
    for position, hash_, at in tx.connection.execute(oldest):
        if at >= before:
            break
        end, gone = Anchor(position, hash_), gone + 1
    if gone:
        _write_anchor(tx, "start", end, now)  # first: the trigger lets go what lies behind it
        tx.connection.execute(delete(audit).where(_c.position <= end.position))
        detail = {"rows": gone, "to_position": end.position, "to_hash": end.hash}
        record(tx, actor=AUTOMATION, action="audit.trimmed", at=now, detail=detail)
    return gone


def check_chain(connection: Connection, *noted: Anchor) -> ChainReport:
    """Return what is wrong with the chain, read as one snapshot: call it first in a transaction.

    `noted` are heads that were written down elsewhere: each must still be in the chain, or lie in
    what retention has taken.
    """
    if connection.dialect.name == "postgresql":  # SQLite reads one snapshot anyway
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    start, head = read_anchor(connection, "start"), read_anchor(connection, "head")
    faults: list[ChainFault] = []
    heads: dict[int, set[str]] = defaultdict(set)
    for anchor in noted:
        heads[anchor.position].add(anchor.hash)
    at = start
    count = 0
    for row in _sealed(connection):
        count += 1
        faults += _faults_of(row, at, heads)
        at = Anchor(row["position"], row["hash"])
    if at != head:
        what = f"the chain ends here, and its recorded head is position {head.position}"
        faults.append(ChainFault(at.position, what))
    for anchor in noted:
        if anchor.position > at.position:
            faults.append(ChainFault(anchor.position, "was noted as sealed and is missing"))
    waiting = select(func.count()).select_from(audit).where(_c.position.is_(None))
    unsealed = int(connection.execute(waiting).scalar_one())
    return ChainReport(start, at, count, unsealed, tuple(faults))


def all_rows(connection: Connection) -> Iterator[dict[str, Any]]:
    """Give every row, oldest first, with all that its hash is made of; unsealed ones come last.

    `detail` is the text that is hashed, not the object it stands for.
    """
    statement = select(audit).order_by(_c.position.is_(None), _c.position, _c.id)
    for row in connection.execute(statement.execution_options(yield_per=1000)).mappings():
        yield {**row, "at": row["at"].astimezone(UTC).isoformat(timespec="microseconds")}


def _sealed(connection: Connection) -> Iterator[RowMapping]:
    statement = select(audit).where(_c.position.is_not(None)).order_by(_c.position)
    yield from connection.execute(statement.execution_options(yield_per=1000)).mappings()


def _faults_of(
    row: RowMapping, before: Anchor, noted: Mapping[int, set[str]]
) -> Iterator[ChainFault]:
    position = row["position"]
    if position != before.position + 1:
        yield ChainFault(position, f"follows position {before.position}: rows between are missing")
    elif row["previous_hash"] != before.hash:
        yield ChainFault(position, "is not chained to the row before it")
    if hash_of_row(row, position, row["previous_hash"] or "") != row["hash"]:
        yield ChainFault(position, "was changed after it was sealed")
    if noted.get(position, set()) - {row["hash"]}:
        yield ChainFault(position, "has another hash than the one that was noted")


def _lock(tx: Transaction) -> None:
    """Make this transaction the only one that changes the chain; SQLite has one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def _write_anchor(tx: Transaction, name: str, anchor: Anchor, now: datetime) -> None:
    values = {"position": anchor.position, "hash": anchor.hash, "at": now}
    insert = insert_into(tx, audit_anchors).values(name=name, **values)
    tx.connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
