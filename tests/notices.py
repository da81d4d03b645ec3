"""Builders around notifications: a message, a context, channels, incidents and outbox rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from monitor.clock import Clock, FakeClock
from monitor.notify.delivery_rules import GroupingSettings, LimitSettings, QuietHoursSettings
from monitor.notify.message import Complete, Context, MailAccount, Message, complete_already
from monitor.storage.schema import incidents, outbox, timeline
from monitor.storage.store import Store
from probes.secrets import EnvironmentSecrets

NOW = FakeClock().now()
_numbers = itertools.count(1)


@dataclass(frozen=True)
class GivenChannel:
    """A configured channel."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    limit: LimitSettings | None = None
    grouping: GroupingSettings | Literal[False] | None = None
    quiet_hours: QuietHoursSettings | None = None


def make_message(**given: Any) -> Message:
    """Return an opening of INC-7, overruled by what is given."""
    usual = {
        "key": "incident-7.opened.oncall",
        "event": "incident_opened",
        "subject": "INC-7 Checkout fails at pay",
        "body": "Checkout has failed since 09:00 UTC.\nStep: pay (status)",
        "created_at": NOW,
        "severity": "critical",
        "thread": "incident-7",
    }
    return Message(**{**usual, **given})


def make_context(
    smtp_port: int = 0,
    clock: Clock | None = None,
    complete: Complete = complete_already,
    **secrets: str,
) -> Context:
    """Return a context of a shop called Demo Shop."""
    url = f"smtp://127.0.0.1:{smtp_port}" if smtp_port else ""
    return Context(
        secrets=EnvironmentSecrets({f"MONITOR_SECRET_{n}": v for n, v in secrets.items()}),
        mail=MailAccount(url, "monitor@shop.example"),
        site_name="Demo Shop",
        site_url="https://status.shop.example",
        clock=clock or FakeClock(),
        complete=complete,
    )


def put_incident(store: Store, status: str = "investigating") -> int:
    """Insert an incident and return its id."""
    number = next(_numbers)
    row = {
        "number": number,
        "public_id": f"p{number}",
        "key": f"key-{number}",
        "open_marker": None if status == "resolved" else 1,
        "title": "Checkout fails",
        "status": status,
        "severity": "critical",
        "impact": "major",
        "origin": "automatic",
        "started_at": NOW,
        "opened_at": NOW,
        "updated_at": NOW,
    }
    with store.begin() as tx:
        tx.connection.execute(incidents.insert().values(**row))
        statement = select(incidents.c.id).where(incidents.c.number == number)
        return int(tx.connection.execute(statement).scalar_one())


def set_status(store: Store, incident_id: int, status: str, **more: Any) -> None:
    """Give an incident another status."""
    with store.begin() as tx:
        statement = incidents.update().where(incidents.c.id == incident_id)
        tx.connection.execute(statement.values(status=status, **more))


def put_row(store: Store, incident_id: int | None = None, **given: Any) -> str:
    """Queue one notification and return its key; the subject is the key."""
    event = given.get("event", "incident_opened")
    key = f"n{next(_numbers)}-{event}"
    usual: dict[str, Any] = {
        "key": key,
        "event": event,
        "incident_id": incident_id,
        "channel": "oncall",
        "severity": "critical",
        "subject": key,
        "body": "since 09:00 UTC",
        "payload": {},
        "created_at": NOW,
        "due_at": NOW,
        "state": "queued",
    }
    with store.begin() as tx:
        tx.connection.execute(outbox.insert().values(**{**usual, **given}))
    return str(given.get("key", key))


def row_of(store: Store, key: str) -> Any:
    """Return an outbox row as it is now."""
    with store.read() as connection:
        return connection.execute(select(outbox).where(outbox.c.key == key)).one()


def states(store: Store) -> dict[str, str]:
    """Return the state of every row by key."""
    with store.read() as connection:
        rows = connection.execute(select(outbox.c.key, outbox.c.state).order_by(outbox.c.id))
        return {row.key: row.state for row in rows}


def lines(store: Store, incident_id: int) -> list[tuple[str, str]]:
    """Return (kind, text) of an incident's timeline."""
    with store.read() as connection:
        statement = select(timeline.c.kind, timeline.c.text).order_by(timeline.c.id)
        rows = connection.execute(statement.where(timeline.c.incident_id == incident_id))
        return [(row.kind, row.text) for row in rows]


def later(seconds: float) -> datetime:
    """Return the instant so many seconds after `NOW`."""
    return FakeClock().advance(seconds)
