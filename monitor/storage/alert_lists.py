"""Open alerts for lists, read compactly: a list of 50,000 must not take a second.

Labels and annotations come as the database's own JSON text, so that what is only passed on is
never taken apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, select

from monitor.storage.schema import alerts, incidents

_c = alerts.c
_TEXTS = (cast(_c.labels, Text).label("labels"), cast(_c.annotations, Text).label("annotations"))


def open_alert_texts(connection: Connection) -> Sequence[Row[Any]]:
    """Return every open alert by identity; labels and annotations are JSON texts."""
    columns = (
        _c.fingerprint,
        *_TEXTS,
        _c.starts_at,
        _c.ends_at,
        _c.updated_at,
        _c.generator_url,
        _c.state,
        _c.muted_by,
    )
    statement = select(*columns).where(_c.open_marker == 1).order_by(_c.fingerprint)
    return connection.execute(statement).all()


def open_alert_labels(connection: Connection) -> Sequence[Row[Any]]:
    """Return `id`, `fingerprint`, labels as JSON text, `state` and `muted_by` of open alerts."""
    columns = (_c.id, _c.fingerprint, _TEXTS[0], _c.state, _c.muted_by, _c.incident_id)
    statement = select(*columns).where(_c.open_marker == 1).order_by(_c.id.desc())
    return connection.execute(statement).all()


def closed_alert_labels(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Return the same of the alerts that ended last, the latest first."""
    columns = (_c.id, _c.fingerprint, _TEXTS[0], _c.state, _c.muted_by, _c.incident_id)
    statement = select(*columns).where(_c.resolved_at.is_not(None), _c.open_marker.is_(None))
    return connection.execute(statement.order_by(_c.resolved_at.desc()).limit(limit)).all()


def alerts_by_id(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Return whole alerts, with the `number` of their incident, by row id."""
    statement = (
        select(alerts, incidents.c.number)
        .outerjoin(incidents, incidents.c.id == _c.incident_id)
        .where(_c.id.in_(ids))
    )
    return {row.id: row for row in connection.execute(statement)}
