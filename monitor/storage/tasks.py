"""Tasks of incidents as rows, numbered from 1 on each incident."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from incidents.errors import UnknownObjectError
from monitor.storage.schema import incident_tasks
from monitor.storage.store import Transaction

_c = incident_tasks.c


@dataclass(frozen=True, slots=True)
class Task:
    """Something somebody has to do about an incident."""

    id: int
    number: int
    text: str
    owner: str
    due_at: datetime | None
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str


_COLUMNS = [_c[name] for name in Task.__dataclass_fields__]


def tasks_of(connection: Connection, incident_id: int) -> list[Task]:
    """Return an incident's tasks in the order of their numbers."""
    statement = select(*_COLUMNS).where(_c.incident_id == incident_id).order_by(_c.number)
    return [Task(*row) for row in connection.execute(statement)]


def load_task(connection: Connection, incident_id: int, number: int) -> Task:
    """Return one task of an incident.

    Raises:
        UnknownObjectError: it has none of that number.
    """
    statement = select(*_COLUMNS).where(_c.incident_id == incident_id, _c.number == number)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise UnknownObjectError(f"task {number} on this incident")
    return Task(*row)


def next_task_number(connection: Connection, incident_id: int) -> int:
    """Return the number that the incident's next task gets."""
    statement = select(func.max(_c.number)).where(_c.incident_id == incident_id)
    return (connection.execute(statement).scalar_one() or 0) + 1


def open_task_counts(connection: Connection, incident_ids: Iterable[int]) -> dict[int, int]:
    """Return how many tasks are not done, by incident; those without any are left out."""
    wanted = sorted(set(incident_ids))
    statement = (
        select(_c.incident_id, func.count())
        .where(_c.incident_id.in_(wanted), _c.done_at.is_(None))
        .group_by(_c.incident_id)
    )
    return dict(connection.execute(statement).all()) if wanted else {}


def add_task(tx: Transaction, values: dict[str, Any]) -> None:
    """Record a new task; `values` are its columns and the incident's row id."""
    tx.connection.execute(insert(incident_tasks).values(**values))
    tx.touch("incidents")


def change_task(tx: Transaction, task_id: int, **columns: Any) -> None:
    """Record these columns of one task."""
    tx.connection.execute(update(incident_tasks).where(_c.id == task_id).values(**columns))
    tx.touch("incidents")
