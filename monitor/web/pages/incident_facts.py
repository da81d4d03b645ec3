"""What an incident's page shows: everything that is known of it, gathered in one reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, RowMapping

from incidents.lifecycle import ALLOWED, Impact, Status
from incidents.publication import Wording, wordings
from incidents.timeline import AUTOMATION, Kind
from monitor.storage import incidents as rows
from monitor.storage import ticket
from monitor.storage.console import failing_runs, first_bad_run, report_counts, report_lines
from monitor.storage.incidents import Incident
from monitor.storage.postmortems import latest_version
from monitor.storage.regrouping import links_of, merged_into
from monitor.storage.runs import load_run
from monitor.storage.tasks import tasks_of
from monitor.storage.ticket import AlertKind
from monitor.storage.told import told_of
from monitor.storage.users import all_users
from monitor.use_cases.escalation_view import escalation_now
from monitor.web.drawing import waterfall
from monitor.web.pages.runbooks import runbook_text
from monitor.web.services import Services
from monitor.web.silencing import silence_form

SHOWN_REPORTS = 20
SHOWN_RUNS = 5
SHOWN_ALERTS = 25  # on one page of them
SHOWN_LINES = 100
NEWEST_LINES = 6  # of the timeline that a phone shows unasked
FOUND_BEFORE = timedelta(minutes=10)  # an alert begins after the run that made it true
# What a timeline can be narrowed to; the words are those of the page's tabs.
VIEWS: Mapping[str, str] = {
    "all": "All",
    "people": "People",
    "automation": "Automation",
    "notes": "Notes",
    "alerts": "Alerts",
    "messages": "Messages",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader asks to see: kinds of lines, those before a row, alerts from the nth on."""

    view: str = "all"
    before: int | None = None
    alerts_from: int = 0


@dataclass(frozen=True, slots=True)
class ClockFace:
    """How long something took, or takes."""

    name: str
    start: datetime
    end: datetime | None  # None: it goes on


def incident_facts(
    services: Services, connection: Connection, incident: Incident, shown: Shown
) -> dict[str, Any]:
    """Return what the page of one incident shows, as far as `shown` asks for it."""
    view = shown.view if shown.view in VIEWS else "all"
    alerts = ticket.alert_page(
        connection, incident.id, offset=shown.alerts_from, limit=SHOWN_ALERTS
    )
    alert_counts = ticket.alert_counts(connection, incident.id)
    alert_count = sum(alert_counts.values())
    kinds = ticket.alert_kinds(connection, incident.id)
    journeys = {kind.journey for kind in kinds} | {incident.journey or ""}
    lines = ticket.line_counts(connection, incident.id)
    counts = {name: sum(n for line, n in lines.items() if _is_of(*line, name)) for name in VIEWS}
    timeline = ticket.line_page(
        connection,
        incident.id,
        of=None if view == "all" else [line for line in lines if _is_of(*line, view)],
        before=shown.before,
        limit=SHOWN_LINES + 1,
    )
    since, until = incident.started_at - FOUND_BEFORE, incident.resolved_at or services.clock.now()
    runs = failing_runs(connection, journeys - {""}, since, until, SHOWN_RUNS)
    survivor = rows.load_incidents(connection, [incident.merged_into_id or 0])
    names = [kind.name for kind in kinds]
    return {
        "alerts": alerts,
        "alert_count": alert_count,
        "alerts_from": shown.alerts_from,
        "silence_form": _silence_form(
            incident, alerts, alert_count - alert_counts.get("resolved", 0)
        ),
        "alerts_next": shown.alerts_from + SHOWN_ALERTS
        if shown.alerts_from + SHOWN_ALERTS < alert_count
        else None,
        "firing_count": alert_counts.get("firing", 0),
        "timeline": timeline[:SHOWN_LINES],
        "newest_lines": NEWEST_LINES,
        "line_count": counts[view],
        "older": timeline[SHOWN_LINES - 1]["id"] if len(timeline) > SHOWN_LINES else None,
        "before": shown.before,
        "views": [
            (f"/console/incidents/{incident.number}?show={name}#timeline", words, counts[name])
            for name, words in VIEWS.items()
        ],
        "view": view,
        "told": told_of(connection, incident.id),
        "updates": rows.load_updates(connection, incident.id)[::-1],
        "reports": report_lines(connection, limit=SHOWN_REPORTS, incident_id=incident.id),
        "report_count": report_counts(connection, [incident.id])[incident.id],
        "bad_run": first_bad_run(connection, incident.journey, since) if incident.journey else None,
        "runs": runs,
        "evidence": waterfall(load_run(connection, runs[0].run_id)) if runs else (),
        "runbooks": runbook_links(services, incident, kinds),
        "runbook": _own_runbook(services, names),
        "tasks": tasks_of(connection, incident.id),
        "links": links_of(connection, incident.id),
        "merged": merged_into(connection, incident.id),
        "survivor": next(iter(survivor.values()), None),
        "postmortem": latest_version(connection, incident.id),
        "clocks": _clocks(
            incident, ticket.first_line_at(connection, incident.id, Kind.ACKNOWLEDGED)
        ),
        "wordings": _wordings(services, incident),
        "status_choices": [
            (status.value, status.value.capitalize())
            for status in Status
            if status in ALLOWED[incident.status] and status.is_open
        ],
        "names_known": _names_known(services, connection),
        **_called(services, connection, incident),
        "impacts": [(impact.value, impact.value.capitalize()) for impact in Impact],
    }


