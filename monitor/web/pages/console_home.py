"""The console's first page: what needs its reader now, what is wrong, and how the day went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection

from monitor.storage.console import report_lines
from monitor.storage.maintenance import live_windows
from monitor.storage.today import incident_spans, reports_since
from monitor.web.needs import Scene, hints_of, may_have_needs, needs_of, trouble_time
from monitor.web.pages.console_journeys import JourneyView, journey_views
from monitor.web.pages.incident_facts import component_names
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page, zone_of
from monitor.web.security import require
from monitor.web.services import Given
from monitor.web.trouble import open_troubles

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
Reader = Annotated[Actor, READ]
SHOWN_REPORTS = 5


@dataclass(frozen=True)
class Today:
    """The day so far, since midnight where the reader is."""

    incident_count: int
    open_count: int
    trouble: timedelta  # overlapping incidents count once
    report_count: int
    success_ratio: float | None  # of the runs of 24 hours


@router.get("/console")
def home(request: Request, services: Given, actor: Reader) -> HTMLResponse:
    """Show what needs the reader now, and everything else that is news."""
    now, configuration = services.clock.now(), services.configuration.current
    with services.store.read() as connection:
        troubles = open_troubles(connection, configuration)
        scene = Scene(services, connection, actor, now)
        needs, hints = needs_of(scene), list(hints_of(scene))
        views = journey_views(services, connection)
        windows = live_windows(connection, now)
        reports = report_lines(connection, limit=SHOWN_REPORTS)
        today = _today(connection, views, now, zone_of(actor, configuration.site.time_zone))
    return page(
        request,
        "console/home.html",
        title="Home",
        needs=needs if may_have_needs(actor) else None,
        hints=hints,
        today=today,
        more=max(0, today.open_count - len(troubles)),
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


def _today(
    connection: Connection, views: list[JourneyView], now: datetime, zone: ZoneInfo
) -> Today:
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    spans = incident_spans(connection, midnight)
    good = sum(view.counts.good for view in views)
    conclusive = good + sum(view.counts.bad for view in views)
    return Today(
        incident_count=sum(opened >= midnight for opened, _, _ in spans),
        open_count=sum(ended is None for _, _, ended in spans),
        trouble=trouble_time([(began, ended) for _, began, ended in spans], midnight, now),
        report_count=reports_since(connection, midnight),
        success_ratio=good / conclusive if conclusive else None,
    )
