"""Mail to those who reported a problem: queued with its cause, and never too much of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from incidents.outbox import notification_key
from incidents.reports.conversation import (
    Said,
)
from monitor.storage.outbox import enqueue
from monitor.storage.schema import outbox
from monitor.storage.store import Transaction

REPORTER = "reporter"  # the channel that mails whoever wrote the report


MAILS_AN_HOUR = 5  # to one address that nobody has verified: forms are used to bomb strangers


PRIORITY = 15


@dataclass(frozen=True)
class Filed:
    """A recorded report."""

    id: int
    number: int
    token: str
    incident_id: int | None
    email: str


def queue_mail(
    tx: Transaction,
    filed: Filed,
    event: str,
    mark: str,
    said: Said,
    public_url: str,
    now: datetime,
) -> None:
    """Queue a mail to the reporter, unless there is no address or it has had enough of them."""
    if not filed.email or _is_flooded(tx.connection, filed.email, now):
        return
    if public_url:
        page = report_page(public_url, filed.token)
        said = Said(said.subject, f"{said.body}\n\nYour report, and our answers: {page}\n")
    enqueue(tx, [mail_row(filed.id, filed.number, filed.email, event, mark, said, now)])


def _is_flooded(connection: Connection, address: str, now: datetime) -> bool:
    """Return whether an address got as many acknowledgements this hour as we send."""
    c = outbox.c
    statement = (
        select(func.count())
        .select_from(outbox)
        .where(
            c.channel == REPORTER,
            c.recipient == address,
            c.event == "report_received",
            c.created_at > now - timedelta(hours=1),
        )
    )
    return int(connection.execute(statement).scalar_one()) >= MAILS_AN_HOUR


def mail_row(
    report_id: int, number: int, address: str, event: str, mark: str, said: Said, now: datetime
) -> dict[str, object]:
    key = notification_key(f"RPT-{number}", event, mark)
    return {
        "key": key,
        "event": event,
        "report_id": report_id,
        "channel": REPORTER,
        "recipient": address,
        "severity": "info",
        "subject": said.subject,
        "body": said.body,
        "priority": PRIORITY,
        "payload": {"key": key, "event": event, "report": f"RPT-{number}"},
        "created_at": now,
    }


def report_page(public_url: str, token: str) -> str:
    return f"{public_url}/r/{token}"
