"""The audit log: who changed what and when, written in the transaction that makes the change.

`record` is all that a change has to call. The row is sealed into the hash chain a moment later
(`monitor.storage.audit_chain`), so that changes never wait for each other's place in it. Targets
are references (`INC-7`, `RPT-3`, `user:ann`); `detail` holds words and numbers of ours, never what
a reporter wrote, is called or can be reached at: an audit row outlives the report it tells of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select

from incidents.texts import storable
from monitor.storage.schema import audit
from monitor.storage.store import Transaction

ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
PAGES = {"INC": "incidents", "RPT": "reports", "MNT": "maintenance"}
LONGEST_ACTOR = 200  # characters

_c = audit.c


@dataclass(frozen=True, slots=True)
class Change:
    """One change that is to be recorded; `action` is `noun.verb`."""

    at: datetime
    actor: str
    action: str
    target: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change; `position` is its place in the chain, None until it is sealed."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: Mapping[str, Any]
    position: int | None
    hash: str | None

    @property
    def link(self) -> str:
        """Return the console's page of the target; empty where it has none."""
        kind, _, number = self.target.partition("-")
        return f"/console/{PAGES[kind]}/{number}" if kind in PAGES and number.isdecimal() else ""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows are wanted; everything where nothing is said.

    `action` may be a noun alone (`incident`) for all that was done to such things. Of the times
    `since` is included, `until` is not.
    """

    actor: str = ""
    action: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None  # for the next page: only earlier rows
    limit: int = 100


def record(
    tx: Transaction,
    *,
    actor: str,
    action: str,
    at: datetime,
    target: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record a change with the change itself: both are committed, or neither.

    `action` is `noun.verb` in lower case, the verb in the past: `incident.opened`.

    Raises:
        ValueError: `action` is not of that form.
    """
    record_all(tx, [Change(at, actor, action, target, detail or {})])


def record_all(tx: Transaction, changes: Sequence[Change]) -> None:
    """Record many changes at once.

    Raises:
        ValueError: an action is not of the form `noun.verb`.
    """
    if changes:
        tx.connection.execute(insert(audit), [_row(change) for change in changes])
        tx.touch("audit")


def _row(change: Change) -> dict[str, object]:
    if not ACTION.fullmatch(change.action):
        raise ValueError(f"{change.action!r} is no action: expected noun.verb, such as user.added")
    return {
        "at": change.at,
        "actor": storable(change.actor)[:LONGEST_ACTOR],
        "action": change.action,
        "target": storable(change.target),
        "detail": canonical(dict(change.detail)),
    }


def canonical(value: Any) -> str:
    """Return the one way a JSON value is written for hashing: ASCII, sorted, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def search_audit(connection: Connection, wanted: AuditFilter) -> list[AuditRow]:
    """Return the rows that match, newest first."""
    statement: Select[Any] = select(audit).order_by(_c.id.desc()).limit(wanted.limit)
    for name in ("actor", "target"):
        if text := getattr(wanted, name):
            statement = statement.where(_c[name] == storable(text))
    if wanted.action:
        noun = storable(wanted.action)
        one = _c.action == noun
        whole = one if "." in noun else _c.action.startswith(f"{noun}.", autoescape=True)
        statement = statement.where(whole)
    if wanted.since is not None:
        statement = statement.where(_c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(_c.at < wanted.until)
    if wanted.before_id is not None:
        statement = statement.where(_c.id < wanted.before_id)
    return [audit_row(row) for row in connection.execute(statement).mappings()]


def audit_row(row: RowMapping) -> AuditRow:
    """Return a row of the table as people and programs read it."""
    values = {name: row[name] for name in AuditRow.__dataclass_fields__}
    return AuditRow(**{**values, "detail": _detail(row["detail"])})


def _detail(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    # What is no object was not written by us: it is shown, and the chain tells of it.
    return found if isinstance(found, dict) else {"unreadable": text}
