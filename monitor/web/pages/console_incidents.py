"""Incidents in the console: what people work on, from the list to the resolution."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from incidents.lifecycle import Severity, Status
from incidents.texts import storable
from monitor.storage.console import report_counts
from monitor.storage.incidents import (
    IncidentFilter,
    count_incidents,
    list_incidents,
    load_incident,
    load_incidents,
)
from monitor.storage.tasks import open_task_counts
from monitor.web.pages.console_incident_work import DONE
from monitor.web.pages.incident_facts import Shown, component_names, incident_facts
from monitor.web.params import Before, Number, Offset
from monitor.web.permissions import Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
PER_PAGE = 50
STATES = {"open": "Open", "mine": "Mine", "resolved": "Resolved", "all": "All"}
SEVERITIES = (Severity.CRITICAL, Severity.WARNING)


@router.get("/console/incidents", dependencies=[READ])
def incidents(
    request: Request,
    services: Given,
    state: str = "open",
    component: str = "",
    severity: str = "",
    status: str = "",
    q: str = "",
    since: str = "",
    until: str = "",
    before: Before = None,
) -> HTMLResponse:
    """List incidents, open ones unless asked otherwise, newest first."""
    person = request.state.actor.name
    wanted = IncidentFilter(
        component=storable(component) or None,
        severity=severity if severity in set(Severity) else None,
        status=status if status in set(Status) else None,
        text=q[:200],
        began_from=_day(services, since),
        began_until=_day(services, until, days=1),
        limit=PER_PAGE,
    )
    by_state = {
        "open": replace(wanted, open=True),
        "mine": replace(wanted, open=True, person=person),
        "resolved": replace(wanted, open=False),
        "all": wanted,
    }
    state = state if state in by_state else "open"
    with services.store.read() as connection:
        found = list_incidents(connection, replace(by_state[state], before_number=before))
        counts = {name: count_incidents(connection, by_state[name]) for name in STATES}
        ids = [incident.id for incident in found]
        merged = load_incidents(connection, [i.merged_into_id for i in found if i.merged_into_id])
        reports, tasks = report_counts(connection, ids), open_task_counts(connection, ids)
    given = {"component": component, "severity": severity, "status": status}
    given |= {"q": q, "since": since, "until": until}
    kept = {name: value for name, value in given.items() if value}
    return page(
        request,
        "console/incidents.html",
        title="Incidents",
        incidents=found,
        reports=reports,
        tasks=tasks,
        merged=merged,
        state=state,
        given=given,
        narrowed=bool(kept),
        views=[
            (f"?{urlencode({'state': name, **kept})}", words, counts[name])
            for name, words in STATES.items()
        ],
        current=f"?{urlencode({'state': state, **kept})}",
        component_choices=[(c.id, c.name) for c in services.configuration.current.components],
        severities=[(one.value, one.value.capitalize()) for one in SEVERITIES],
        statuses=[(one.value, one.value.capitalize()) for one in Status],
        more=found[-1].number if len(found) == PER_PAGE else None,
        count=counts[state],
    )


@router.get("/console/incidents/new", dependencies=[Depends(require(Permission.WORK_INCIDENTS))])
def new_incident(request: Request, services: Given) -> HTMLResponse:
    """Show the form for an incident that no alert has opened."""
    components = services.configuration.current.components
    return page(
        request, "console/incident_new.html", title="Open an incident", components=components
    )


@router.get("/console/incidents/{number}", dependencies=[READ])
def incident(
    request: Request,
    number: Number,
    services: Given,
    done: str = "",
    show: str = "all",
    wording: int = 0,
    before: Before = None,
    alerts: Offset = 0,
) -> HTMLResponse:
    """Show one incident with all that is known of it, and what may be done.

    `show` narrows the timeline, `before` a row and `alerts` from which one on tell the page of it;
    `wording` puts approved words into the form for users.
    """
    with services.store.read() as connection:
        found = load_incident(connection, number)
        facts = incident_facts(services, connection, found, Shown(show, before, alerts))
    words = facts["wordings"]
    return page(
        request,
        "console/incident.html",
        title=f"{found.name}: {found.title}",
        incident=found,
        component_names=component_names(services),
        done=DONE.get(done, ""),
        chosen=words[wording - 1] if 0 < wording <= len(words) else None,
        **facts,
    )


def _day(services: Services, text: str, days: int = 0) -> datetime | None:
    """Return when a day begins where the site is, or one `days` later; None for no day."""
    zone = ZoneInfo(services.configuration.current.site.time_zone)
    try:
        begins = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        return None
    return begins + timedelta(days=days) if 1970 <= begins.year < 9000 else None
