"""The status page, and the pages of one incident and of one maintenance window."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from incidents.notices.maintenance import Maintenance
from incidents.notices.published import PublicPage, window_updates
from incidents.notices.uptime import RULE, day_bars
from monitor.config.model import Configuration
from monitor.storage.maintenance import load_public_window
from monitor.storage.status import component_intervals, public_incident, recorded_at
from monitor.use_cases.status import GAP
from monitor.web.day_bars import BarsView, bars_view
from monitor.web.errors import NotFound
from monitor.web.public import HTML, PAGE_CACHE, load_page, publish
from monitor.web.rendering import render
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
DAYS = 90
READ = ["GET", "HEAD"]


@router.api_route("/", methods=READ)
def status_page(request: Request, services: Given) -> Response:
    """Show how everything stands, what is known, what is planned, and how old that is."""

    def make() -> bytes:
        shown = load_page(services)
        return render(
            request,
            "public/status.html",
            shown=shown,
            bars=load_bars(services, shown),
            rule=RULE,
            days=DAYS,
            component_names=names(services.configuration.current),
        ).encode()

    return publish(request, make, media_type=HTML, cache_control=PAGE_CACHE, open_to_all=False)


@router.api_route("/incidents/{public_id}", methods=READ)
def incident_page(request: Request, public_id: str, services: Given) -> Response:
    """Show one published incident with everything that was said of it."""

    def make() -> bytes:
        with services.store.read() as connection:
            incident = public_incident(connection, public_id)
        if incident is None:
            raise NotFound("There is no published incident at this address.")
        return render(
            request,
            "public/incident.html",
            incident=incident,
            component_names=names(services.configuration.current),
        ).encode()

    return publish(request, make, media_type=HTML, cache_control=PAGE_CACHE, open_to_all=False)


@router.api_route("/maintenance/{public_id}", methods=READ)
def maintenance_page(request: Request, public_id: str, services: Given) -> Response:
    """Show one maintenance window: what is announced, when, and how it went."""

    def make() -> bytes:
        window = find_window(services, public_id)
        now = services.clock.now()
        return render(
            request,
            "public/maintenance.html",
            window=window,
            state=window.state(now).value,
            updates=window_updates(window, now),
            component_names=names(services.configuration.current),
        ).encode()

    return publish(request, make, media_type=HTML, cache_control=PAGE_CACHE, open_to_all=False)


def find_window(services: Services, public_id: str) -> Maintenance:
    """Return the window at a public address.

    Raises:
        NotFound: there is none.
    """
    with services.store.read() as connection:
        window = load_public_window(connection, public_id)
    if window is None:
        raise NotFound("There is no maintenance at this address.")
    return window


def names(configuration: Configuration) -> dict[str, str]:
    """Return the components' names by id."""
    return {component.id: component.name for component in configuration.components}


def load_bars(services: Services, shown: PublicPage) -> dict[str, BarsView]:
    """Return each component's record over the last ninety days.

    What is still going on is claimed only for as long as somebody looked.
    """
    since = shown.now - timedelta(days=DAYS + 1)
    with services.store.read() as connection:
        record = component_intervals(connection, since)
        last = recorded_at(connection)
    known_until = shown.now if last is None else min(shown.now, last + GAP)
    zone = ZoneInfo(shown.site.time_zone)
    return {
        component.id: bars_view(
            day_bars(
                [piece.ended_by(known_until) for piece in record.get(component.id, ())],
                now=shown.now,
                zone=zone,
                days=DAYS,
            )
        )
        for component in shown.components
    }
