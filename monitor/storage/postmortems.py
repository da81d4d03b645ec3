"""Postmortems as rows: every version that was saved, and the facts a draft is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, or_, select

from incidents.errors import UnknownObjectError
from monitor.storage.schema import incidents, outbox, postmortems, runs
from monitor.storage.store import Transaction

_c = postmortems.c


@dataclass(frozen=True, slots=True)
class Version:
    """One saved version; `body` is Markdown."""

    version: int
    at: datetime
    author: str
    body: str


_COLUMNS = [_c[name] for name in Version.__dataclass_fields__]


def versions_of(connection: Connection, incident_id: int) -> list[Version]:
    """Return every version of an incident's postmortem, the newest first."""
    statement = select(*_COLUMNS).where(_c.incident_id == incident_id)
    return [Version(*row) for row in connection.execute(statement.order_by(_c.version.desc()))]


def latest_version(connection: Connection, incident_id: int) -> Version | None:
    """Return the newest version, or None where none was saved."""
    statement = select(*_COLUMNS).where(_c.incident_id == incident_id)
    row = connection.execute(statement.order_by(_c.version.desc()).limit(1)).one_or_none()
    return Version(*row) if row else None


def load_version(connection: Connection, incident_id: int, version: int) -> Version:
    """Return one version.

    Raises:
        UnknownObjectError: there is none of that number.
    """
    statement = select(*_COLUMNS).where(_c.incident_id == incident_id, _c.version == version)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise UnknownObjectError(f"version {version} of this postmortem")
    return Version(*row)


def add_version(tx: Transaction, incident_id: int, version: Version) -> None:
    """Record a version; earlier ones stay as they are."""
    values = {name: getattr(version, name) for name in Version.__dataclass_fields__}
    tx.connection.execute(insert(postmortems).values(incident_id=incident_id, **values))
    tx.touch("incidents")


def first_failure_at(
    connection: Connection, journeys: Iterable[str], since: datetime, until: datetime
) -> datetime | None:
    """Return when the first failing run of these journeys began, from `since` to `until`."""
    c = runs.c
    statement = select(func.min(c.started_at)).where(
        c.journey.in_(sorted(set(journeys))),
        c.started_at >= since,
        c.started_at <= until,
        c.outcome == "fail",
    )
    found: datetime | None = connection.execute(statement).scalar_one()
    return found


def message_counts(connection: Connection, incident_id: int) -> Mapping[str, int]:
    """Return how many messages about an incident are in each state, merged ones included."""
    i, c = incidents.c, outbox.c
    mine = select(i.id).where(or_(i.id == incident_id, i.merged_into_id == incident_id))
    statement = (
        select(c.state, func.count())
        .where(c.incident_id.in_(mine), c.event.like("incident%"))
        .group_by(c.state)
    )
    return dict(connection.execute(statement).all())
