"""Statements over received alerts: one per batch, not one per alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Connection,
    Row,
    RowMapping,
    bindparam,
    func,
    select,
    text,
    update,
)

from incidents.alerts.inhibition import Source
from incidents.alerts.matchers import Matcher, Operator
from incidents.alerts.model import Alert, words
from incidents.lifecycle import Severity
from monitor.storage.bulk import DIALECTS, insert_rows, texts
from monitor.storage.schema import alerts, incidents
from monitor.storage.store import Transaction
from monitor.storage.types import UtcDateTime

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
        told=bindparam("new_told"),
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
_HELD = (
    _c.id,
    _c.fingerprint,
    _c.open_marker,
    _c.labels,
    _c.starts_at,
    _c.latest_starts_at,
    _c.ends_at,
    _c.state,
    _c.incident_id,
)


_OPEN_OF = {
    dialect: select(*_HELD)
    .where(_c.fingerprint.in_(texts(dialect, "prints")), _c.open_marker == 1)
    .order_by(_c.fingerprint)
    .with_for_update(of=alerts)
    for dialect in DIALECTS
}
_LAST_OF = {
    dialect: select(*_HELD).where(
        _c.id.in_(
            select(func.max(_c.id))
            .where(_c.fingerprint.in_(texts(dialect, "prints")))
            .group_by(_c.fingerprint)
        )
    )
    for dialect in DIALECTS
}
_SOURCES = (
    select(_c.fingerprint, _c.labels, _c.incident_id)
    .where(_c.open_marker == 1, _c.state == "firing", _c.muted_by == "")
    .order_by(_c.id)
)
_SOURCES_OF = _SOURCES.where(_c.severity == bindparam("severity"))
_MUTED_BY = ("component", "severity")
_OPEN_MUTES = (
    select(_c.muted_by, *(_c.labels[name].as_string() for name in _MUTED_BY))
    .where(_c.incident_id == bindparam("incident_id"), _c.open_marker == 1)
    .distinct()
)
# Identity finds an alert at once. `+open_marker` keeps SQLite, and LATERAL with OFFSET 0 keeps
# PostgreSQL, from walking through all open alerts for each one told; without statistics, as in a
# storm, the latter thinks that there are few (16,000 took 46 s that way). What it found may have
# changed before its row was locked: so the row is asked again.
_EXTEND = {
    "sqlite": text(
        "UPDATE alerts SET ends_at = max(ends_at, told_now.ends), updated_at = :now FROM "
        "(SELECT json_extract(value, '$[0]') AS print, json_extract(value, '$[1]') AS digest, "
        "json_extract(value, '$[2]') AS ends FROM json_each(:rows)) AS told_now "
        "WHERE fingerprint = told_now.print AND +open_marker = 1 AND state = 'firing' "
        "AND told = told_now.digest AND source = :source RETURNING fingerprint"
    ).bindparams(bindparam("rows", type_=JSON), bindparam("now", type_=UtcDateTime())),
    "postgresql": text(
        "UPDATE alerts SET updated_at = :now, ends_at = CASE WHEN alerts.ends_at IS NULL THEN NULL "
        "ELSE greatest(alerts.ends_at, told_now.ends) END FROM (SELECT held.*, told.ends "
        "FROM unnest(CAST(:prints AS text[]), CAST(:digests AS text[]), "
        "CAST(:ends AS timestamptz[])) AS told (print, digest, ends) CROSS JOIN LATERAL "
        "(SELECT id, open_marker, state, told FROM alerts AS one "
        "WHERE one.fingerprint = told.print AND one.open_marker = 1 AND one.state = 'firing' "
        "AND one.told = told.digest AND one.source = :source OFFSET 0) AS held) AS told_now "
        "WHERE alerts.id = told_now.id "
        "AND alerts.open_marker = told_now.open_marker AND alerts.state = told_now.state "
        "AND alerts.told = told_now.told RETURNING alerts.fingerprint"
    ).bindparams(bindparam("now", type_=UtcDateTime())),
}


def extend(tx: Transaction, told: Sequence[Alert], source: str, now: datetime) -> set[str]:
    """Move the ends of firing alerts that are told again word for word; return which they were.

    `told` has ends, and names each identity once. Others are left as they are.
    """
    dialect = tx.connection.dialect.name
    values: dict[str, Any] = {"source": source, "now": now}
    if dialect == "sqlite":
        values["rows"] = [(a.fingerprint, a.digest, _sqlite_time(a.ends_at)) for a in told]
    else:
        values["prints"] = [alert.fingerprint for alert in told]
        values["digests"] = [alert.digest for alert in told]
        values["ends"] = [alert.ends_at for alert in told]
    return set(tx.connection.execute(_EXTEND[dialect], values).scalars())


@lru_cache(256)  # a source gives what it tells at once the same end
def _sqlite_time(at: datetime | None) -> str:
    assert at is not None
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:26]


def lock_held(tx: Transaction, fingerprints: Iterable[str]) -> dict[str, RowMapping]:
    """Return what is held of each identity: the open row, locked, or else the last closed one."""
    wanted = sorted(set(fingerprints))
    dialect = tx.connection.dialect.name
    held: dict[str, RowMapping] = {}
    for part in _parts(wanted):
        held.update(_by_fingerprint(tx.connection, _OPEN_OF[dialect], part))
        if closed := [print_ for print_ in part if print_ not in held]:
            held.update(_by_fingerprint(tx.connection, _LAST_OF[dialect], closed))
    return held


def insert_alerts(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record alerts, in the order of their identity so that two batches never wait crosswise.

    Raises:
        IntegrityError: another transaction has opened one of these identities meanwhile.
    """
    insert_rows(tx.connection, alerts, sorted(rows, key=itemgetter("fingerprint")))


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


