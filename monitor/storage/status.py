"""What the public may know, read from the database; the only queries that public pages use.

Every statement here asks for published rows alone, and none reads a column that is not meant for
everybody (no keys, no notes, no timeline, no reporter). What is not selected here cannot leak.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from incidents.notices.published import PublicIncident, PublicUpdate, public_code
from incidents.notices.status import ComponentStatus, JourneySignal, OpenIncident
from incidents.notices.uptime import Interval
from incidents.texts import storable
from monitor.storage.schema import (
    component_states,
    facts,
    incident_components,
    incident_updates,
    incidents,
    runs,
    verdicts,
)
from monitor.storage.store import Transaction

SLOW_RUNS = 3  # so many in a row are a slow component; a single one is not
RECORDED_AT = "status_recorded_at"
REBUILT = "reconstructed"  # the cause of a state that nobody here saw while it held


class JourneyFacts(Protocol):
    """What is needed of a configured journey."""

    @property
    def name(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def interval_seconds(self) -> float: ...
    @property
    def locations(self) -> Sequence[str]: ...


def load_signals(
    connection: Connection, journeys: Iterable[JourneyFacts], locations: Sequence[str]
) -> tuple[JourneySignal, ...]:
    """Return what every configured journey last saw from each of its locations.

    A journey that never ran is there too, with verdict unknown.
    """
    seen = {(row.journey, row.location): row for row in connection.execute(select(verdicts))}
    return tuple(
        _signal(connection, journey, location, seen.get((journey.name, location)))
        for journey in journeys
        for location in (journey.locations or locations)
    )


def _signal(
    connection: Connection, journey: JourneyFacts, location: str, row: Row[Any] | None
) -> JourneySignal:
    if row is None:
        return JourneySignal(
            journey.name, journey.component, location, "unknown", journey.interval_seconds
        )
    return JourneySignal(
        journey=journey.name,
        component=journey.component,
        location=location,
        verdict=row.verdict,
        interval_seconds=journey.interval_seconds,
        last_run_at=row.last_run_at,
        last_success_at=row.last_success_at,
        degraded=_is_slow(connection, journey.name, location),
    )


def _is_slow(connection: Connection, journey: str, location: str) -> bool:
    """Return whether the last few runs were all slow."""
    c = runs.c
    newest = (
        select(c.degraded)
        .where(c.journey == journey, c.location == location)
        .order_by(c.started_at.desc())
        .limit(SLOW_RUNS)
    )
    found = list(connection.execute(newest).scalars())
    return len(found) == SLOW_RUNS and all(found)


def open_component_statuses(connection: Connection) -> tuple[OpenIncident, ...]:
    """Return what published, unresolved incidents say of components."""
    i, c = incidents.c, incident_components.c
    statement = (
        select(i.public_id, c.component, c.status)
        .join_from(incidents, incident_components, i.id == c.incident_id)
        .where(i.published_at.is_not(None), i.open_marker == 1)
    )
    return tuple(
        OpenIncident(row.public_id, row.component, ComponentStatus(row.status))
        for row in connection.execute(statement)
    )


def open_public_incidents(connection: Connection) -> tuple[PublicIncident, ...]:
    """Return the published, unresolved incidents, newest first."""
    return _incidents(connection, _published().where(incidents.c.open_marker == 1))


def newest_public_incidents(connection: Connection, limit: int) -> tuple[PublicIncident, ...]:
    """Return the newest published incidents of any state, newest first."""
    return _incidents(connection, _published().limit(limit))


def public_incidents_between(
    connection: Connection, start: datetime, end: datetime
) -> tuple[PublicIncident, ...]:
    """Return the published incidents that began from `start` (included) to `end`, newest first."""
    at = incidents.c.opened_at
    return _incidents(connection, _published().where(at >= start, at < end))


def public_incident(connection: Connection, public_id: str) -> PublicIncident | None:
    """Return a published incident by its public id; a draft is as absent as an unknown one.

    For one that was merged into another it is that other one, under its own public id.
    """
    row_id = row_id_of(connection, public_id)
    found = _incidents(connection, _published().where(incidents.c.id == row_id))
    return found[0] if found else None


def public_incidents_of(connection: Connection, ids: Iterable[int]) -> dict[int, PublicIncident]:
    """Return those of the incidents with these row ids that are published, by row id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    i = incidents.c
    names = {
        row.public_id: row.id
        for row in connection.execute(select(i.id, i.public_id).where(i.id.in_(wanted)))
    }
    found = _incidents(connection, _published().where(i.id.in_(wanted)))
    return {names[incident.public_id]: incident for incident in found}


