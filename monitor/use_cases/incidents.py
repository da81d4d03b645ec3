"""What people do with incidents; every change is a line of the timeline with its name and time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from incidents import outbox
from incidents.alerts.model import AlertState, words
from incidents.errors import InvalidInputError
from incidents.lifecycle import (
    AlreadyResolved,
    Origin,
    Severity,
    SlotTaken,
    Status,
    StillFiring,
    check_transition,
)
from incidents.texts import LONGEST_LINE, checked
from incidents.timeline import Kind
from monitor.config.model import Configuration
from monitor.storage import alerts as alert_rows
from monitor.storage import incidents as rows
from monitor.storage.idempotency import Once, refuse_repetition, remember
from monitor.storage.incidents import Incident
from monitor.storage.numbers import lock_incidents, public_id
from monitor.storage.store import Store, Transaction
from monitor.use_cases.holding import release
from monitor.use_cases.ledger import Ledger
from monitor.use_cases.policy import AlertPolicy

COMPONENT_STATUS = {
    Severity.CRITICAL: "major_outage",
    Severity.WARNING: "degraded_performance",
}


class IncidentDesk:
    """Where people work on incidents; `by` names who does it.

    Every verb returns the incident as it then stands. With `once` a request that was carried out
    before is refused by `AlreadyDone`, which names the incident.
    """

    def __init__(self, store: Store, configuration: Configuration, policy: AlertPolicy) -> None:
        self._store = store
        self._configuration = configuration
        self._policy = policy

    def open(
        self,
        *,
        title: str,
        severity: Severity,
        component: str | None,
        by: str,
        now: datetime,
        message: str = "",
        once: Once | None = None,
    ) -> Incident:
        """Open an incident by hand; with a message for customers it is published at once.

        Raises:
            InvalidInputError: no title, no such component, or a severity that opens nothing.
        """
        title = checked(title, "the title", LONGEST_LINE)
        if severity not in COMPONENT_STATUS:
            raise InvalidInputError(f"severity {severity} opens no incident: critical or warning")
        if component is not None and self._configuration.component(component) is None:
            known = ", ".join(c.id for c in self._configuration.components)
            raise InvalidInputError(f"there is no component {component!r} (there are: {known})")
        with self._transaction(once, now) as ledger:
            incident = ledger.open(
                key=f"person/{public_id()}",
                title=title,
                severity=severity,
                origin=Origin.PERSON,
                components={component: COMPONENT_STATUS[severity]} if component else {},
                started_at=now,
                text=f"Opened by {by}.",
                actor=by,
                component=component,
                publishes=False,
            )
            if message.strip():
                ledger.publish(incident, checked(message, "the message"), actor=by)
            remember(ledger.tx, once, incident.number, now)
        return incident

    def acknowledge(
        self,
        number: int,
        *,
        by: str,
        now: datetime,
        how: str = "",
        unless_taken: bool = False,
        once: Once | None = None,
    ) -> Incident:
        """Record who has taken the incident; twice by one person says that they still have it.

        With `unless_taken` nobody takes it away from whoever has it.

        Raises:
            UnknownIncident, AlreadyResolved
        """
        with self._at(number, once, now) as (ledger, incident):
            _must_be_open(incident, "acknowledged")
            if unless_taken and incident.acknowledged_by not in (None, by):
                return incident
            ledger.acknowledge(incident, by, how)
        return incident

    def take_over(
        self, number: int, *, by: str, now: datetime, once: Once | None = None
    ) -> Incident:
        """Keep automation from closing the incident; whoever takes it over acknowledges it too.

        Raises:
            UnknownIncident, AlreadyResolved
        """
        with self._at(number, once, now) as (ledger, incident):
            _must_be_open(incident, "taken over")
            ledger.change(incident, taken_over=True, taken_over_by=by)
            text = f"{by} took over: only a person closes it now."
            ledger.note(incident, Kind.TAKEN_OVER, text, actor=by)
            if incident.acknowledged_by is None:
                ledger.acknowledge(incident, by)
        return incident

    def hand_back(
        self, number: int, *, by: str, now: datetime, once: Once | None = None
    ) -> Incident:
        """Let automation close the incident again, at once if no alert of it fires.

        Raises:
            UnknownIncident, AlreadyResolved
        """
        with self._at(number, once, now) as (ledger, incident):
            _must_be_open(incident, "handed back")
            ledger.change(incident, taken_over=False, taken_over_by=None)
            ledger.note(incident, Kind.HANDED_BACK, f"{by} handed it back.", actor=by)
            release(ledger, incident)
        return incident

    def add_note(
        self, number: int, text: str, *, by: str, now: datetime, once: Once | None = None
    ) -> Incident:
        """Write an internal note, which no customer sees; resolved incidents take notes too.

        Raises:
            UnknownIncident, InvalidInputError
        """
        text = checked(text, "the note")
        with self._at(number, once, now) as (ledger, incident):
            ledger.note(incident, Kind.NOTE, text, actor=by)
            ledger.change(incident)
        return incident

    def change_status(
        self,
        number: int,
        status: Status,
        *,
        by: str,
        now: datetime,
        why: str = "",
        despite_firing: bool = False,
        once: Once | None = None,
    ) -> Incident:
        """Move the incident; to resolved and back with everything that follows from it.

        Raises:
            UnknownIncident, IllegalTransition
            StillFiring: it cannot be resolved yet; `despite_firing` closes its alerts with it.
            SlotTaken: it cannot be reopened beside another open incident of its kind.
        """
        why = checked(why, "the reason") if why.strip() else ""
        with self._at(number, once, now, alerts_too=True) as (ledger, incident):
            check_transition(incident.number, incident.status, status)
            if status is Status.RESOLVED:
                self._close_alerts(ledger, incident, by, despite_firing=despite_firing)
                ledger.resolve(incident, why or f"{by} says it is over", actor=by)
            elif not incident.is_open:
                _must_have_its_slot(ledger.tx, incident)
                ledger.reopen(incident, why or f"{by} says it is not over", actor=by)
            else:
                _move(ledger, incident, status, by, why)
        return incident

    def publish_update(
        self,
        number: int,
        text: str,
        *,
        by: str,
        now: datetime,
        status: Status | None = None,
        once: Once | None = None,
    ) -> Incident:
        """Tell customers something, moving the incident first where `status` is another.

        Whoever got its opening is told as well. Resolving says `text` as the last word.

        Raises:
            UnknownIncident, InvalidInputError, IllegalTransition, StillFiring, SlotTaken
        """
        text = checked(text, "the update")
        with self._at(number, once, now, alerts_too=True) as (ledger, incident):
            moves = status is not None and status is not incident.status
            if moves and status is not None:
                check_transition(incident.number, incident.status, status)
            if moves and status is Status.RESOLVED:
                self._close_alerts(ledger, incident, by, despite_firing=False)
                ledger.publish_first(incident, actor=by)
                ledger.resolve(incident, f"{by} says it is over", actor=by, message=text)
                return incident
            if moves and not incident.is_open:
                _must_have_its_slot(ledger.tx, incident)
                ledger.reopen(incident, f"{by} says it is not over", actor=by)
            elif moves and status is not None:
                _move(ledger, incident, status, by, "")
            mark = ledger.publish(incident, text, actor=by)
            if incident.is_open:
                facts, told = ledger.facts(incident), ledger.told(incident)
                ledger.tell(incident, outbox.update(facts, told, mark=mark, text=text))
        return incident

    # --- transactions ---------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, once: Once | None, now: datetime) -> Iterator[Ledger]:
        with self._store.begin() as tx:
            lock_incidents(tx)
            refuse_repetition(tx, once)
            ledger = self._ledger(tx, now)
            yield ledger
            ledger.flush()

    @contextmanager
    def _at(
        self, number: int, once: Once | None, now: datetime, *, alerts_too: bool = False
    ) -> Iterator[tuple[Ledger, Incident]]:
        """Give the incident, which nobody else changes until the end of the transaction."""
        with self._store.begin() as tx:
            if alerts_too:  # before the incidents: the order in which deliveries lock them
                row_id = rows.load_incident(tx.connection, number).id
                alert_rows.open_alerts_of(tx.connection, [row_id], lock=True)
            lock_incidents(tx)
            refuse_repetition(tx, once)
            ledger, incident = self._ledger(tx, now), rows.load_incident(tx.connection, number)
            yield ledger, incident
            remember(tx, once, number, now)
            ledger.flush()

    def _ledger(self, tx: Transaction, now: datetime) -> Ledger:
        policy = self._policy
        tell, url = policy.tell_reporters, policy.public_url
        return Ledger(tx, self._configuration, now, tell, url, policy.mails)

    @staticmethod
    def _close_alerts(ledger: Ledger, incident: Incident, by: str, *, despite_firing: bool) -> None:
        """Close what still holds the incident open: lapsed alerts, and firing ones on demand."""
        held = alert_rows.open_alerts_of(ledger.tx.connection, [incident.id])
        firing = [row for row in held if row["state"] == AlertState.FIRING]
        if firing and not despite_firing:
            raise StillFiring(incident.number, tuple(words(row["labels"]) for row in firing))
        closings = [
            {
                "row_id": row["id"],
                "new_state": AlertState.LAPSED.value,  # its source has not said that it is over
                "new_ends_at": row["ends_at"],
                "new_resolved_at": ledger.now,
                "new_updated_at": ledger.now,
            }
            for row in held
        ]
        alert_rows.close_alerts(ledger.tx, closings)
        for row in held:
            text = f"{words(row['labels'])} closed with the incident, without word of its end."
            ledger.note(incident, Kind.ALERT_CLOSED, text, actor=by)


def _must_be_open(incident: Incident, what: str) -> None:
    if not incident.is_open:
        raise AlreadyResolved(incident.number, what)


def _must_have_its_slot(tx: Transaction, incident: Incident) -> None:
    for other in rows.open_incidents(tx.connection):
        if other.key == incident.key:
            raise SlotTaken(other.number)


def _move(ledger: Ledger, incident: Incident, status: Status, by: str, why: str) -> None:
    old = incident.status
    monitoring_at = ledger.now if status is Status.MONITORING else None
    ledger.change(incident, status=status, monitoring_at=monitoring_at)
    text = f"{old.capitalize()} → {status}" + (f": {why}" if why else ".")
    ledger.note(incident, Kind.STATUS_CHANGED, text, actor=by, old=old.value, new=status.value)
