"""How people share the work on an incident: roles, tasks, and what they overrule."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from incidents.errors import InvalidInputError
from incidents.lifecycle import Impact, Severity, impact_of
from incidents.texts import LONGEST_LINE, checked
from incidents.timeline import Kind
from monitor.storage.idempotency import Once
from monitor.storage.incidents import Incident
from monitor.storage.tasks import add_task, change_task, load_task, next_task_number
from monitor.use_cases.holding import release
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.ledger import Ledger

LONGEST_NAME = 120  # characters of a person's name
LONGEST_TASK = 500  # characters
OVERRULED = frozenset({Severity.CRITICAL, Severity.WARNING})


class Responsibility(StrEnum):
    """What somebody may be responsible for on an incident."""

    LEAD = "lead"
    COMMUNICATIONS = "communications"

    @property
    def words(self) -> str:
        """Return it as people read it."""
        return "the lead" if self is Responsibility.LEAD else "communications"


class TicketDesk(IncidentDesk):
    """Where people share the work on an incident; `by` names who does it."""

    def assign(
        self,
        number: int,
        role: Responsibility,
        person: str,
        *,
        by: str,
        now: datetime,
        why: str = "",
        once: Once | None = None,
    ) -> Incident:
        """Give a role to somebody, or to nobody with an empty name; the same again changes nothing.

        While somebody leads it, automation does not close the incident.

        Raises:
            UnknownIncident, InvalidInputError
        """
        person = checked(person, "the name", LONGEST_NAME) if person.strip() else ""
        reason = _reason(why)
        with self._at(number, once, now) as (ledger, incident):
            old = str(getattr(incident, role))
            if old == person:
                return incident
            ledger.change(incident, **{role.value: person})
            text = _handed_over(role, old, person) + reason
            ledger.note(
                incident, Kind.ROLE_CHANGED, text, actor=by, role=role.value, old=old, new=person
            )
            if role is Responsibility.LEAD and not person:
                release(ledger, incident)
        return incident

    def add_task(
        self,
        number: int,
        text: str,
        *,
        by: str,
        now: datetime,
        owner: str = "",
        due_at: datetime | None = None,
        once: Once | None = None,
    ) -> Incident:
        """Add a task; while one is open, automation does not close the incident.

        Raises:
            UnknownIncident, InvalidInputError
        """
        text = checked(text, "the task", LONGEST_TASK)
        owner = checked(owner, "the name", LONGEST_NAME) if owner.strip() else ""
        with self._at(number, once, now) as (ledger, incident):
            values = {
                "incident_id": incident.id,
                "number": next_task_number(ledger.tx.connection, incident.id),
                "text": text,
                "owner": owner,
                "due_at": due_at,
                "created_at": now,
                "created_by": by,
            }
            add_task(ledger.tx, values)
            told = f"Task {values['number']}: {text}{_for(owner, due_at)}"
            ledger.note(incident, Kind.TASK_ADDED, told, actor=by, task=values["number"])
            ledger.change(incident)
        return incident

    def change_task(
        self,
        number: int,
        task: int,
        *,
        text: str,
        owner: str,
        due_at: datetime | None,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Say anew what a task is, whose and by when; the same again changes nothing.

        Raises:
            UnknownIncident, UnknownObjectError, InvalidInputError
        """
        text = checked(text, "the task", LONGEST_TASK)
        owner = checked(owner, "the name", LONGEST_NAME) if owner.strip() else ""
        with self._at(number, once, now) as (ledger, incident):
            old = load_task(ledger.tx.connection, incident.id, task)
            if (old.text, old.owner, old.due_at) != (text, owner, due_at):
                change_task(ledger.tx, old.id, text=text, owner=owner, due_at=due_at)
                told = f"Task {task} is now: {text}{_for(owner, due_at)}"
                ledger.note(incident, Kind.TASK_CHANGED, told, actor=by, task=task)
                ledger.change(incident)
        return incident

    def finish_task(
        self,
        number: int,
        task: int,
        *,
        done: bool,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Say that a task is done, or that it is not after all; the same again changes nothing.

        Raises:
            UnknownIncident, UnknownObjectError
        """
        with self._at(number, once, now) as (ledger, incident):
            found = load_task(ledger.tx.connection, incident.id, task)
            if (found.done_at is not None) == done:
                return incident
            values = {"done_at": now, "done_by": by} if done else {"done_at": None, "done_by": ""}
            change_task(ledger.tx, found.id, **values)
            kind = Kind.TASK_DONE if done else Kind.TASK_REOPENED
            told = f"Task {task} is {'done' if done else 'not done after all'}: {found.text}"
            ledger.note(incident, kind, told, actor=by, task=task)
            ledger.change(incident)
            if done:
                release(ledger, incident)
        return incident

    def overrule_severity(
        self,
        number: int,
        severity: Severity | None,
        *,
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Set the severity whatever alerts say; None gives it back to automation.

        Where it rises, whoever takes the higher one is told.

        Raises:
            UnknownIncident
            InvalidInputError: no reason, or a severity that no incident has.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        if severity is not None and severity not in OVERRULED:
            raise InvalidInputError(f"severity {severity} opens no incident: critical or warning")
        with self._at(number, once, now) as (ledger, incident):
            derived = incident.derived_severity
            if severity is None:
                if derived:
                    ledger.change(incident, derived_severity="")
                    back = f"{why}; given back to automation"
                    _set_severity(ledger, incident, Severity(derived), back, by)
            else:
                kept = derived or incident.severity.value
                ledger.change(incident, derived_severity=kept)
                _set_severity(ledger, incident, severity, f"{why}; overruled", by)
        return incident

    def overrule_impact(
        self,
        number: int,
        impact: Impact | None,
        *,
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Set what users feel whatever alerts say; None gives it back to automation.

        Raises:
            UnknownIncident
            InvalidInputError: no reason.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        with self._at(number, once, now) as (ledger, incident):
            old = incident.impact
            if impact is None:
                if not incident.derived_impact:
                    return incident
                new = impact_of(incident.severity, incident.components.values())
                ledger.change(incident, impact=new, derived_impact="")
                text = f"Impact given back to automation ({old} → {new}): {why}."
            else:
                kept = incident.derived_impact or old.value
                ledger.change(incident, impact=impact, derived_impact=kept)
                text = f"Impact {old} → {impact}: {why}; overruled."
            ledger.note(incident, Kind.IMPACT_CHANGED, text, actor=by)
            ledger.tx.touch("status")
        return incident


def _set_severity(
    ledger: Ledger, incident: Incident, severity: Severity, why: str, by: str
) -> None:
    if severity is incident.severity:
        text = f"Severity stays {severity}: {why}."
        ledger.note(incident, Kind.SEVERITY_CHANGED, text, actor=by)
    ledger.set_severity(incident, severity, why, by)


def _handed_over(role: Responsibility, old: str, new: str) -> str:
    if not new:
        return f"{old} gives up {role.words}"
    return f"{new} has {role.words}" + (f" now, after {old}" if old else "")


def _reason(why: str) -> str:
    return f": {checked(why, 'the reason', LONGEST_LINE)}." if why.strip() else "."


def _for(owner: str, due_at: datetime | None) -> str:
    parts = [f"for {owner}"] if owner else []
    parts += [f"due {due_at:%Y-%m-%d %H:%M} UTC"] if due_at else []
    return f" ({', '.join(parts)})" if parts else ""
