"""An incident desk in simulated time: deliver alerts, let time pass, look at the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import HttpUrl
from sqlalchemy import Connection, RowMapping, select

from incidents.alerts.model import Alert
from monitor.config.model import Channel, Component, Configuration, Location, Site
from monitor.storage import incidents as rows
from monitor.storage.incidents import Incident
from monitor.storage.schema import alerts, outbox, timeline
from monitor.storage.store import Store
from monitor.use_cases.alerts import Batch, receive_batches, sweep
from monitor.use_cases.placing import Counted
from monitor.use_cases.policy import AlertPolicy

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
VALID = timedelta(minutes=4)  # how long Prometheus's alerts live without being told again


def configuration(**changes: object) -> Configuration:
    """A marketplace of four components and two channels."""
    made = Configuration(
        folder=Path(),
        site=Site(name="Shop", url=HttpUrl("https://shop.example.test")),
        components=(
            Component(id="login", name="Sign-in"),
            Component(id="search", name="Search"),
            Component(id="checkout", name="Checkout", depends_on=("login",)),
            Component(id="back-office", name="Back office", publish="draft"),
        ),
        locations=(Location(name="local"),),
        quorum=1,
        journeys=(),
        rule_files=(),
        channels=(
            Channel(name="terminal", kind="console"),
            Channel(name="pager", kind="webhook", severities=frozenset({"critical"})),
        ),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test names what it changes


def labels(component: str = "checkout", **more: str) -> dict[str, str]:
    """Labels of a critical alert about a component's journey."""
    given = {"alertname": "JourneyDown", "severity": "critical", "component": component}
    return {**given, "journey": component, **more}


def timeline_of(connection: Connection, incident_id: int) -> list[RowMapping]:
    """Return an incident's timeline, oldest line first."""
    statement = select(timeline).where(timeline.c.incident_id == incident_id)
    return list(connection.execute(statement.order_by(timeline.c.id)).mappings())


@dataclass
class Desk:
    """What a test does and sees."""

    store: Store
    configuration: Configuration = field(default_factory=configuration)
    policy: AlertPolicy = field(default_factory=AlertPolicy)
    now: datetime = START

    def later(self, **by: float) -> Desk:
        """Let time pass."""
        self.now += timedelta(**by)
        return self

    def deliver(self, *deliveries: Alert, source: str = "test") -> Counted:
        """Receive a batch."""
        batch = Batch(source, self.now, [*deliveries])
        (counted,) = receive_batches(self.store, [batch], self.configuration, self.policy)
        return counted

    def fire(
        self,
        component: str = "checkout",
        *,
        since: datetime | None = None,
        annotations: Mapping[str, str] | None = None,
        **more: str,
    ) -> Counted:
        """Receive one firing alert."""
        return self.deliver(self.firing(component, since=since, annotations=annotations, **more))

    def firing(
        self,
        component: str = "checkout",
        *,
        since: datetime | None = None,
        annotations: Mapping[str, str] | None = None,
        **more: str,
    ) -> Alert:
        """A firing alert, valid for a while."""
        given = {"summary": f"{component} is down", "customer_message": f"{component} fails."}
        return Alert(
            labels(component, **more),
            given if annotations is None else annotations,
            starts_at=since or self.now,
            ends_at=self.now + VALID,
        )

    def resolve(
        self, component: str = "checkout", *, at: datetime | None = None, **more: str
    ) -> Counted:
        """Receive one explicit resolution."""
        ended = at or self.now
        alert = Alert(labels(component, **more), starts_at=START, ends_at=ended)
        return self.deliver(alert)

    def sweep(self) -> Counted:
        """Let the sweeper look."""
        return sweep(self.store, self.configuration, self.now, self.policy)

    def incident(self, number: int = 1) -> Incident:
        """Return an incident."""
        with self.store.read() as connection:
            return rows.load_incident(connection, number)

    def incidents(self) -> list[Incident]:
        """Return all incidents, oldest first."""
        with self.store.read() as connection:
            return rows.list_incidents(connection, rows.IncidentFilter())[::-1]

    def alerts(self) -> list[RowMapping]:
        """Return all alerts, oldest first."""
        with self.store.read() as connection:
            return list(connection.execute(select(alerts).order_by(alerts.c.id)).mappings())

    def notified(self) -> list[tuple[str, str]]:
        """Return (event, channel) of every notification queued, in order."""
        with self.store.read() as connection:
            statement = select(outbox.c.event, outbox.c.channel).order_by(outbox.c.id)
            return [(event, channel) for event, channel in connection.execute(statement)]

    def updates(self, number: int = 1) -> list[tuple[str, str]]:
        """Return (status, body) of an incident's public notes, oldest first."""
        incident = self.incident(number)
        with self.store.read() as connection:
            found = rows.load_updates(connection, incident.id)
        return [(row["status"], row["body"]) for row in found]

    def timeline(self, number: int = 1) -> list[str]:
        """Return the kinds of an incident's timeline, oldest first."""
        return [row["kind"] for row in self.lines(number)]

    def lines(self, number: int = 1) -> list[RowMapping]:
        """Return an incident's timeline, oldest first."""
        incident = self.incident(number)
        with self.store.read() as connection:
            return timeline_of(connection, incident.id)