def row_id_of(connection: Connection, public_id: str) -> int | None:
    """Return the row id of a published incident or of what it was merged into, or None."""
    i = incidents.c
    statement = select(func.coalesce(i.merged_into_id, i.id)).where(
        i.public_id == storable(public_id), i.published_at.is_not(None)
    )
    return connection.execute(statement).scalar_one_or_none()


def oldest_incident_at(connection: Connection) -> datetime | None:
    """Return when the first published incident was opened, or None."""
    statement = (
        select(incidents.c.opened_at)
        .where(incidents.c.published_at.is_not(None))
        .order_by(incidents.c.opened_at)
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def _published() -> Select[Any]:
    i = incidents.c
    return (
        select(
            i.id,
            i.public_id,
            i.public_title,
            i.status,
            i.impact,
            i.started_at,
            i.opened_at,
            i.monitoring_at,
            i.resolved_at,
            i.published_at,
            i.customer_message,
            i.reconstructed,
        )
        .where(i.published_at.is_not(None), i.merged_into_id.is_(None))
        .order_by(i.opened_at.desc(), i.id.desc())
    )


def _incidents(connection: Connection, statement: Select[Any]) -> tuple[PublicIncident, ...]:
    rows = connection.execute(statement).all()
    ids = [row.id for row in rows]
    if not ids:
        return ()
    notes, parts = _notes(connection, ids), _parts(connection, ids)
    return tuple(_incident(row, notes.get(row.id, []), parts.get(row.id, ())) for row in rows)


def _notes(connection: Connection, ids: Sequence[int]) -> dict[int, list[PublicUpdate]]:
    """Return the published notes of incidents and of what was merged into them, oldest first."""
    u, i = incident_updates.c, incidents.c
    story = func.coalesce(i.merged_into_id, i.id)
    statement = (
        select(story.label("story"), u.public_id, u.status, u.body, u.at)
        .join_from(incident_updates, incidents, i.id == u.incident_id)
        .where(story.in_(ids), u.published_at.is_not(None))
        .order_by(u.at, u.id)
    )
    found: dict[int, list[PublicUpdate]] = {}
    for row in connection.execute(statement):
        note = PublicUpdate(row.public_id, row.status, row.body, row.at)
        found.setdefault(row.story, []).append(note)
    return found


def _parts(
    connection: Connection, ids: Sequence[int]
) -> dict[int, tuple[tuple[str, ComponentStatus], ...]]:
    c = incident_components.c
    statement = select(incident_components).where(c.incident_id.in_(ids)).order_by(c.component)
    found: dict[int, tuple[tuple[str, ComponentStatus], ...]] = {}
    for row in connection.execute(statement):
        pair = (row.component, ComponentStatus(row.status))
        found[row.incident_id] = (*found.get(row.incident_id, ()), pair)
    return found


def _incident(
    row: Row[Any], notes: list[PublicUpdate], parts: tuple[tuple[str, ComponentStatus], ...]
) -> PublicIncident:
    """Return the incident as everybody may see it, with words for its beginning and its end."""
    said = list(notes)
    if not said:
        body = row.customer_message or "We are looking into this."
        code = public_code("opening", row.public_id)
        said.append(PublicUpdate(code, "investigating", body, row.published_at))
    if row.resolved_at is not None and said[-1].status != "resolved":
        code = public_code("closing", row.public_id)
        at = max(row.resolved_at, said[-1].at)
        said.append(PublicUpdate(code, "resolved", "This incident has been resolved.", at))
    return PublicIncident(
        public_id=row.public_id,
        title=row.public_title,
        status="resolved" if row.status == "postmortem" else row.status,
        impact=row.impact,
        started_at=row.started_at,
        created_at=row.opened_at,
        updated_at=said[-1].at,
        updates=tuple(reversed(said)),
        components=parts,
        monitoring_at=row.monitoring_at,
        resolved_at=row.resolved_at,
        reconstructed=row.reconstructed,
    )


def current_states(connection: Connection) -> dict[str, tuple[ComponentStatus, datetime]]:
    """Return each component's recorded status and since when it has held."""
    c = component_states.c
    statement = select(c.component, c.status, c.since).where(c.until.is_(None))
    return {
        row.component: (ComponentStatus(row.status), row.since)
        for row in connection.execute(statement)
    }


def first_seen(connection: Connection) -> dict[str, datetime]:
    """Return when each component's record begins."""
    c = component_states.c
    statement = select(c.component, func.min(c.since)).group_by(c.component)
    return dict(connection.execute(statement).all())


def component_intervals(connection: Connection, since: datetime) -> dict[str, tuple[Interval, ...]]:
    """Return each component's recorded statuses that last beyond `since`, oldest first."""
    c = component_states.c
    statement = (
        select(c.component, c.status, c.since, c.until, c.cause)
        .where((c.until.is_(None)) | (c.until > since))
        .order_by(c.component, c.since, c.id)
    )
    found: dict[str, list[Interval]] = {}
    for row in connection.execute(statement):
        rebuilt = row.cause == REBUILT
        piece = Interval(ComponentStatus(row.status), row.since, row.until, rebuilt)
        found.setdefault(row.component, []).append(piece)
    return {component: tuple(pieces) for component, pieces in found.items()}


def change_state(
    tx: Transaction, component: str, status: ComponentStatus, cause: str, at: datetime
) -> None:
    """Record that `component` has held `status` from `at` on; what it held before ends there."""
    close_state(tx, component, at)
    row = {"component": component, "status": status.value, "since": at, "cause": cause}
    tx.connection.execute(insert(component_states), row)
    tx.touch("status")


def add_past_states(
    tx: Transaction, pieces: Iterable[tuple[str, ComponentStatus, datetime, datetime]]
) -> None:
    """Record what components held between two instants, beside what was seen of that time.

    Where both speak of one instant, the worse counts.
    """
    rows = [
        {"component": name, "status": held.value, "since": start, "until": end, "cause": REBUILT}
        for name, held, start, end in pieces
        if end > start
    ]
    if rows:
        tx.connection.execute(insert(component_states), rows)
        tx.touch("status")


def close_state(tx: Transaction, component: str, at: datetime) -> None:
    """Record that whatever `component` held ends at `at`."""
    c = component_states.c
    still = (c.component == component, c.until.is_(None))
    tx.connection.execute(update(component_states).where(*still).values(until=at))


def recorded_at(connection: Connection) -> datetime | None:
    """Return when somebody last looked whether components changed, or None: never."""
    f = facts.c
    statement = select(f.updated_at).where(f.name == RECORDED_AT)
    return connection.execute(statement).scalar_one_or_none()


def note_recorded(tx: Transaction, at: datetime) -> None:
    """Record that components were looked at `at`."""
    changed = tx.connection.execute(
        update(facts).where(facts.c.name == RECORDED_AT).values(updated_at=at)
    )
    if changed.rowcount == 0:
        row = {"name": RECORDED_AT, "value": None, "updated_at": at}
        tx.connection.execute(insert(facts), row)
