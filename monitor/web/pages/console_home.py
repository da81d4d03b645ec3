"""The console's first page: what needs somebody now, and words to pass on to customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from monitor.storage.console import published_words, report_counts, report_lines
from monitor.storage.incidents import Incident, open_incidents
from monitor.storage.maintenance import live_windows
from monitor.web.pages.console_incidents import component_names
from monitor.web.pages.console_journeys import journey_views
from monitor.web.permissions import Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
SHOWN_REPORTS = 5


@dataclass(frozen=True)
class Trouble:
    """An open incident as support agents need it."""

    incident: Incident
    components: str
    report_count: int
    wording: str  # approved, to copy; empty where nobody has published any


@router.get("/console", dependencies=[READ])
def home(request: Request, services: Given) -> HTMLResponse:
    """Show what is down since when, and everything else that is news."""
    now = services.clock.now()
    with services.store.read() as connection:
        troubles = open_troubles(connection, component_names(services))
        views = journey_views(services, connection)
        windows = live_windows(connection, now)
        reports = report_lines(connection, limit=SHOWN_REPORTS)
    return page(
        request,
        "console/home.html",
        title="Home",
        troubles=troubles,
        views=views,
        windows=windows,
        reports=reports,
        component_names=component_names(services),
    )


@router.get("/console/design", dependencies=[READ])
def design(request: Request) -> HTMLResponse:
    """Show every piece of the interface, and when to use it."""
    return page(request, "console/design.html", title="Design")


def open_troubles(connection: Connection, names: Mapping[str, str]) -> list[Trouble]:
    """Return the open incidents, worst first, with the words approved for customers."""
    incidents = open_incidents(connection)
    ids = [incident.id for incident in incidents]
    counts, words = report_counts(connection, ids), published_words(connection, ids)
    troubles = [
        Trouble(
            incident=one,
            components=", ".join(names[c] for c in one.components or [one.component or "shop"]),
            report_count=counts[one.id],
            wording=words.get(one.id) or (one.customer_message if one.published_at else ""),
        )
        for one in incidents
    ]
    return sorted(troubles, key=lambda t: (t.incident.severity.rank, t.incident.started_at))
