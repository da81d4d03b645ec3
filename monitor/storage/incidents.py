"""Incidents as rows: loaded whole, changed column by column, their timeline only ever added to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from incidents.lifecycle import Impact, Origin, Severity, Status, UnknownIncident
from incidents.outbox import incident_name
from incidents.texts import storable
from incidents.timeline import NOT_AUDITED, Entry
from monitor.storage.audit import Change, record_all
from monitor.storage.bulk import DIALECTS, insert_rows, numbers, texts
from monitor.storage.schema import (
    incident_components,
    incident_tasks,
    incident_updates,
    incidents,
    outbox,
    timeline,
)
from monitor.storage.store import Transaction

_c = incidents.c


@dataclass(slots=True)
class Incident:
    """One incident as the database has it; `components` maps each to its status."""

    id: int
    number: int
    public_id: str
    key: str
    title: str
    status: Status
    severity: Severity
    impact: Impact
    component: str | None
    journey: str | None
    step: str | None
    reason: str | None
    origin: Origin
    started_at: datetime
    opened_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    reopened_count: int = 0
    taken_over: bool = False
    taken_over_by: str | None = None
    reconstructed: bool = False
    published_at: datetime | None = None
    public_title: str = ""
    customer_message: str = ""
    runbook_url: str = ""
    previous_id: int | None = None
    merged_into_id: int | None = None
    derived_severity: str = ""
    derived_impact: str = ""
    lead: str = ""
    communications: str = ""
    components: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return its name in conversation, such as `INC-7`."""
        return incident_name(self.number)

    @property
    def is_open(self) -> bool:
        """Tell whether the disturbance goes on."""
        return self.status.is_open


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents a list shows; everything where nothing is said.

    `person` is somebody who took it, leads it, speaks for it, or has a task on it that is not done.
    `text` is looked for in title, step, reason and number. Of `began_from` and `began_until` the
    first is included.
    """

    open: bool | None = None
    status: str | None = None
    person: str | None = None
    text: str = ""
    began_from: datetime | None = None
    began_until: datetime | None = None
    component: str | None = None
    severity: str | None = None
    since: datetime | None = None
    before_number: int | None = None  # for the next page: only lower numbers
    limit: int = 100


_hit = incident_components.c
_FIELDS = [*Incident.__dataclass_fields__]
_WORDS = [  # where in a row a word stands, and the words there are
    (_FIELDS.index(name), {str(word): word for word in words})
    for name, words in (
        ("status", Status),
        ("severity", Severity),
        ("impact", Impact),
        ("origin", Origin),
    )
]


def load_incident(connection: Connection, number: int) -> Incident:
    """Return the incident of that number.

    Raises:
        UnknownIncident: there is none.
    """
    found = _load(connection, _SELECT.where(_c.number == number))
    if not found:
        raise UnknownIncident(number)
    return found[0]


def load_incidents(connection: Connection, ids: Iterable[int]) -> dict[int, Incident]:
    """Return the incidents of these row ids, by id."""
    wanted = sorted(set(ids))
    rows = _load(connection, _SELECT.where(_c.id.in_(wanted))) if wanted else []
    return {incident.id: incident for incident in rows}


def open_incidents(connection: Connection) -> list[Incident]:
    """Return the incidents that are not resolved, oldest first."""
    real = (_c.open_marker == 1, _c.number > 0)  # a canary is none
    return _load(connection, _SELECT.where(*real).order_by(_c.number))


def joinable(
    connection: Connection,
    keys: Iterable[str],
    components: Iterable[str],
    resolved_since: datetime,
) -> list[Incident]:
    """Return what alerts may join or reopen, by number.

    That is: open incidents that hit these components; and those of these keys that are open, were
    resolved lately, or were merged into another, whenever that was.
    """
    values = {
        "keys": sorted(set(keys)),
        "components": sorted(set(components)),
        "since": resolved_since,
    }
    return _load(connection, _JOINABLE[connection.dialect.name], **values)


def open_about(connection: Connection, components: Iterable[str]) -> list[Incident]:
    """Return the open incidents that hit any of these components, by number."""
    statement = _OPEN_ABOUT[connection.dialect.name]
    return _load(connection, statement, components=sorted(set(components)))


# Built once: a storm opens thousands of incidents, and building one costs more than running it.
_SELECT = select(*(_c[name] for name in Incident.__dataclass_fields__ if name != "components"))
_one = incidents.alias("one")


def _open_that_hit(dialect: str) -> Select[Any]:
    """Return the row ids of open incidents that hit one of the `components`."""
    hits = _hit.component.in_(texts(dialect, "components"))
    mine = select(_hit.incident_id).where(_hit.incident_id == _one.c.id, hits)
    return select(_one.c.id).where(_one.c.open_marker == 1, mine.exists())


def _of_keys(dialect: str) -> Select[Any]:
    """Return the row ids of the incidents with one of the `keys` that are of interest."""
    ended = or_(_one.c.resolved_at >= bindparam("since"), _one.c.merged_into_id.is_not(None))
    wanted = _one.c.key.in_(texts(dialect, "keys"))
    return select(_one.c.id).where(wanted, or_(_one.c.open_marker == 1, ended))


_OPEN_ABOUT = {
    dialect: _SELECT.where(_c.id.in_(_open_that_hit(dialect))).order_by(_c.number)
    for dialect in DIALECTS
}
_JOINABLE = {
    dialect: _SELECT.where(
        _c.id.in_(union_all(_open_that_hit(dialect), _of_keys(dialect)))
    ).order_by(_c.number)
    for dialect in DIALECTS
}
_COMPONENTS_OF = {
    dialect: select(_hit.incident_id, _hit.component, _hit.status).where(
        _hit.incident_id.in_(numbers(dialect, "ids"))
    )
    for dialect in DIALECTS
}
_LAST_OF_KEY = select(func.max(_c.id)).where(
    _c.key == bindparam("wanted"), _c.open_marker.is_(None)
)
_INSERT = insert(incidents).returning(_c.id)


def last_of_key(connection: Connection, key: str) -> int | None:
    """Return the row id of the last resolved incident of this identity, or None."""
    found: int | None = connection.execute(_LAST_OF_KEY, {"wanted": key}).scalar_one()
    return found


def list_incidents(connection: Connection, wanted: IncidentFilter) -> list[Incident]:
    """Return the newest incidents that match, newest first."""
    statement = _SELECT.where(*_conditions(wanted))
    if wanted.before_number is not None:
        statement = statement.where(_c.number < wanted.before_number)
    return _load(connection, statement.order_by(_c.number.desc()).limit(wanted.limit))


def count_incidents(connection: Connection, wanted: IncidentFilter) -> int:
    """Return how many incidents match, on all pages together."""
    statement = select(func.count()).select_from(incidents).where(*_conditions(wanted))
    return int(connection.execute(statement).scalar_one())


def _conditions(wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [_c.number > 0]  # a canary is none
    if wanted.open is not None:
        found.append(_c.open_marker == 1 if wanted.open else _c.open_marker.is_(None))
    if wanted.component is not None:
        also = select(_hit.incident_id).where(_hit.component == wanted.component)
        found.append(or_(_c.component == wanted.component, _c.id.in_(also)))
    for column in ("severity", "status"):
        if (value := getattr(wanted, column)) is not None:
            found.append(_c[column] == value)
    if wanted.since is not None:
        found.append(or_(_c.open_marker == 1, _c.resolved_at >= wanted.since))
    if wanted.began_from is not None:
        found.append(_c.started_at >= wanted.began_from)
    if wanted.began_until is not None:
        found.append(_c.started_at < wanted.began_until)
    if wanted.person is not None:
        found.append(_is_work_of(wanted.person))
    if text := storable(wanted.text).strip():
        found.append(_tells_of(text))
    return found


def _is_work_of(person: str) -> ColumnElement[bool]:
    task = incident_tasks.c
    theirs = select(task.incident_id).where(task.owner == person, task.done_at.is_(None))
    columns = ("acknowledged_by", "taken_over_by", "lead", "communications")
    return or_(*(_c[name] == person for name in columns), _c.id.in_(theirs))


def _tells_of(text: str) -> ColumnElement[bool]:
    """Every word stands somewhere, in whatever case; `INC-7` is the incident's name."""
    number = text.upper().removeprefix("INC-")
    words = [
        or_(
            *(
                func.lower(func.coalesce(_c[name], "")).contains(word.lower(), autoescape=True)
                for name in ("title", "component", "journey", "step", "reason")
            )
        )
        for word in text.split()
    ]
    named = [_c.number == int(number)] if number.isdecimal() and len(number) < 10 else []
    return or_(and_(*words), *named)


