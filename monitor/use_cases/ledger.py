"""What happens to incidents inside one transaction, with all that must be committed with it.

A `Ledger` holds the incidents a transaction works on. Each of its verbs changes one incident and
gathers the lines, notes and notifications that follow; `flush` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidents import outbox, publication
from incidents.alerts.model import words
from incidents.lifecycle import Origin, Severity, Status, impact_of, worst
from incidents.outbox import Event, Plan
from incidents.timeline import AUTOMATION, Entry, Gathered, Kind
from monitor.config.model import Configuration
from monitor.notify.kinds import KINDS
from monitor.storage import incidents as rows
from monitor.storage.escalations import called_over
from monitor.storage.incidents import Incident
from monitor.storage.numbers import next_number, public_id
from monitor.storage.outbox import enqueue
from monitor.storage.store import Transaction
from monitor.use_cases import escalation

LONGEST_TITLE = 200
TellReporters = Callable[[Transaction, Incident, Configuration, datetime], object]


@dataclass(slots=True)
class Ledger:
    """The incidents one transaction changes; take `lock_incidents` before the first of them."""

    tx: Transaction
    configuration: Configuration
    now: datetime
    tell_reporters: TellReporters
    public_url: str = ""
    mails: bool = False  # there is a mail server: people can be told at their own address
    _changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    _entries: list[tuple[int, Entry | Gathered]] = field(default_factory=list)
    _gathered: dict[tuple[int, Kind, str], Gathered] = field(default_factory=dict)
    _queued: list[dict[str, Any]] = field(default_factory=list)

    def open(
        self,
        *,
        key: str,
        title: str,
        severity: Severity,
        origin: Origin,
        components: Mapping[str, str],
        started_at: datetime,
        text: str,
        actor: str = AUTOMATION,
        publishes: bool = True,
        canary: bool = False,
        **columns: Any,
    ) -> Incident:
        """Open an incident, tell whoever wants to know, and publish it where that is policy.

        A person who opens one decides about publishing: then `publishes` is false. A canary has
        a number below zero, which no list shows.
        """
        number = -next_number(self.tx, "canary") if canary else next_number(self.tx, "incident")
        values: dict[str, Any] = {
            "number": number,
            "public_id": public_id(),
            "key": key,
            "title": title[:LONGEST_TITLE],
            "status": Status.INVESTIGATING,
            "severity": severity,
            "impact": impact_of(severity, components.values()),
            "origin": origin,
            "started_at": started_at,
            "opened_at": self.now,
            "updated_at": self.now,
            "previous_id": rows.last_of_key(self.tx.connection, key),
            **dict.fromkeys(("component", "journey", "step", "reason")),
            **columns,
        }
        row_id = rows.insert_incident(self.tx, values, components)
        incident = Incident(id=row_id, components=dict(components), **values)
        self.note(incident, Kind.OPENED, text, actor=actor, severity=severity.value)
        self.tx.touch("incidents")
        if publishes and not canary:
            self._publish_if_policy(incident)
        escalation.announce(self, incident, Event.OPENED)
        return incident

    def reopen(self, incident: Incident, why: str, actor: str = AUTOMATION) -> None:
        """Take a resolved incident up again, under its number."""
        self.change(
            incident,
            status=Status.INVESTIGATING,
            open_marker=1,
            resolved_at=None,
            resolved_by=None,
            monitoring_at=None,
            acknowledged_at=None,
            acknowledged_by=None,
            merged_into_id=None,
            reopened_count=incident.reopened_count + 1,
        )
        self.note(incident, Kind.REOPENED, f"Reopened: {why}.", actor=actor)
        if incident.published_at:
            self.publish(incident, publication.reopening_words(self.subject_of(incident)))
        escalation.announce(self, incident, Event.REOPENED)

    def worsen(self, incident: Incident, severity: Severity, components: Mapping[str, str]) -> None:
        """Let severity and impact follow a new alert; neither falls by itself while it is open."""
        derived = Severity(incident.derived_severity or incident.severity)
        self.derive(incident, worst([derived, severity]), components)

    def derive(self, incident: Incident, severity: Severity, components: Mapping[str, str]) -> None:
        """Record what alerts say of an incident; what a person overruled stays as it was said."""
        if dict(components) != incident.components:
            rows.set_components(self.tx, incident.id, components)
            incident.components = dict(components)
            self.tx.touch("incidents")
        if incident.derived_severity:
            self.change(incident, derived_severity=severity.value)
        else:
            self.set_severity(incident, severity)
        impact = impact_of(incident.severity, components.values())
        if incident.derived_impact:
            self.change(incident, derived_impact=impact.value)
        elif impact is not incident.impact:
            self.change(incident, impact=impact)

    def set_severity(
        self, incident: Incident, severity: Severity, why: str = "", actor: str = AUTOMATION
    ) -> None:
        """Change the severity; where it rises, whoever takes the new one is told."""
        old = incident.severity
        if severity is old:
            return
        rises = severity.rank < old.rank
        impact = incident.impact
        if not incident.derived_impact:
            impact = impact_of(severity, incident.components.values())
        self.change(incident, severity=severity, impact=impact)
        text = f"Severity {'rose' if rises else 'fell'} from {old} to {severity}"
        self.note(
            incident, Kind.SEVERITY_CHANGED, text + (f": {why}." if why else "."), actor=actor
        )
        if rises and incident.is_open:
            self._publish_if_policy(incident)
            escalation.announce(self, incident, Event.ESCALATED)

    def hold(self, incident: Incident) -> None:
        """Watch a recovery for a while before calling it over."""
        self.change(incident, status=Status.MONITORING, monitoring_at=self.now)
        text = "Every alert resolved; watching the recovery before calling it over."
        self.note(incident, Kind.STATUS_CHANGED, text)
        if incident.published_at:
            self.publish(incident, publication.holding_words(self.subject_of(incident)))

    def resolve(
        self, incident: Incident, why: str, actor: str = AUTOMATION, message: str = ""
    ) -> None:
        """Call an incident over, and tell everybody who was told that it began."""
        self.change(
            incident,
            status=Status.RESOLVED,
            open_marker=None,
            resolved_at=self.now,
            resolved_by=actor,
        )
        self.note(incident, Kind.RESOLVED, f"Resolved: {why}.", actor=actor)
        if incident.published_at:
            words = message or publication.closing_words(self.subject_of(incident))
            self.publish(incident, words, actor=actor)
        self.tell(incident, outbox.closings(self.facts(incident), self.told(incident)))
        escalation.ended(self, incident)
        self.tell_reporters(self.tx, incident, self.configuration, self.now)

    def acknowledge(self, incident: Incident, by: str, how: str = "") -> None:
        """Record who has taken the incident; the same person again says that they still have it.

        `how` is told on the timeline: `by link`.
        """
        if incident.acknowledged_by == by:
            escalation.renewed(self, incident, by)
            return
        self.change(incident, acknowledged_at=self.now, acknowledged_by=by)
        text = f"{by} has taken it{f', {how}' if how else ''}."
        self.note(incident, Kind.ACKNOWLEDGED, text, actor=by)
        self._tell_programs(incident, by)
        escalation.acknowledged(self, incident, by)

    def _tell_programs(self, incident: Incident, by: str) -> None:
        """Tell the systems that keep the incident as well who has taken it."""
        channels = self.configuration.channels
        takes = {
            c.name for c in channels if c.kind in KINDS and KINDS[c.kind].takes_acknowledgements
        }
        if not takes:
            return
        called = called_over(self.tx.connection, incident.id)  # those are told with the people
        told = [r for r in self.told(incident) if r.channel in takes and r not in called]
        mark = f"{incident.reopened_count}-{by}"
        text = f"{by} has taken it."
        self.tell(
            incident, outbox.acknowledgements(self.facts(incident), told, mark=mark, text=text)
        )

    def publish(self, incident: Incident, body: str, actor: str = AUTOMATION) -> str:
        """Put a note on the status page, and the incident itself if it was not there yet."""
        name = public_id()
        self.publish_first(incident, actor)
        status = incident.status.value
        values = {"public_id": name, "incident_id": incident.id, "at": self.now, "body": body}
        values |= {"status": status, "author": actor, "published_at": self.now}
        rows.add_update(self.tx, values)
        self.note(incident, Kind.UPDATE_PUBLISHED, body, actor=actor, status=status)
        self.tx.touch("status")
        return name

    def publish_first(self, incident: Incident, actor: str = AUTOMATION) -> None:
        """Show the incident on the status page from now on, if it is not there yet."""
        if incident.published_at is None:
            title = publication.public_title(self.subject_of(incident), incident.severity)
            self.change(incident, published_at=self.now, public_title=title)
            self.note(incident, Kind.PUBLISHED, "Shown on the status page.", actor=actor)

    def tell(self, incident: Incident, plan: Plan) -> None:
        """Queue notifications with this transaction, and say on the timeline who gets none."""
        for sent in plan.notifications:
            self._queued.append(
                {
                    "key": sent.key,
                    "event": sent.event.value,
                    "incident_id": incident.id,
                    "channel": sent.channel,
                    "recipient": sent.recipient,
                    "severity": sent.severity,
                    "subject": sent.subject,
                    "body": sent.body,
                    "payload": dict(sent.payload),
                    "priority": sent.priority,
                    "created_at": self.now,
                }
            )
        for unsent in plan.unsent:
            who = unsent.channel or "anybody"
            text = f"Not sent to {who}: {unsent.reason.words}."
            data = {"reason": unsent.reason.value, "channel": unsent.channel}
            self.note(incident, Kind.NOTIFICATION_NOT_SENT, text, **data)

    def note(
        self, incident: Incident, kind: Kind, text: str, actor: str = AUTOMATION, **data: Any
    ) -> None:
        """Add a line to the incident's timeline."""
        self._entries.append((incident.id, Entry(self.now, kind, text, actor, data)))
        self.tx.touch("incidents")

    def note_alert(
        self,
        incident: Incident,
        kind: Kind,
        labels: Mapping[str, str],
        fingerprint: str,
        what: str,
        **data: Any,
    ) -> None:
        """Say what became of an alert; all of which the same is said share a line."""
        key = (incident.id, kind, what)
        gathered = self._gathered.get(key)
        if gathered is None:
            gathered = self._gathered[key] = Gathered(self.now, kind, what, data)
            self._entries.append((incident.id, gathered))
            self.tx.touch("incidents")
        gathered.add(words(labels), fingerprint)

    def change(self, incident: Incident, **columns: Any) -> None:
        """Set columns of the incident, here at once and in the database on `flush`."""
        for name, value in columns.items():
            if name != "open_marker":
                setattr(incident, name, value)
        incident.updated_at = self.now
        changes = self._changes.setdefault(incident.id, {})
        changes.update(columns, updated_at=self.now)
        self.tx.touch("incidents")

    def told(self, incident: Incident) -> tuple[outbox.Recipient, ...]:
        """Return who knows of the incident and has not heard of its end."""
        self.flush()
        return outbox.told(rows.notified(self.tx.connection, incident.id))

    def flush(self) -> None:
        """Write what was gathered; the last call comes before the commit."""
        for row_id, changes in self._changes.items():
            rows.change_incident(self.tx, row_id, changes)
        lines = [
            (row_id, line.entry() if isinstance(line, Gathered) else line)
            for row_id, line in self._entries
        ]
        rows.add_entries(self.tx, lines)
        enqueue(self.tx, self._queued)
        self._changes, self._entries, self._queued, self._gathered = {}, [], [], {}

    def facts(self, incident: Incident) -> outbox.IncidentFacts:
        """Return what notifications say of the incident."""
        page = f"{self.public_url}/console/incidents/{incident.number}" if self.public_url else ""
        return outbox.IncidentFacts(
            number=incident.number,
            title=incident.title,
            severity=incident.severity,
            status=incident.status,
            impact=incident.impact,
            started_at=incident.started_at,
            round=incident.reopened_count,
            component=self.subject_of(incident) if incident.component else "",
            journey=incident.journey or "",
            step=incident.step or "",
            reason=incident.reason or "",
            resolved_at=incident.resolved_at,
            runbook_url=self._absolute(incident.runbook_url),
            url=page,
        )

    def _absolute(self, link: str) -> str:
        """Return a link of our own as it is opened from anywhere else."""
        return self.public_url + link if link.startswith("/") else link

    def subject_of(self, incident: Incident) -> str:
        """Return the name of the component it is about, as the status page has it."""
        found = self.configuration.component(incident.component or "")
        return found.name if found else incident.component or "the service"

    def _publish_if_policy(self, incident: Incident) -> None:
        component = self.configuration.component(incident.component or "")
        policy = component.publish if component else None
        message = incident.customer_message
        if incident.published_at is None and publication.publishes_by_itself(
            policy, incident.severity, message
        ):
            self.publish(incident, publication.opening_words(message, self.subject_of(incident)))