def open_kinds_of(
    connection: Connection, incident_ids: Iterable[int]
) -> list[tuple[int, dict[str, str]]]:
    """Return which kinds of open alerts these incidents have, each once.

    A kind is what an incident follows: the labels `component`, `severity` and `location`. In a
    storm thousands of alerts are of one kind.
    """
    wanted = sorted(set(incident_ids))
    if not wanted:
        return []
    names = ("component", "severity", "location")
    columns = [_c.labels[name].as_string() for name in names]
    statement = (
        select(_c.incident_id, *columns)
        .where(_c.incident_id.in_(wanted), _c.open_marker == 1)
        .distinct()
    )
    return [
        (row[0], {name: value for name, value in zip(names, row[1:], strict=True) if value})
        for row in connection.execute(statement)
    ]


def open_mutes_of(connection: Connection, incident_id: int) -> list[tuple[str, dict[str, str]]]:
    """Return what keeps the open alerts of an incident quiet, each pair once.

    A pair is the name of what mutes alerts, empty where nothing does, and the labels `component`
    and `severity` by which a window may. In a storm thousands of alerts are of one pair.
    """
    return [
        (row[0], {name: value for name, value in zip(_MUTED_BY, row[1:], strict=True) if value})
        for row in connection.execute(_OPEN_MUTES, {"incident_id": incident_id})
    ]


def alerts_of(
    connection: Connection, incident_id: int, *, after: int = 0, limit: int | None = None
) -> list[RowMapping]:
    """Return the alerts that ever belonged to an incident, oldest first: those after a row."""
    mine = select(alerts).where(_c.incident_id == incident_id, _c.id > after)
    return list(connection.execute(mine.order_by(_c.id).limit(limit)).mappings())


def open_labels(connection: Connection) -> list[Row[Any]]:
    """Return `labels` and `incident_id` of every open alert, the first received first."""
    statement = select(_c.labels, _c.incident_id).where(_c.open_marker == 1).order_by(_c.id)
    return list(connection.execute(statement))


def incident_number_of(connection: Connection, fingerprint: str) -> int | None:
    """Return the number of the incident that an open alert belongs to, if there is one."""
    statement = (
        select(incidents.c.number)
        .join(alerts, alerts.c.incident_id == incidents.c.id)
        .where(_c.fingerprint == fingerprint, _c.open_marker == 1)
    )
    return connection.execute(statement).scalar_one_or_none()


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
    severities = {
        Severity.of({"severity": matcher.value}).value
        for matcher in matchers
        if matcher.name == "severity" and matcher.operator is Operator.EQUAL
    }
    if len(severities) == 1:
        rows = connection.execute(_SOURCES_OF, {"severity": severities.pop()})
    else:
        rows = connection.execute(_SOURCES)
    for row in rows:
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
