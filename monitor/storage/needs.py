"""Open incidents that want something of a person: how many, and the worst of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, select

from monitor.storage.incidents import Incident, load_incidents
from monitor.storage.schema import incident_updates, incidents, reports

_c = incidents.c
_OPEN = and_(_c.open_marker == 1, _c.number > 0)  # a canary is none
_RANK = case({"critical": 0, "warning": 1}, value=_c.severity, else_=2)


@dataclass(frozen=True, slots=True)
class Wanting:
    """The worst of those that want the same, worst first, then oldest; and how many do."""

    incidents: list[Incident]
    count: int

    @property
    def more(self) -> int:
        """Return how many there are beside those that are given."""
        return self.count - len(self.incidents)


def untaken(connection: Connection, limit: int) -> Wanting:
    """Return the open incidents that nobody has taken."""
    return _wanting(connection, _c.acknowledged_at.is_(None), limit)


def taken_by(connection: Connection, person: str, limit: int) -> Wanting:
    """Return the open incidents that somebody has taken."""
    theirs = and_(_c.acknowledged_at.is_not(None), _c.acknowledged_by == person)
    return _wanting(connection, theirs, limit)


def unexplained(connection: Connection, limit: int) -> Wanting:
    """Return the open incidents that users reported and that no words for customers are about."""
    u = incident_updates.c
    reported = exists().where(reports.c.incident_id == _c.id)
    told = exists().where(u.incident_id == _c.id, u.published_at.is_not(None), u.body != "")
    announced = and_(_c.published_at.is_not(None), _c.customer_message != "")
    return _wanting(connection, and_(reported, ~told, ~announced), limit)


def _wanting(connection: Connection, condition: ColumnElement[bool], limit: int) -> Wanting:
    mine = select(_c.id).where(_OPEN, condition)
    ids = connection.execute(mine.order_by(_RANK, _c.started_at, _c.id).limit(limit))
    order = {row_id: place for place, row_id in enumerate(ids.scalars())}
    found = sorted(load_incidents(connection, order).values(), key=lambda one: order[one.id])
    count = len(found)
    if count == limit:
        statement = select(func.count()).select_from(incidents).where(_OPEN, condition)
        count = int(connection.execute(statement).scalar_one())
    return Wanting(found, count)