def _names_known(services: Services, connection: Connection) -> list[str]:
    """Return who may be given work: people on call, and accounts that are not shut."""
    accounts = [user.name for user in all_users(connection) if user.disabled_at is None]
    return sorted({*services.configuration.current.oncall.names, *accounts})


def _called(services: Services, connection: Connection, incident: Incident) -> dict[str, Any]:
    """Return what the panel of the escalation shows."""
    configuration, now = services.configuration.current, services.clock.now()
    mails = services.policy.mails
    return {
        "escalation": escalation_now(connection, configuration, incident, now, mails=mails),
        "people": [(name, name) for name in configuration.oncall.names],
    }


def runbook_links(
    services: Services, incident: Incident, kinds: Sequence[AlertKind]
) -> list[tuple[str, str]]:
    """Return (address, name) of the runbooks of an incident's alerts, our own pages first.

    An address that an alert brought along is offered only if it is plain http or https.
    """
    names = {kind.name for kind in kinds}
    links = [(f"/runbooks/{name}", name) for name in sorted(names) if runbook_text(services, name)]
    given = [incident.runbook_url, *(kind.runbook_url for kind in kinds)]
    if not links:
        links = [(url, url) for url in dict.fromkeys(given) if is_web_address(url)]
    return links


def _silence_form(incident: Incident, alerts: Sequence[RowMapping], open_count: int) -> str:
    """Return where an incident's open alerts are silenced; empty where it has none, or too many."""
    labels = [alert["labels"] for alert in alerts if alert["state"] != "resolved"]
    return silence_form(labels, incident.name) if len(labels) == open_count else ""


def is_web_address(url: str) -> bool:
    """Return whether a text can be offered as a link: http or https, with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def component_names(services: Services) -> Mapping[str, str]:
    """Return the names of components by id; one that is no longer configured keeps its id."""
    return _Names({c.id: c.name for c in services.configuration.current.components})


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def _own_runbook(services: Services, names: Sequence[str]) -> tuple[str, str] | None:
    """Return (name, Markdown) of the runbook of the first alert that has one of ours."""
    for name in names:
        if text := runbook_text(services, name):
            return name, text
    return None


def _wordings(services: Services, incident: Incident) -> tuple[Wording, ...]:
    component = services.configuration.current.component(incident.component or "")
    name = component.name if component else incident.component or "the service"
    return wordings(name, incident.customer_message)


def _clocks(incident: Incident, taken: datetime | None) -> list[ClockFace]:
    taken = taken or incident.acknowledged_at
    over = incident.resolved_at
    clocks = [ClockFace("Trouble", incident.started_at, over)]
    clocks.append(ClockFace("Noticed after", incident.started_at, incident.opened_at))
    clocks.append(ClockFace("Taken after", incident.opened_at, taken or over))
    if not incident.is_open:
        clocks.append(ClockFace("Resolved after", incident.opened_at, over))
    return clocks


def _is_of(kind: str, actor: str, view: str) -> bool:
    by_people = actor not in ("", AUTOMATION)
    return {
        "people": by_people,
        "automation": not by_people,
        "notes": kind in (Kind.NOTE, Kind.UPDATE_PUBLISHED),
        "alerts": kind.startswith("alert_") or kind in (Kind.OPENED, Kind.REOPENED),
        "messages": kind.startswith("notification_"),
    }.get(view, True)
