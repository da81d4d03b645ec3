"""Escalations as time passes, and what people do with them by hand."""

from __future__ import annotations

from datetime import datetime

from incidents.errors import IncidentError, InvalidInputError
from incidents.lifecycle import AlreadyResolved
from incidents.oncall import escalation as deciding
from incidents.oncall.escalation import Escalation, Facts, State, decide
from monitor.config.model import Configuration
from monitor.storage import alerts as alert_rows
from monitor.storage import escalations as rows
from monitor.storage import incidents as incident_rows
from monitor.storage.idempotency import Once
from monitor.storage.incidents import Incident
from monitor.storage.numbers import lock_incidents
from monitor.storage.store import Store
from monitor.use_cases.escalation import make_move, policy_of
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.ledger import Ledger
from monitor.use_cases.policy import AlertPolicy

BATCH = 200  # escalations moved on in one transaction
MOST_MOVES = 3  # of one escalation at one look: released, renewed, told


class NoPolicy(IncidentError):  # noqa: N818 - a refusal, named for what was refused
    """There is nothing to escalate by."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"no escalation policy covers incident INC-{number}; describe one for its component "
            "and severity under escalation: in monitor.yml"
        )
        self.number = number


def advance_escalations(
    store: Store, configuration: Configuration, now: datetime, policy: AlertPolicy
) -> int:
    """Take every step that is due at `now`; returns how many escalations moved.

    Called every second; costs two reads when nothing is due. Any number of processes may call it
    at once: a step is claimed with its escalation's row and recorded once.
    """
    with store.read() as connection:
        failed = [
            row_id
            for row_id in rows.with_failures(connection, BATCH)
            if rows.is_unreachable(connection, row_id)
        ]
        if not failed and not rows.is_anything_due(connection, now):
            return 0
    with store.begin() as tx:
        lock_incidents(tx)
        tell, url = policy.tell_reporters, policy.public_url
        ledger = Ledger(tx, configuration, now, tell, url, policy.mails)
        claimed = dict(rows.claim_due(tx, now, BATCH))
        for row_id in failed:
            known = rows.load_escalation(tx.connection, row_id, lock=True)
            if known is not None:
                claimed[row_id] = known
        incidents = incident_rows.load_incidents(tx.connection, claimed)
        moved = sum(
            _advance(ledger, incidents[row_id], known, policy) for row_id, known in claimed.items()
        )
        ledger.flush()
    return moved


def _advance(ledger: Ledger, incident: Incident, known: Escalation, policy: AlertPolicy) -> bool:
    """Move one escalation on as far as it goes now; return whether it moved at all."""
    before = known
    if not incident.is_open:
        rows.end_escalation(ledger.tx, incident.id)
        return True
    if known.state is State.RUNNING and incident.acknowledged_at is not None:
        known = deciding.acknowledge(known, incident.acknowledged_at)
        rows.save_escalation(ledger.tx, incident.id, known)
    for _ in range(MOST_MOVES):
        move = decide(known, _facts(ledger, incident, known, policy), ledger.now)
        if move is None:
            break
        make_move(ledger, incident, known, move)
        known = move.after
    return known != before


def _facts(ledger: Ledger, incident: Incident, known: Escalation, policy: AlertPolicy) -> Facts:
    connection = ledger.tx.connection
    owner = incident.acknowledged_by or ""
    return Facts(
        muted_by=_muted_by(ledger, incident, policy) if known.state is State.RUNNING else "",
        unreachable=known.state is State.RUNNING and rows.is_unreachable(connection, incident.id),
        acknowledged_by=owner,
        worked_at=rows.last_work_of(connection, incident.id, owner) if owner else None,
    )


def _muted_by(ledger: Ledger, incident: Incident, policy: AlertPolicy) -> str:
    """Return what mutes every open alert of an incident; empty where one is not muted."""
    open_alerts = alert_rows.open_alerts_of(ledger.tx.connection, [incident.id])
    mute = policy.muting(ledger.tx.connection, ledger.now)
    muted = [mute(row["labels"]) for row in open_alerts]
    return muted[0] if muted and all(muted) else ""


class EscalationDesk(IncidentDesk):
    """Where people move an escalation by hand."""

    def escalate_now(
        self, number: int, *, by: str, now: datetime, once: Once | None = None
    ) -> Incident:
        """Take the next step without waiting; an acknowledgement no longer holds.

        Raises:
            UnknownIncident, AlreadyResolved
            NoPolicy: no policy covers the incident.
        """
        with self._at(number, once, now) as (ledger, incident):
            known = self._known(ledger, incident, "escalated")
            make_move(ledger, incident, known, deciding.escalate_now(known, by, now))
        return incident

    def reassign(
        self, number: int, person: str, *, by: str, now: datetime, once: Once | None = None
    ) -> Incident:
        """Call one person, who is to take the incident from whoever has it.

        Raises:
            UnknownIncident, AlreadyResolved
            NoPolicy: no policy covers the incident.
            InvalidInputError: nobody of that name is configured.
        """
        names = self._configuration.oncall.names
        if person not in names:
            known_names = ", ".join(names) or "nobody yet"
            raise InvalidInputError(f"there is no {person!r} under people: ({known_names})")
        with self._at(number, once, now) as (ledger, incident):
            known = self._known(ledger, incident, "reassigned")
            make_move(ledger, incident, known, deciding.reassign(known, person, by, now))
        return incident

    def _known(self, ledger: Ledger, incident: Incident, what: str) -> Escalation:
        """Return the escalation of an open incident, begun now where the policy is a new one."""
        if not incident.is_open:
            raise AlreadyResolved(incident.number, what)
        known = rows.load_escalation(ledger.tx.connection, incident.id, lock=True)
        if known is not None and known.state is not State.ENDED:
            return known
        policy = policy_of(self._configuration, incident)
        if policy is None:
            raise NoPolicy(incident.number)
        return Escalation(policy, ledger.now, sequence=known.sequence if known else 0)