def insert_incident(
    tx: Transaction, values: Mapping[str, Any], components: Mapping[str, str]
) -> int:
    """Record a new open incident and return its row id.

    Raises:
        IntegrityError: its key has an open incident already.
    """
    row = {**values, "open_marker": 1}
    row_id = int(tx.connection.execute(_INSERT, row).scalar_one())
    _add_components(tx, row_id, components)
    return row_id


def change_incident(tx: Transaction, row_id: int, changes: Mapping[str, Any]) -> None:
    """Record these columns of one incident."""
    tx.connection.execute(update(incidents).where(_c.id == row_id).values(**changes))


def set_components(tx: Transaction, row_id: int, components: Mapping[str, str]) -> None:
    """Make these the incident's components and their status."""
    mine = incident_components.c.incident_id == row_id
    tx.connection.execute(incident_components.delete().where(mine))
    _add_components(tx, row_id, components)


def _add_components(tx: Transaction, row_id: int, components: Mapping[str, str]) -> None:
    if components:
        rows = [
            {"incident_id": row_id, "component": name, "status": status}
            for name, status in sorted(components.items())
        ]
        tx.connection.execute(incident_components.insert(), rows)


def add_entries(tx: Transaction, entries: Sequence[tuple[int, Entry]]) -> None:
    """Add lines to timelines; `entries` pair an incident's row id with a line."""
    if entries:
        rows = [
            {
                "incident_id": incident_id,
                "at": entry.at,
                "kind": entry.kind.value,
                "actor": entry.actor,
                "text": entry.text,
                "data": dict(entry.data) or None,
            }
            for incident_id, entry in entries
        ]
        insert_rows(tx.connection, timeline, rows)
        _record_changes(tx, [pair for pair in entries if pair[1].kind not in NOT_AUDITED])


