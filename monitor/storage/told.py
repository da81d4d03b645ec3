"""What the database knows of who was told of an incident, and who was not."""

from __future__ import annotations

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
    never = (
        select(timeline.c.at, timeline.c.data)
        .where(
            timeline.c.incident_id == incident_id,
            timeline.c.kind == Kind.NOTIFICATION_NOT_SENT.value,
        )
        .order_by(timeline.c.id)
    )
    unsent = [
        (row.at, str((row.data or {}).get("channel", "")), str((row.data or {}).get("reason", "")))
        for row in connection.execute(never)
    ]
    return who_was_told(sent, unsent)
