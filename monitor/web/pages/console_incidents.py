"""Incidents in the console: what people work on, from the list to the resolution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, RowMapping

from incidents.lifecycle import ALLOWED, Status
from monitor.storage.alerts import alerts_of
from monitor.storage.console import first_bad_run, report_counts, report_lines
from monitor.storage.incidents import (
    Incident,
    IncidentFilter,
    list_incidents,
    load_incident,
    load_timeline,
    load_updates,
)
from monitor.storage.told import told_of
from monitor.use_cases.escalation_view import escalation_now
from monitor.web.pages.console_incident_work import DONE
from monitor.web.pages.runbooks import runbook_text
from monitor.web.params import Before, Number
from monitor.web.permissions import Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
PER_PAGE = 50
SHOWN_REPORTS = 20
FOUND_BEFORE = timedelta(minutes=10)  # an alert begins after the run that made it true


@router.get("/console/incidents", dependencies=[READ])
def incidents(
    request: Request,
    services: Given,
    state: str = "open",
    component: str = "",
    before: Before = None,
) -> HTMLResponse:
    """List incidents, open ones unless asked otherwise, newest first."""
    wanted = IncidentFilter(
        open={"open": True, "resolved": False}.get(state),
        component=component or None,
        before_number=before,
        limit=PER_PAGE,
    )
    with services.store.read() as connection:
        found = list_incidents(connection, wanted)
        counts = report_counts(connection, [incident.id for incident in found])
    return page(
        request,
        "console/incidents.html",
        title="Incidents",
        incidents=found,
        reports=counts,
        state=state,
        component=component,
        components=services.configuration.current.components,
        more=found[-1].number if len(found) == PER_PAGE else None,
    )


@router.get("/console/incidents/new", dependencies=[Depends(require(Permission.WORK_INCIDENTS))])
def new_incident(request: Request, services: Given) -> HTMLResponse:
    """Show the form for an incident that no alert has opened."""
    components = services.configuration.current.components
    return page(
        request, "console/incident_new.html", title="Open an incident", components=components
    )


@router.get("/console/incidents/{number}", dependencies=[READ])
def incident(request: Request, number: Number, services: Given, done: str = "") -> HTMLResponse:
    """Show one incident with all that is known of it, and what may be done."""
    with services.store.read() as connection:
        found = load_incident(connection, number)
        facts = _facts(services, connection, found)
    return page(
        request,
        "console/incident.html",
        title=f"{found.name}: {found.title}",
        incident=found,
        component_names=component_names(services),
        status_choices=[
            (status.value, status.value.capitalize())
            for status in Status
            if status in ALLOWED[found.status] and status is not Status.RESOLVED
        ],
        done=DONE.get(done, ""),
        **facts,
    )


def _facts(services: Services, connection: Connection, incident: Incident) -> dict[str, Any]:
    alerts = alerts_of(connection, incident.id)
    since = incident.started_at - FOUND_BEFORE
    return {
        "alerts": alerts,
        "firing": [alert for alert in alerts if alert["state"] == "firing"],
        "timeline": list(reversed(load_timeline(connection, incident.id))),
        "told": told_of(connection, incident.id),
        "updates": list(reversed(load_updates(connection, incident.id))),
        "reports": report_lines(connection, limit=SHOWN_REPORTS, incident_id=incident.id),
        "report_count": report_counts(connection, [incident.id])[incident.id],
        "bad_run": first_bad_run(connection, incident.journey, since) if incident.journey else None,
        "runbooks": runbook_links(services, incident, alerts),
        **_called(services, connection, incident),
    }


def _called(services: Services, connection: Connection, incident: Incident) -> dict[str, Any]:
    """Return what the panel of the escalation shows."""
    configuration, now = services.configuration.current, services.clock.now()
    mails = services.policy.mails
    return {
        "escalation": escalation_now(connection, configuration, incident, now, mails=mails),
        "people": [(name, name) for name in configuration.oncall.names],
    }


def runbook_links(
    services: Services, incident: Incident, alerts: list[RowMapping]
) -> list[tuple[str, str]]:
    """Return (address, name) of the runbooks of an incident's alerts, our own pages first.

    An address that an alert brought along is offered only if it is plain http or https.
    """
    names = {str(alert["labels"].get("alertname", "")) for alert in alerts}
    links = [(f"/runbooks/{name}", name) for name in sorted(names) if runbook_text(services, name)]
    given = [incident.runbook_url, *(str(a["annotations"].get("runbook_url", "")) for a in alerts)]
    if not links:
        links = [(url, url) for url in dict.fromkeys(given) if is_web_address(url)]
    return links


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
