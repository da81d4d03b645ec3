"""What the database knows of who was told of an incident, and who was not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from incidents.timeline import Kind
from incidents.told import Sent, Told, who_was_told
from monitor.storage import outages
from monitor.storage.schema import outbox, timeline

_o = outbox.c


def told_of(connection: Connection, incident_id: int) -> list[Told]:
    """Return who was told of an incident, who was not, and why; in the order it was decided."""
    digest = outbox.alias("digest")
    d = digest.c
    statement = (
        select(
            _o.channel,
            _o.recipient,
            _o.event,
            func.coalesce(d.state, _o.state).label("state"),
            func.coalesce(d.finished_at, _o.finished_at, _o.created_at).label("at"),
            func.coalesce(d.due_at, _o.due_at).label("due_at"),
            func.coalesce(d.reason, _o.reason).label("reason"),
            _o.held,
            func.coalesce(d.last_error, _o.last_error).label("error"),
            func.coalesce(d.attempts, _o.attempts).label("attempts"),
            _o.folded_into.is_not(None).label("folded"),
        )
        .select_from(outbox.outerjoin(digest, d.id == _o.folded_into))
        .where(_o.incident_id == incident_id)
        .order_by(_o.id)
    )
    rows = connection.execute(statement).mappings().all()
    resting = outages.resting(connection, {row["channel"] for row in rows})
    sent = [Sent(**row, outage=resting.get(row["channel"])) for row in rows]
    return who_was_told(sent, _never_told(connection, incident_id))


def _never_told(connection: Connection, incident_id: int) -> list[tuple[datetime, str, str]]:
    """Return (when last, channel, reason) of those who were to get nothing, however often."""
    t = timeline.c
    named = (
        select(
            t.id,
            t.at,
            func.coalesce(t.data["channel"].as_string(), "").label("channel"),
            func.coalesce(t.data["reason"].as_string(), "").label("reason"),
        )
        .where(t.incident_id == incident_id, t.kind == Kind.NOTIFICATION_NOT_SENT.value)
        .subquery()
    )
    n = named.c
    statement = select(func.max(n.at), n.channel, n.reason).group_by(n.channel, n.reason)
    return [tuple(row) for row in connection.execute(statement.order_by(func.min(n.id)))]
