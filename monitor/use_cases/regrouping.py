"""A person says what belongs together: alerts and reports move, incidents split, merge and link.

Each verb is a line on both incidents, with its reason, and can be undone by another. Automation
keeps to it: an alert that was moved goes there again when it fires again, and never back by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from incidents.alerts.model import AlertState, words
from incidents.correlation import Subject
from incidents.errors import InvalidInputError
from incidents.lifecycle import (
    AlreadyResolved,
    Origin,
    Severity,
    component_status,
    worse_status,
    worst,
)
from incidents.texts import LONGEST_LINE, checked
from incidents.timeline import Kind
from monitor.storage import alerts as alert_rows
from monitor.storage import regrouping as rows
from monitor.storage.idempotency import Once, refuse_repetition, remember
from monitor.storage.incidents import Incident, load_incident
from monitor.storage.numbers import lock_incidents, public_id
from monitor.storage.regrouping import Placement
from monitor.storage.reports import Report, reports_of_incident
from monitor.use_cases import merging
from monitor.use_cases.incidents import IncidentDesk
from monitor.use_cases.ledger import Ledger
from monitor.use_cases.report_links import move_report


@dataclass(slots=True)
class _Session:
    """One transaction on an incident; `answer` is the number that a repetition is told."""

    ledger: Ledger
    incident: Incident
    answer: int

    def other(self, number: int) -> Incident:
        """Return another incident.

        Raises:
            UnknownIncident: there is none of that number.
            InvalidInputError: it is the same one.
        """
        if number == self.incident.number:
            name = self.incident.name
            raise InvalidInputError(f"{name} is the incident itself; name another one")
        return load_incident(self.ledger.tx.connection, number)

    def chosen_alerts(self, ids: Collection[int]) -> list[RowMapping]:
        """Return these alerts of the incident.

        Raises:
            InvalidInputError: one of them does not belong to it.
        """
        found = rows.alert_rows(self.ledger.tx.connection, self.incident.id, ids)
        if missing := sorted(set(ids) - {row["id"] for row in found}):
            has = [str(row["id"]) for row in self._all_alerts()]
            raise InvalidInputError(
                f"alert {missing[0]} does not belong to {self.incident.name} "
                f"(its alerts: {', '.join(has) or 'none'})"
            )
        return found

    def chosen_reports(self, numbers: Collection[int]) -> list[Report]:
        """Return these reports of the incident.

        Raises:
            InvalidInputError: one of them is not linked to it.
        """
        linked = reports_of_incident(self.ledger.tx.connection, self.incident.id)
        if missing := sorted(set(numbers) - {report.number for report in linked}):
            has = ", ".join(report.name for report in linked) or "none"
            raise InvalidInputError(
                f"RPT-{missing[0]} is not linked to {self.incident.name} (its reports: {has})"
            )
        return [report for report in linked if report.number in numbers]

    def _all_alerts(self) -> list[RowMapping]:
        return alert_rows.alerts_of(self.ledger.tx.connection, self.incident.id)


class RegroupingDesk(IncidentDesk):
    """Where people say what belongs together; every verb asks for a reason."""

    def split(
        self,
        number: int,
        *,
        alerts: Collection[int] = (),
        reports: Collection[int] = (),
        title: str = "",
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Open a new incident with these alerts and reports of this one, and return it.

        It is published only when a person does so.

        Raises:
            UnknownIncident
            InvalidInputError: nothing is chosen, or what does not belong to it, or no reason.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        title = checked(title, "the title", LONGEST_LINE) if title.strip() else ""
        if not alerts and not reports:
            raise InvalidInputError("nothing is chosen; choose alerts or reports to split out")
        with self._regrouping(number, once, now) as session:
            ledger, source = session.ledger, session.incident
            moved, told = session.chosen_alerts(alerts), session.chosen_reports(reports)
            new = _open_split(ledger, source, moved, told, title, why, by)
            _place(ledger, moved, source, new, why, by)
            for report in told:
                move_report(ledger.tx, report, new.id, by, why, now)
            what = _what(moved, told)
            text = f"{what} split out to {new.name}: {why}."
            ledger.note(source, Kind.SPLIT, text, actor=by, into=new.number)
            merging.link(ledger, new, source, f"split out of {source.name}", by)
            _settle_both(ledger, source, new, moved)
            session.answer = new.number
        return new

    def move(
        self,
        number: int,
        *,
        to: int,
        alerts: Collection[int] = (),
        reports: Collection[int] = (),
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Move alerts and reports of this incident to another one that is there.

        Raises:
            UnknownIncident
            AlreadyResolved: an alert that goes on cannot belong to an incident that is over.
            InvalidInputError: nothing is chosen, or what does not belong to it, or no reason.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        if not alerts and not reports:
            raise InvalidInputError("nothing is chosen; choose alerts or reports to move")
        with self._regrouping(number, once, now) as session:
            ledger, source, target = session.ledger, session.incident, session.other(to)
            moved, told = session.chosen_alerts(alerts), session.chosen_reports(reports)
            if not target.is_open and any(row["open_marker"] for row in moved):
                raise AlreadyResolved(target.number, "given an alert that goes on")
            _place(ledger, moved, source, target, why, by)
            for report in told:
                move_report(ledger.tx, report, target.id, by, why, now)
            if moved:
                what = _what(moved, ())
                out = f"{what} moved to {target.name}: {why}."
                into = f"{what} moved here from {source.name}: {why}."
                ledger.note(source, Kind.ALERT_MOVED, out, actor=by, to=target.number)
                ledger.note(target, Kind.ALERT_MOVED, into, actor=by, source=source.number)
                _settle_both(ledger, source, target, moved)
        return source

    def merge(
        self,
        number: int,
        *,
        into: int,
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Make the incident a part of another; reopening it makes it stand for itself again.

        Raises:
            UnknownIncident
            AlreadyResolved: one of the two is over.
            InvalidInputError: both are the same one, or no reason.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        with self._regrouping(number, once, now) as session:
            source, target = session.incident, session.other(into)
            for incident, what in ((source, "merged"), (target, "merged into")):
                if not incident.is_open:
                    raise AlreadyResolved(incident.number, what)
            merging.merge(session.ledger, source, target, why, by)
        return source

    def link(
        self,
        number: int,
        *,
        other: int,
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Note on both incidents that they have to do with each other; twice is once.

        Raises:
            UnknownIncident
            InvalidInputError: both are the same one, or no reason.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        with self._at(number, once, now) as (ledger, incident):
            there = _Session(ledger, incident, number).other(other)
            merging.link(ledger, incident, there, why, by)
        return incident

    def unlink(
        self,
        number: int,
        *,
        other: int,
        why: str,
        by: str,
        now: datetime,
        once: Once | None = None,
    ) -> Incident:
        """Take the link between two incidents away; where there is none nothing changes.

        Raises:
            UnknownIncident
            InvalidInputError: both are the same one, or no reason.
        """
        why = checked(why, "the reason", LONGEST_LINE)
        with self._at(number, once, now) as (ledger, incident):
            there = _Session(ledger, incident, number).other(other)
            if rows.remove_link(ledger.tx, incident.id, there.id):
                for here, away in ((incident, there), (there, incident)):
                    text = f"No longer linked to {away.name}: {why}."
                    ledger.note(here, Kind.UNLINKED, text, actor=by, other=away.number)
        return incident

    @contextmanager
    def _regrouping(self, number: int, once: Once | None, now: datetime) -> Iterator[_Session]:
        with self._store.begin() as tx:
            row_id = load_incident(tx.connection, number).id
            # before the incidents: the order in which deliveries lock them
            alert_rows.open_alerts_of(tx.connection, [row_id], lock=True)
            lock_incidents(tx)
            refuse_repetition(tx, once)
            ledger = self._ledger(tx, now)
            session = _Session(ledger, load_incident(tx.connection, number), number)
            yield session
            remember(tx, once, session.answer, now)
            ledger.flush()


def _open_split(
    ledger: Ledger,
    source: Incident,
    alerts: Sequence[RowMapping],
    reports: Sequence[Report],
    title: str,
    why: str,
    by: str,
) -> Incident:
    """Open the incident that split-out alerts and reports make."""
    first = alerts[0] if alerts else None
    labels = dict(first["labels"]) if first else {}
    annotations = dict(first["annotations"]) if first else {}
    component = labels.get("component") or next((r.component for r in reports if r.component), "")
    components = _statuses(alerts)
    if component and component not in components:
        components[component] = "degraded_performance"
    key = f"{Subject.of(labels).key}/{public_id()}" if first else f"person/{public_id()}"
    return ledger.open(
        key=key,
        title=title or annotations.get("summary") or f"Split out of {source.name}",
        severity=_severity(alerts) or Severity.WARNING,
        origin=source.origin if alerts else Origin.PERSON,
        components=components,
        started_at=min([a["starts_at"] for a in alerts] + [r.created_at for r in reports]),
        text=f"Split out of {source.name} by {by}: {why}.",
        actor=by,
        publishes=False,
        component=component or None,
        journey=labels.get("journey") or None,
        step=labels.get("step") or annotations.get("step") or None,
        reason=labels.get("reason") or annotations.get("reason") or None,
        customer_message=annotations.get("customer_message", ""),
        runbook_url=annotations.get("runbook_url", ""),
    )


def _place(
    ledger: Ledger,
    alerts: Sequence[RowMapping],
    source: Incident,
    target: Incident,
    why: str,
    by: str,
) -> None:
    """Move alerts, and remember for later that a person wants them there and not here."""
    if not alerts:
        return
    because = f"{by} put it there: {why}"
    rows.move_alerts(ledger.tx, [row["id"] for row in alerts], target.id, because, by)
    prints = dict.fromkeys(row["fingerprint"] for row in alerts)
    rows.add_placements(
        ledger.tx,
        [
            Placement(fingerprint, incident.id, apart, by, why, ledger.now)
            for fingerprint in prints
            for incident, apart in ((source, True), (target, False))
        ],
    )


def _settle_both(
    ledger: Ledger, source: Incident, target: Incident, moved: Sequence[RowMapping]
) -> None:
    """Let severity and components of both follow from the alerts that each has now."""
    connection = ledger.tx.connection
    for incident in (source, target):
        mine = alert_rows.alerts_of(connection, incident.id)
        _derive(ledger, incident, mine, {row["labels"].get("component", "") for row in moved})
    went_on = any(row["open_marker"] for row in moved)
    if source.is_open and went_on and not alert_rows.open_alerts_of(connection, [source.id]):
        text = (
            f"No alert holds this open any more, now that they are with {target.name}: "
            "resolve it, or merge it."
        )
        ledger.note(source, Kind.RESOLUTION_HELD, text)


def _derive(
    ledger: Ledger, incident: Incident, alerts: Sequence[RowMapping], moved: set[str]
) -> None:
    if not incident.is_open:
        return
    now = _statuses(alerts)
    kept = {
        component: now.get(component, status if component == incident.component else "operational")
        for component, status in incident.components.items()
        if component not in moved or component in now or component == incident.component
    }
    automatic = incident.origin is Origin.AUTOMATIC
    old = Severity(incident.derived_severity or incident.severity)
    severity = _severity(alerts) if automatic else worst([old, _severity(alerts) or old])
    ledger.derive(incident, severity or old, {**now, **kept})


def _statuses(alerts: Iterable[RowMapping]) -> dict[str, str]:
    """Return what alerts say of their components; one that is over says that all is well."""
    found: dict[str, str] = {}
    for row in alerts:
        if component := row["labels"].get("component", ""):
            firing = row["state"] != AlertState.RESOLVED and row["open_marker"]
            status = component_status(row["labels"]) if firing else "operational"
            found[component] = worse_status(found.get(component, "operational"), status)
    return found


def _severity(alerts: Iterable[RowMapping]) -> Severity | None:
    found = [Severity.of(row["labels"]) for row in alerts]
    return worst(found) if found else None


def _what(alerts: Sequence[RowMapping], reports: Sequence[Report]) -> str:
    named = [words(row["labels"]) for row in alerts[:3]] + [r.name for r in reports[:3]]
    more = len(alerts) + len(reports) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
