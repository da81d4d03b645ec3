"""Where alerts belong, and what follows for their incidents, inside one transaction.

Which incident an alert joins is decided by `incidents.correlation`; everything that follows goes
through the `Ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import RowMapping

from incidents.alerts.inhibition import Source
from incidents.alerts.model import Alert, begun, words
from incidents.correlation import Belongs, Subject
from incidents.lifecycle import Origin, Severity, Status, component_status, worse_status
from incidents.muted import reason_of, words_of
from incidents.outbox import NotSent
from incidents.timeline import Kind
from monitor.config.model import Configuration
from monitor.storage import alerts as alert_rows
from monitor.storage import incidents as incident_rows
from monitor.storage.incidents import Incident
from monitor.storage.numbers import lock_incidents
from monitor.storage.store import Transaction
from monitor.use_cases.candidates import Candidates
from monitor.use_cases.holding import held_by, is_untouched
from monitor.use_cases.ledger import Ledger
from monitor.use_cases.merging import link, merge
from monitor.use_cases.policy import AlertPolicy


@dataclass(slots=True)
class Counted:
    """What a transaction did: incident numbers, and how many alerts went which way."""

    opened: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    absorbed: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    new: int = 0
    refreshed: int = 0
    ended: int = 0
    muted: int = 0
    ignored: int = 0
    lapsed: int = 0
    unmuted: int = 0


class Placed(NamedTuple):
    """Where an alert went, and why."""

    incident: Incident
    because: str


class _Traits(NamedTuple):
    """All of an alert that decides where it joins by its identity, and what that changes."""

    subject: Subject
    severity: Severity
    at_one_location: bool
    step: str
    reason: str

    @classmethod
    def of(cls, alert: Alert) -> _Traits:
        """Return those of an alert."""
        labels, annotations = alert.labels, alert.annotations
        return cls(
            Subject.of(labels),
            Severity.of(labels),
            bool(labels.get("location")),
            labels.get("step") or annotations.get("step", ""),
            labels.get("reason") or annotations.get("reason", ""),
        )


@dataclass
class Placing:
    """The incidents that one transaction's alerts belong to."""

    tx: Transaction
    configuration: Configuration
    policy: AlertPolicy
    now: datetime
    counted: Counted
    _alike: dict[_Traits, Placed] = field(default_factory=dict)
    """Where alerts joined by their identity and changed nothing: those alike follow at once."""

    @cached_property
    def ledger(self) -> Ledger:
        """The incidents of this transaction; nobody else changes any from here on."""
        lock_incidents(self.tx)
        policy = self.policy
        tell, url = policy.tell_reporters, policy.public_url
        return Ledger(self.tx, self.configuration, self.now, tell, url, policy.mails)

    def finish(self) -> None:
        """Write what is left, if any incident was touched."""
        if "ledger" in self.__dict__:
            self.ledger.flush()

    def resolve(self, incident: Incident) -> None:
        """Call an incident over because no alert of it fires any more."""
        self.ledger.resolve(incident, "no alert of it fires any more")
        self.counted.resolved.append(incident.number)

    @cached_property
    def _candidates(self) -> Candidates:
        return Candidates(self.tx.connection, self.configuration)

    def load_candidates(self, labels: Iterable[Mapping[str, str]]) -> None:
        """Read the incidents that alerts with these labels may join or reopen."""
        _ = self.ledger  # locks before reading
        self._alike.clear()
        subjects = (Subject.of(of) for of in labels)
        self._candidates.load(subjects, self.now - self.policy.longest_window)

    def _find(self, alert: Alert) -> Belongs | None:
        window = self.policy.window_of(alert.labels)
        return self._candidates.find(alert, now=self.now, window=window)

    def place(self, alert: Alert, remark: str = "", source: Source | None = None) -> Placed:
        """Return the alert's incident, opened or reopened where it must be, and why it is that.

        An alert that another one inhibits belongs to the incident of that `source`, unless a
        person decided about it.
        """
        traits = _Traits.of(alert)
        decided = self._candidates.is_decided(alert)
        is_plain = not (decided or remark or source)
        alike = self._alike.get(traits) if is_plain else None
        if alike is not None and alert.starts_at >= alike.incident.started_at:
            self._note_joined(alike.incident, alert, alike.because)
            return alike
        subject = traits.subject
        belongs = (None if decided else self._explained(source)) or self._find(alert)
        if belongs is None:
            incident, because = self._open(alert, subject, remark), "it opened the incident"
            worsened = True
        else:
            incident, because = self._candidates.incidents[belongs.number], belongs.why
            was = _judged_by(incident)
            self._join(incident, alert, belongs, remark)
            if _judged_by(incident) == was:  # as nearly all do in a storm
                placed = Placed(incident, because)
                if is_plain and not belongs.reopens and incident.key == subject.key:
                    self._alike[traits] = placed
                return placed
            worsened = belongs.reopens or incident.severity is not was[0]
        self._alike.clear()
        self._candidates.know(incident)
        if worsened:
            self._absorb(incident)
        return Placed(incident, because)

    def stands_for(self, incident_id: int | None) -> int | None:
        """Return the row id of the incident that an alert placed there belongs to by now."""
        return None if incident_id is None else self._candidates.survivor_of(incident_id)

    def _absorb(self, upstream: Incident) -> None:
        """Take in what is only a consequence of this incident; what people work on is linked."""
        for other, why in self._candidates.consequences(upstream):
            self.ledger.flush()
            if is_untouched(self.tx.connection, other):
                merge(self.ledger, other, upstream, why)
                self.counted.absorbed.append(other.number)
                self._candidates.know(other)
                self._candidates.know(upstream)
            else:
                link(self.ledger, other, upstream, why)

    def _explained(self, source: Source | None) -> Belongs | None:
        if source is None:
            return None
        incident = self._candidates.open_of([source.incident_id]).get(source.incident_id or 0)
        if incident is None:
            return None
        why = f"inhibited by {words(source.labels)}, which fires and explains it"
        return Belongs(incident.number, why, inhibited=True)

    def at_home(self, rows: Iterable[RowMapping]) -> set[int]:
        """Return the row ids of the alerts that belong to an open incident already."""
        homes = self._candidates.open_of(row["incident_id"] for row in rows)
        return {row["id"] for row in rows if row["incident_id"] in homes}

    def _open(self, alert: Alert, subject: Subject, remark: str) -> Incident:
        labels, annotations = alert.labels, alert.annotations
        component = subject.component
        incident = self.ledger.open(
            key=self._free_key(subject, alert),
            title=annotations.get("summary") or self._title(alert, subject),
            severity=Severity.of(labels),
            origin=Origin.AUTOMATIC,
            components={component: component_status(labels)} if component else {},
            started_at=begun(alert, self.now),
            text=f"Opened by {words(labels)}{remark}.",
            component=component or None,
            journey=subject.journey or None,
            step=labels.get("step") or annotations.get("step") or None,
            reason=labels.get("reason") or annotations.get("reason") or None,
            customer_message=annotations.get("customer_message", ""),
            runbook_url=annotations.get("runbook_url", ""),
            canary=self.policy.canary,
        )
        self.counted.opened.append(incident.number)
        return incident

    def _free_key(self, subject: Subject, alert: Alert) -> str:
        """Return the subject's identity; the alert's own where another holds that slot."""
        taken = self._candidates.register.holds_slot(subject.key)
        return f"{subject.key}/{alert.fingerprint}" if taken else subject.key

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
            reason = NotSent.SUPPRESSED_BY_PARENT if belongs.inhibited else NotSent.DEDUPLICATED
            self._note_joined(incident, alert, belongs.why, remark, reason)
            if alert.starts_at < incident.started_at:
                ledger.change(incident, started_at=alert.starts_at)
            self._back_to_work(incident)
        self._fill_in(incident, alert)
        statuses = incident.components
        if component := labels.get("component", ""):
            old = statuses.get(component)
            status = worse_status(old or "operational", component_status(labels))
            if status != old:
                statuses = {**statuses, component: status}
        ledger.worsen(incident, Severity.of(labels), statuses)

    def _note_joined(
        self,
        incident: Incident,
        alert: Alert,
        why: str,
        remark: str = "",
        reason: NotSent = NotSent.DEDUPLICATED,
    ) -> None:
        what = f"joined{remark}: {why}. Nobody is told once more"
        self.ledger.note_alert(
            incident, Kind.ALERT_JOINED, alert.labels, alert.fingerprint, what, reason=reason.value
        )
        self.counted.joined.append(incident.number)

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

    def _ease(self, incident: Incident, remaining: Sequence[Mapping[str, str]]) -> None:
        statuses = dict.fromkeys(incident.components, "operational")
        for labels in remaining:
            component = labels.get("component", "")
            if component:
                old = statuses.get(component, "operational")
                statuses[component] = worse_status(old, component_status(labels))
        if statuses != incident.components:
            incident_rows.set_components(self.tx, incident.id, statuses)
            incident.components = statuses

    def follow(self, rows: Sequence[RowMapping], kind: Kind, what: str) -> None:
        """Note that these alerts were closed, and let their incidents follow."""
        self._alike.clear()
        incidents = self.note_alerts(rows, kind, what)
        remaining: dict[int, list[Mapping[str, str]]] = {row_id: [] for row_id in incidents}
        for row_id, labels in alert_rows.open_kinds_of(self.tx.connection, incidents):
            remaining[row_id].append(labels)
        for row_id, incident in incidents.items():
            self._settle(incident, remaining[row_id])
            self._candidates.know(incident)

    def note_alerts(
        self, rows: Sequence[RowMapping], kind: Kind, what: str, **data: Any
    ) -> dict[int, Incident]:
        """Say on their incidents what became of alerts; returns those incidents by row id."""
        ids = {row["incident_id"] for row in rows if row["incident_id"] is not None}
        if not ids:
            return {}
        ledger = self.ledger
        known = self._candidates.known(ids)
        known |= incident_rows.load_incidents(self.tx.connection, ids - known.keys())
        for row in rows:
            if (incident := known.get(row["incident_id"])) is not None:
                ledger.note_alert(incident, kind, row["labels"], row["fingerprint"], what, **data)
        return known

    def note_muted(self, alert: Alert, muted_by: str) -> None:
        """Say on the open incident the alert would have joined, if any, that it is muted."""
        belongs = self._find(alert)
        if belongs is not None and not belongs.reopens:
            incident = self._candidates.incidents[belongs.number]
            what, reason = words_of(muted_by), reason_of(muted_by).value
            self.ledger.note_alert(
                incident, Kind.ALERT_MUTED, alert.labels, alert.fingerprint, what, reason=reason
            )

    def _settle(self, incident: Incident, remaining: Sequence[Mapping[str, str]]) -> None:
        """Let an incident follow its alerts: ease what recovered, end what nothing holds open."""
        if not incident.is_open:
            return
        ledger = self.ledger
        self._ease(incident, remaining)
        if remaining:
            return
        if who := held_by(self.tx.connection, incident):
            text = f"Every alert resolved; the incident waits for {who}."
            ledger.note(incident, Kind.RESOLUTION_HELD, text)
        elif self.policy.recovery_hold and incident.status is not Status.MONITORING:
            ledger.hold(incident)
        elif not self.policy.recovery_hold:
            self.resolve(incident)


def _judged_by(incident: Incident) -> tuple[object, ...]:
    """Return what decides who else belongs to an incident, as far as a joining alert changes it."""
    return (
        incident.severity,
        incident.status,
        incident.started_at,
        incident.step,
        incident.reason,
        len(incident.components),
    )
