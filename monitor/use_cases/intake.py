"""How a batch of alerts changes what is known, inside one transaction.

Decisions are those of `incidents.alerts.expiry` (what a delivery does) and
`incidents.correlation` (where an alert belongs); their consequences go through the `Ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, RowMapping

from incidents.alerts.expiry import Effect, Held, effect_of, later_end
from incidents.alerts.model import Alert, AlertState, words
from incidents.correlation import (
    DEFAULT_REOPEN_WINDOW,
    Belongs,
    Candidate,
    Register,
    Subject,
    opens_incident,
)
from incidents.lifecycle import Origin, Severity, Status, component_status, worse_status
from incidents.outbox import NotSent
from incidents.timeline import Kind
from monitor.config.model import Configuration
from monitor.storage import alerts as alert_rows
from monitor.storage import incidents as incident_rows
from monitor.storage.incidents import Incident
from monitor.storage.numbers import lock_incidents
from monitor.storage.store import Transaction
from monitor.use_cases.ledger import Ledger, TellReporters

Mute = Callable[[Mapping[str, str]], str]  # labels → the window that announced it, or ""
Muting = Callable[[Connection, datetime], Mute]


def _mutes_nothing(_connection: Connection, _now: datetime) -> Mute:
    return lambda _labels: ""


def _tells_nobody(*_facts: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """How long is waited, and where people find the tickets.

    `reopen_windows` gives single alert names a window of their own (`correlation.reopen_window`).
    """

    muting: Muting = _mutes_nothing
    tell_reporters: TellReporters = _tells_nobody
    reopen_window: timedelta = DEFAULT_REOPEN_WINDOW
    reopen_windows: Mapping[str, timedelta] = field(default_factory=dict)
    lapse_hold: timedelta = DEFAULT_REOPEN_WINDOW  # silence this long closes a lapsed alert
    recovery_hold: timedelta = timedelta(0)  # journeys wait for their own good runs already
    public_url: str = ""

    def window_of(self, labels: Mapping[str, str]) -> timedelta:
        """Return how long after its end an alert reopens its incident."""
        return self.reopen_windows.get(labels.get("alertname", ""), self.reopen_window)

    @property
    def longest_window(self) -> timedelta:
        """Return the longest reopen window of any alert."""
        return max([self.reopen_window, *self.reopen_windows.values()])


@dataclass(slots=True)
class Counted:
    """What a transaction did: incident numbers, and how many alerts went which way."""

    opened: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    new: int = 0
    refreshed: int = 0
    ended: int = 0
    muted: int = 0
    ignored: int = 0
    lapsed: int = 0
    unmuted: int = 0


@dataclass
class Intake:
    """One transaction's work on alerts and the incidents they belong to."""

    tx: Transaction
    configuration: Configuration
    policy: AlertPolicy
    now: datetime
    source: str = ""
    counted: Counted = field(default_factory=Counted)
    _incidents: dict[int, Incident] = field(default_factory=dict)  # by number

    @cached_property
    def ledger(self) -> Ledger:
        """The incidents of this transaction; nobody else changes any from here on."""
        lock_incidents(self.tx)
        policy = self.policy
        return Ledger(
            self.tx, self.configuration, self.now, policy.tell_reporters, policy.public_url
        )

    @cached_property
    def mute(self) -> Mute:
        """What tells which window announced an alert."""
        return self.policy.muting(self.tx.connection, self.now)

    def take(self, alerts: Sequence[Alert]) -> None:
        """Apply deliveries of different identities."""
        held = alert_rows.lock_held(self.tx, (alert.fingerprint for alert in alerts))
        by_effect: dict[Effect, list[tuple[Alert, RowMapping | None]]] = {e: [] for e in Effect}
        for alert in alerts:
            row = held.get(alert.fingerprint)
            effect = effect_of(alert, _held(row) if row else None, self.now)
            by_effect[effect].append((alert, row))
        self._refresh(by_effect[Effect.REFRESHED] + by_effect[Effect.RETURNED])
        self._welcome_back([row for _, row in by_effect[Effect.RETURNED] if row])
        self._begin([alert for alert, _ in by_effect[Effect.NEW]])
        self.end([(row, a.ends_at) for a, row in by_effect[Effect.RESOLVED] if row])
        self.counted.ignored += len(by_effect[Effect.IGNORED])

    def end(self, ended: Sequence[tuple[RowMapping, datetime | None]]) -> None:
        """Close alerts that their source resolved, and the incidents nothing holds open."""
        if not ended:
            return
        alert_rows.close_alerts(
            self.tx, [self._closing(row, AlertState.RESOLVED, ends_at) for row, ends_at in ended]
        )
        self.counted.ended += len(ended)
        self.tx.touch("alerts")
        self._closed([row for row, _ in ended], Kind.ALERT_RESOLVED, "resolved")

    def close_silent(self, rows: Sequence[RowMapping]) -> None:
        """Close alerts whose source has been silent for too long."""
        if not rows:
            return
        closings = [self._closing(row, AlertState.LAPSED, row["ends_at"]) for row in rows]
        alert_rows.close_alerts(self.tx, closings)
        self.tx.touch("alerts")
        self._closed(rows, Kind.ALERT_CLOSED, "closed: its source stayed silent")

    def lapse(self, rows: Sequence[RowMapping]) -> None:
        """Mark alerts whose end has passed in silence; their incidents stay open."""
        if not rows:
            return
        alert_rows.mark_lapsed(self.tx, [row["id"] for row in rows], self.now)
        self.counted.lapsed += len(rows)
        self.tx.touch("alerts")
        self._note_on_incidents(
            rows, Kind.ALERT_LAPSED, "has lapsed: its source is silent, which is no resolution"
        )

    def unmute(self, rows: Sequence[RowMapping]) -> None:
        """Let alerts that a window kept quiet open their incidents as ever."""
        if not rows:
            return
        self._load_candidates(row["labels"] for row in rows)
        attached = []
        for row in rows:
            was = f", muted by {row['muted_by']} until now"
            incident = self._place(_alert(row), was)
            attached.append(
                {"row_id": row["id"], "new_incident_id": incident.id, "new_muted_by": ""}
            )
        alert_rows.attach_alerts(self.tx, attached)
        self.counted.unmuted += len(rows)
        self.tx.touch("alerts")

    def settle(self, incident: Incident, remaining: Sequence[RowMapping]) -> None:
        """Let an incident follow its alerts: ease what recovered, end what nothing holds open."""
        if not incident.is_open:
            return
        ledger = self.ledger
        self._ease(incident, remaining)
        if remaining:
            return
        if incident.taken_over or incident.origin is not Origin.AUTOMATIC:
            who = incident.taken_over_by or "the person who opened it"
            text = f"Every alert resolved; the incident waits for {who} to close it."
            ledger.note(incident, Kind.RESOLUTION_HELD, text)
        elif self.policy.recovery_hold and incident.status is not Status.MONITORING:
            ledger.hold(incident)
        elif not self.policy.recovery_hold:
            self.resolve(incident)

    def resolve(self, incident: Incident) -> None:
        """Call an incident over because no alert of it fires any more."""
        self.ledger.resolve(incident, "no alert of it fires any more")
        self.counted.resolved.append(incident.number)

    def finish(self) -> Counted:
        """Write what is left, and return what was done."""
        if "ledger" in self.__dict__:
            self.ledger.flush()
        return self.counted

    # --- deliveries -----------------------------------------------------------------------------

    def _refresh(self, pairs: Sequence[tuple[Alert, RowMapping | None]]) -> None:
        rows = [
            {
                "row_id": row["id"],
                "new_annotations": dict(alert.annotations),
                "new_starts_at": min(alert.starts_at, row["starts_at"]),
                "new_latest_starts_at": max(self._begun(alert), row["latest_starts_at"]),
                "new_ends_at": later_end(alert.ends_at, row["ends_at"]),
                "new_state": AlertState.FIRING.value,
                "new_source": self.source,
                "new_generator_url": alert.generator_url,
                "new_updated_at": self.now,
            }
            for alert, row in pairs
            if row
        ]
        alert_rows.refresh_alerts(self.tx, rows)
        self.counted.refreshed += len(rows)

    def _welcome_back(self, rows: Sequence[RowMapping]) -> None:
        if rows:
            self.tx.touch("alerts")
            self._note_on_incidents(rows, Kind.ALERT_RETURNED, "is told again by its source")

    def _begin(self, alerts: Sequence[Alert]) -> None:
        if not alerts:
            return
        ordered = sorted(alerts, key=lambda a: (Severity.of(a.labels).rank, a.starts_at, a.name))
        serious = [a for a in ordered if opens_incident(Severity.of(a.labels))]
        if serious:
            self._load_candidates(a.labels for a in serious)
        rows = [self._row(alert) for alert in ordered]
        alert_rows.insert_alerts(self.tx, rows)
        self.counted.new += len(rows)
        self.tx.touch("alerts")

    def _row(self, alert: Alert) -> dict[str, Any]:
        muted_by, incident_id = "", None
        if opens_incident(Severity.of(alert.labels)):
            muted_by = self.mute(alert.labels)
            if muted_by:
                self._note_muted(alert, muted_by)
            else:
                incident_id = self._place(alert).id
        return {
            "fingerprint": alert.fingerprint,
            "open_marker": 1,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "starts_at": self._begun(alert),
            "latest_starts_at": self._begun(alert),
            "ends_at": alert.ends_at,
            "state": AlertState.FIRING.value,
            "source": self.source,
            "generator_url": alert.generator_url,
            "received_at": self.now,
            "updated_at": self.now,
            "incident_id": incident_id,
            "muted_by": muted_by,
        }

    def _begun(self, alert: Alert) -> datetime:
        """Return since when it fires: a clock ahead of ours does not make it start later."""
        return min(alert.starts_at, self.now)

    def _closing(
        self, row: RowMapping, state: AlertState, ends_at: datetime | None
    ) -> dict[str, Any]:
        return {
            "row_id": row["id"],
            "new_state": state.value,
            "new_ends_at": ends_at,
            "new_resolved_at": self.now,
            "new_updated_at": self.now,
        }

    # --- incidents ------------------------------------------------------------------------------

    @cached_property
    def _register(self) -> Register:
        return Register()

    def _load_candidates(self, labels: Iterable[Mapping[str, str]]) -> None:
        _ = self.ledger  # locks before reading
        keys = {Subject.of(of).key for of in labels}
        since = self.now - self.policy.longest_window
        for incident in incident_rows.candidates(self.tx.connection, keys, since):
            if incident.number not in self._incidents:
                self._know(incident)

    def _know(self, incident: Incident) -> None:
        self._incidents[incident.number] = incident
        candidate = Candidate(
            number=incident.number,
            key=incident.key,
            components=frozenset(incident.components),
            severity=incident.severity,
            open=incident.is_open,
            resolved_at=incident.resolved_at,
        )
        self._register.put(candidate)

    def _find(self, subject: Subject, labels: Mapping[str, str]) -> Belongs | None:
        component = self.configuration.component(subject.component)
        return self._register.find(
            subject,
            depends_on=component.depends_on if component else (),
            now=self.now,
            window=self.policy.window_of(labels),
        )

    def _place(self, alert: Alert, remark: str = "") -> Incident:
        """Return the incident the alert belongs to, opened or reopened where it must be."""
        subject = Subject.of(alert.labels)
        belongs = self._find(subject, alert.labels)
        if belongs is None:
            incident = self._open(alert, subject, remark)
        else:
            incident = self._incidents[belongs.number]
            self._join(incident, alert, belongs, remark)
        self._know(incident)
        return incident

    def _open(self, alert: Alert, subject: Subject, remark: str) -> Incident:
        labels, annotations = alert.labels, alert.annotations
        component = subject.component
        incident = self.ledger.open(
            key=subject.key,
            title=annotations.get("summary") or self._title(alert, subject),
            severity=Severity.of(labels),
            origin=Origin.AUTOMATIC,
            components={component: component_status(labels)} if component else {},
            started_at=self._begun(alert),
            text=f"Opened by {words(labels)}{remark}.",
            component=component or None,
            journey=subject.journey or None,
            step=labels.get("step") or annotations.get("step") or None,
            reason=labels.get("reason") or annotations.get("reason") or None,
            customer_message=annotations.get("customer_message", ""),
            runbook_url=annotations.get("runbook_url", ""),
        )
        self.counted.opened.append(incident.number)
        return incident

    def _title(self, alert: Alert, subject: Subject) -> str:
        component = self.configuration.component(subject.component)
        about = component.name if component else subject.component or subject.journey
        return f"{about}: {alert.name}" if about else alert.name or "Alert without a name"

    def _join(self, incident: Incident, alert: Alert, belongs: Belongs, remark: str) -> None:
        ledger, labels = self.ledger, alert.labels
        if belongs.reopens:
            ledger.reopen(incident, f"{words(labels)} fires and {belongs.why}{remark}")
            self.counted.reopened.append(incident.number)
        else:
            data = {"reason": NotSent.DEDUPLICATED.value, "fingerprint": alert.fingerprint}
            text = f"{words(labels)} joined{remark}: {belongs.why}. Nobody is told once more."
            ledger.note(incident, Kind.ALERT_JOINED, text, **data)
            self.counted.joined.append(incident.number)
            if alert.starts_at < incident.started_at:
                ledger.change(incident, started_at=alert.starts_at)
            self._back_to_work(incident)
        self._fill_in(incident, alert)
        component = labels.get("component", "")
        statuses = dict(incident.components)
        if component:
            old = statuses.get(component, "operational")
            statuses[component] = worse_status(old, component_status(labels))
        ledger.worsen(incident, Severity.of(labels), statuses)

    def _back_to_work(self, incident: Incident) -> None:
        if incident.status is Status.MONITORING and not incident.taken_over:
            self.ledger.change(incident, status=Status.INVESTIGATING, monitoring_at=None)
            text = "Investigating again: another alert fires."
            self.ledger.note(incident, Kind.STATUS_CHANGED, text)

    def _fill_in(self, incident: Incident, alert: Alert) -> None:
        """Take from a joining alert what the first one did not say of the same journey."""
        if incident.journey not in (None, alert.labels.get("journey")):
            return
        for name in ("step", "reason"):
            value = alert.labels.get(name) or alert.annotations.get(name)
            if value and not getattr(incident, name):
                self.ledger.change(incident, **{name: value})

    def _ease(self, incident: Incident, remaining: Sequence[RowMapping]) -> None:
        statuses = dict.fromkeys(incident.components, "operational")
        for row in remaining:
            component = row["labels"].get("component", "")
            if component:
                old = statuses.get(component, "operational")
                statuses[component] = worse_status(old, component_status(row["labels"]))
        if statuses != incident.components:
            incident_rows.set_components(self.tx, incident.id, statuses)
            incident.components = statuses

    def _closed(self, rows: Sequence[RowMapping], kind: Kind, what: str) -> None:
        incidents = self._note_on_incidents(rows, kind, what)
        remaining: dict[int, list[RowMapping]] = {row_id: [] for row_id in incidents}
        for row in alert_rows.open_alerts_of(self.tx.connection, incidents):
            remaining[row["incident_id"]].append(row)
        for row_id, incident in incidents.items():
            self.settle(incident, remaining[row_id])
            self._know(incident)

    def _note_on_incidents(
        self, rows: Sequence[RowMapping], kind: Kind, what: str
    ) -> dict[int, Incident]:
        """Write a line about each alert on its incident; returns those incidents by row id."""
        ids = {row["incident_id"] for row in rows if row["incident_id"] is not None}
        if not ids:
            return {}
        ledger = self.ledger
        known = {i.id: i for i in self._incidents.values() if i.id in ids}
        known |= incident_rows.load_incidents(self.tx.connection, ids - known.keys())
        for row in rows:
            if (incident := known.get(row["incident_id"])) is not None:
                text = f"{words(row['labels'])} {what}."
                ledger.note(incident, kind, text, fingerprint=row["fingerprint"])
        return known

    def _note_muted(self, alert: Alert, muted_by: str) -> None:
        self.counted.muted += 1
        belongs = self._find(Subject.of(alert.labels), alert.labels)
        if belongs is not None and not belongs.reopens:
            text = f"{words(alert.labels)} is muted by {muted_by}, which announced it."
            reason = NotSent.MUTED_BY_WINDOW.value
            incident = self._incidents[belongs.number]
            self.ledger.note(incident, Kind.ALERT_MUTED, text, reason=reason)


def _held(row: RowMapping) -> Held:
    return Held(
        state=AlertState(row["state"]),
        open=row["open_marker"] == 1,
        starts_at=row["starts_at"],
        latest_starts_at=row["latest_starts_at"],
        ends_at=row["ends_at"],
    )


def _alert(row: RowMapping) -> Alert:
    return Alert(
        row["labels"],
        row["annotations"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        generator_url=row["generator_url"],
    )
