"""What waits and what happened lately, as few numbers as the console's first page needs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from incidents.reports.conversation import ReportStatus
from monitor.storage.schema import incidents, outbox, reports, users


class Waiting(NamedTuple):
    """How many wait, and since when the first of them."""

    number: int
    oldest_at: datetime | None


def waiting_reports(connection: Connection, status: ReportStatus) -> Waiting:
    """Return the reports in a status; their age is that of their last change."""
    statement = select(func.count(), func.min(reports.c.updated_at)).where(
        reports.c.status == status.value
    )
    return Waiting(*connection.execute(statement).one())


def still_broken(connection: Connection) -> Waiting:
    """Return the reporters who were told that it works and said that it does not."""
    statement = select(func.count(), func.min(reports.c.answered_at)).where(
        reports.c.works_now == "no", reports.c.status != ReportStatus.CLOSED.value
    )
    return Waiting(*connection.execute(statement).one())


def failed_notifications(connection: Connection, since: datetime) -> int:
    """Return how many notifications were given up since an instant."""
    statement = select(func.count()).where(
        outbox.c.state == "failed", outbox.c.finished_at >= since
    )
    return int(connection.execute(statement).scalar_one())


def overdue_notifications(connection: Connection, before: datetime) -> int:
    """Return how many notifications should have left before an instant and have not."""
    statement = select(func.count()).where(outbox.c.state == "queued", outbox.c.due_at < before)
    return int(connection.execute(statement).scalar_one())


def incident_spans(
    connection: Connection, since: datetime
) -> list[tuple[datetime, datetime, datetime | None]]:
    """Return (opened, began, ended or None) of incidents that went on at or after an instant."""
    c = incidents.c
    lately = or_(c.open_marker == 1, c.resolved_at >= since)
    statement = select(c.opened_at, c.started_at, c.resolved_at).where(lately)
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def reports_since(connection: Connection, since: datetime) -> int:
    """Return how many reports came since an instant."""
    statement = select(func.count()).where(reports.c.created_at >= since)
    return int(connection.execute(statement).scalar_one())


def count_open_accounts(connection: Connection) -> int:
    """Return how many people can sign in."""
    statement = select(func.count()).where(users.c.disabled_at.is_(None))
    return int(connection.execute(statement).scalar_one())
