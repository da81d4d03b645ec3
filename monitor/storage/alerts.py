"""Statements over received alerts: one per batch, not one per alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, RowMapping, bindparam, func, select, update

from incidents.alerts.inhibition import Source
from incidents.alerts.matchers import Matcher, Operator
from incidents.alerts.model import words
from incidents.lifecycle import Severity
from monitor.storage.schema import alerts
from monitor.storage.store import Transaction

BATCH = 500  # identities asked for in one statement

_Item = TypeVar("_Item")
_c = alerts.c
_REFRESH = (
    update(alerts)
    .where(_c.id == bindparam("row_id"))
    .values(
        annotations=bindparam("new_annotations"),
        starts_at=bindparam("new_starts_at"),
        latest_starts_at=bindparam("new_latest_starts_at"),
        ends_at=bindparam("new_ends_at"),
        state=bindparam("new_state"),
        source=bindparam("new_source"),
        generator_url=bindparam("new_generator_url"),
        updated_at=bindparam("new_updated_at"),
        lapsed_at=None,
    )
)
_CLOSE = (
    update(alerts)
    .where(_c.id == bindparam("row_id"))
    .values(
        open_marker=None,
        state=bindparam("new_state"),
        ends_at=bindparam("new_ends_at"),
        resolved_at=bindparam("new_resolved_at"),
        updated_at=bindparam("new_updated_at"),
    )
)
_ATTACH = (
    update(alerts)
    .where(_c.id == bindparam("row_id"))
    .values(
        incident_id=bindparam("new_incident_id"),
        muted_by=bindparam("new_muted_by"),
        joined_because=bindparam("new_because"),
    )
)
_OPEN_OF = (
    select(alerts)
    .where(_c.fingerprint.in_(bindparam("prints", expanding=True)), _c.open_marker == 1)
    .order_by(_c.fingerprint)
    .with_for_update()
)
_LAST_OF = select(alerts).where(
    _c.id.in_(
        select(func.max(_c.id))
        .where(_c.fingerprint.in_(bindparam("prints", expanding=True)))
        .group_by(_c.fingerprint)
    )
)


def lock_held(tx: Transaction, fingerprints: Iterable[str]) -> dict[str, RowMapping]:
    """Return what is held of each identity: the open row, locked, or else the last closed one."""
    wanted = sorted(set(fingerprints))
    held: dict[str, RowMapping] = {}
    for part in _parts(wanted):
        held.update(_by_fingerprint(tx.connection, _OPEN_OF, part))
        if closed := [print_ for print_ in part if print_ not in held]:
            held.update(_by_fingerprint(tx.connection, _LAST_OF, closed))
    return held


def insert_alerts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record alerts, in the order of their identity so that two batches never wait crosswise.

    Raises:
        IntegrityError: another transaction has opened one of these identities meanwhile.
    """
    if rows:
        ordered = sorted(rows, key=lambda row: str(row["fingerprint"]))
        tx.connection.execute(alerts.insert(), ordered)


def refresh_alerts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record what firing alerts were told again; `rows` hold `row_id` and `new_…` values."""
    if rows:
        tx.connection.execute(_REFRESH, rows)


def close_alerts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Give back the open slots of alerts; `rows` hold `row_id` and `new_…` values."""
    if rows:
        tx.connection.execute(_CLOSE, rows)


def attach_alerts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record which incident alerts belong to, and what mutes them."""
    if rows:
        tx.connection.execute(_ATTACH, rows)


def mark_lapsed(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    """Record that these alerts' ends passed in silence."""
    for part in _parts(ids):
        statement = update(alerts).where(_c.id.in_(part))
        tx.connection.execute(statement.values(state="lapsed", lapsed_at=now, updated_at=now))


def open_alerts_of(
    connection: Connection, incident_ids: Iterable[int], *, lock: bool = False
) -> list[RowMapping]:
    """Return the open alerts of these incidents, by identity."""
    wanted = sorted(set(incident_ids))
    if not wanted:
        return []
    statement = select(alerts).where(_c.incident_id.in_(wanted), _c.open_marker == 1)
    return _rows(connection, statement, lock)


def alerts_of(connection: Connection, incident_id: int) -> list[RowMapping]:
    """Return every alert that ever belonged to an incident, oldest first."""
    statement = select(alerts).where(_c.incident_id == incident_id).order_by(_c.id)
    return list(connection.execute(statement).mappings())