def _record_changes(tx: Transaction, entries: Sequence[tuple[int, Entry]]) -> None:
    """Write each line to the audit log too: its facts, not the words somebody typed."""
    if not entries:
        return
    ids = {incident_id for incident_id, _ in entries}
    found = tx.connection.execute(select(_c.id, _c.number).where(_c.id.in_(ids)))
    names = {row.id: f"INC-{row.number}" for row in found}
    record_all(
        tx,
        [
            Change(entry.at, entry.actor, f"incident.{entry.kind}", names[row_id], entry.data)
            for row_id, entry in entries
        ],
    )


def add_update(tx: Transaction, values: Mapping[str, Any]) -> None:
    """Record a public note."""
    tx.connection.execute(incident_updates.insert(), dict(values))


def load_updates(connection: Connection, incident_id: int) -> list[RowMapping]:
    """Return an incident's public notes, oldest first, drafts included."""
    statement = select(incident_updates).where(incident_updates.c.incident_id == incident_id)
    return list(connection.execute(statement.order_by(incident_updates.c.id)).mappings())


def notified(connection: Connection, incident_id: int) -> list[tuple[str, str, str]]:
    """Return (event, channel, recipient) of every notification of an incident, oldest first.

    Those about incidents that were merged into it count as its own.
    """
    c = outbox.c
    mine = or_(_c.id == incident_id, _c.merged_into_id == incident_id)
    statement = select(c.event, c.channel, c.recipient).where(
        c.incident_id.in_(select(_c.id).where(mine))
    )
    return [(e, ch, r) for e, ch, r in connection.execute(statement.order_by(c.id))]


def _load(connection: Connection, statement: Select[Any], **values: Any) -> list[Incident]:
    rows = connection.execute(statement, values).all()
    components = _components(connection, [row[0] for row in rows])
    return [_incident(row, components.get(row[0], {})) for row in rows]


def _components(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    if ids:
        statement = _COMPONENTS_OF[connection.dialect.name]
        for incident_id, component, status in connection.execute(statement, {"ids": ids}):
            found.setdefault(incident_id, {})[component] = status
    return found


def _incident(row: Row[Any], components: dict[str, str]) -> Incident:
    values = list(row)
    for position, words in _WORDS:
        values[position] = words[values[position]]
    values.append(components)
    return Incident(*values)
