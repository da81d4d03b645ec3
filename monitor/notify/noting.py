"""What became of a notification, written where people look for it."""

from __future__ import annotations

from datetime import datetime

from incidents.digest import DIGEST
from monitor.storage import deliveries, holding
from monitor.storage.deliveries import Delivery
from monitor.storage.holding import Line
from monitor.storage.store import Transaction


def note(
    tx: Transaction, delivery: Delivery, at: datetime, kind: str, text: str, why: str = ""
) -> None:
    """Write a line on the timeline of each incident it tells of, or into its report."""
    if delivery.event == DIGEST:
        incidents = holding.folded_incidents(tx.connection, delivery.id)
        holding.note_all(tx, incidents, Line(kind, text, why), at, delivery)
        return
    data = {
        "key": delivery.key,
        "event": delivery.event,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "attempts": delivery.attempts,
        "reason": why,
    }
    deliveries.note(
        tx,
        incident_id=delivery.incident_id,
        report_id=delivery.report_id,
        at=at,
        kind=kind,
        text=text,
        data=data,
    )


def note_failure(tx: Transaction, delivery: Delivery, at: datetime, error: str, why: str) -> None:
    """Write that somebody could not be told, and after how many attempts."""
    tries = f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
    text = f"Could not tell {delivery.who}: {delivery.what} ({error}; {tries})."
    note(tx, delivery, at, "notification_failed", text, why)