def open_alerts(connection: Connection) -> list[RowMapping]:
    """Return every alert that fires or has lapsed, by identity."""
    statement = select(alerts).where(_c.open_marker == 1).order_by(_c.fingerprint)
    return list(connection.execute(statement).mappings())


def open_labels(connection: Connection) -> list[Row[Any]]:
    """Return `labels` and `incident_id` of every open alert, the first received first."""
    statement = select(_c.labels, _c.incident_id).where(_c.open_marker == 1).order_by(_c.id)
    return list(connection.execute(statement))


def open_names(connection: Connection, fingerprints: Iterable[str]) -> dict[str, str]:
    """Return how a line speaks of each of these open alerts, by identity."""
    statement = select(_c.fingerprint, _c.labels).where(
        _c.open_marker == 1, _c.fingerprint.in_(sorted(set(fingerprints)))
    )
    return {row.fingerprint: words(row.labels) for row in connection.execute(statement)}


def count_open(connection: Connection) -> int:
    """Return how many alerts fire or have lapsed."""
    statement = select(func.count()).select_from(alerts).where(_c.open_marker == 1)
    return int(connection.execute(statement).scalar_one())


def lapsing(connection: Connection, now: datetime, *, lock: bool = False) -> list[RowMapping]:
    """Return the firing alerts whose end (included) has passed."""
    statement = select(alerts).where(_c.open_marker == 1, _c.state == "firing", _c.ends_at <= now)
    return _rows(connection, statement, lock)


def silent_since(
    connection: Connection, before: datetime, *, lock: bool = False
) -> list[RowMapping]:
    """Return the open alerts that lapsed no later than `before`."""
    statement = select(alerts).where(
        _c.open_marker == 1, _c.state == "lapsed", _c.lapsed_at <= before
    )
    return _rows(connection, statement, lock)


def mute_names(connection: Connection) -> set[str]:
    """Return the names of everything that keeps open alerts quiet."""
    statement = select(_c.muted_by).where(_c.open_marker == 1, _c.muted_by != "").distinct()
    return set(connection.execute(statement).scalars())


def muted(connection: Connection, names: Iterable[str], *, lock: bool = False) -> list[RowMapping]:
    """Return the open alerts that are kept quiet by what bears one of these names."""
    wanted = sorted(set(names))
    if not wanted:
        return []
    statement = select(alerts).where(
        _c.open_marker == 1, _c.muted_by != "", _c.muted_by.in_(wanted)
    )
    return _rows(connection, statement, lock)


def mutes_of(connection: Connection, incident_id: int) -> list[str]:
    """Return what keeps each open alert of an incident quiet; empty for one that nothing does."""
    statement = select(_c.muted_by).where(_c.incident_id == incident_id, _c.open_marker == 1)
    return list(connection.execute(statement.order_by(_c.muted_by)).scalars())


def heard(connection: Connection, *, lock: bool = False) -> list[RowMapping]:
    """Return the open alerts of incidents that nothing keeps quiet."""
    statement = select(alerts).where(
        _c.open_marker == 1, _c.muted_by == "", _c.incident_id.is_not(None)
    )
    return _rows(connection, statement, lock)


def sources(connection: Connection, matchers: Iterable[Matcher]) -> Iterator[Source]:
    """Yield the firing alerts that nothing keeps quiet; others than the matchers mean may be there.

    A matcher for one severity narrows what is read by an index.
    """
    statement = select(_c.fingerprint, _c.labels, _c.incident_id).where(
        _c.open_marker == 1, _c.state == "firing", _c.muted_by == ""
    )
    for matcher in matchers:
        if matcher.name == "severity" and matcher.operator is Operator.EQUAL:
            severity = Severity.of({"severity": matcher.value})
            statement = statement.where(_c.severity == severity.value)
    for row in connection.execute(statement.order_by(_c.id)):
        yield Source(*row)


def _rows(connection: Connection, statement: Any, lock: bool) -> list[RowMapping]:
    ordered = statement.order_by(_c.fingerprint)
    return list(connection.execute(ordered.with_for_update() if lock else ordered).mappings())


def _by_fingerprint(
    connection: Connection, statement: Any, prints: Sequence[str]
) -> dict[str, RowMapping]:
    rows = connection.execute(statement, {"prints": prints}).mappings()
    return {row["fingerprint"]: row for row in rows}


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
