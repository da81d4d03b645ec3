"""Planning maintenance in the console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.errors import InvalidInputError
from incidents.notices.maintenance import BadWindowError, Effect, Maintenance, instant
from incidents.notices.published import window_updates
from monitor.config.model import Configuration
from monitor.storage.maintenance import load_window, newest_windows
from monitor.use_cases.maintenance import (
    Plan,
    cancel_maintenance,
    parse_scope,
    plan_maintenance,
)
from monitor.web.pages.status import names
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services, services_of

router = APIRouter(include_in_schema=False)
Planner = Annotated[Actor, Depends(require(Permission.PLAN_MAINTENANCE))]
SHOWN = 100
LOCAL = "%Y-%m-%dT%H:%M"  # what a browser's field for a date and a time holds
USUAL_LENGTH = timedelta(hours=1)


@router.get("/console/maintenance", dependencies=[Depends(require(Permission.VIEW))])
def maintenance_list(request: Request, services: Given) -> Response:
    """Show the windows that are planned, under way, and over."""
    now = services.clock.now()
    with services.store.read() as connection:
        windows = newest_windows(connection, SHOWN)
    return page(
        request,
        "console/maintenance.html",
        title="Maintenance",
        windows=[(window, window.state(now).value) for window in windows],
        component_names=names(services.configuration.current),
    )


@router.get("/console/maintenance/new")
def plan_form(request: Request, actor: Planner, services: Given) -> Response:
    """Show the form, set to the coming hour in the site's zone."""
    configuration = services.configuration.current
    zone = configuration.site.time_zone
    local = services.clock.now().astimezone(ZoneInfo(zone))
    values = {
        "zone": zone,
        "starts": f"{local:{LOCAL}}",
        "ends": f"{local + USUAL_LENGTH:{LOCAL}}",
    }
    return _form(request, actor, values)


@router.post("/console/maintenance")
def plan(request: Request, actor: Planner, form: Submitted, services: Given) -> Response:
    """Announce what the form describes, or say what is wrong with it."""
    try:
        window = plan_maintenance(
            services.store,
            services.configuration.current,
            _plan(form, services.configuration.current),
            by=actor.name,
            now=services.clock.now(),
        )
    except InvalidInputError as refused:
        return _form(request, actor, form, fault=str(refused), status=422)
    return RedirectResponse(f"/console/maintenance/{window.number}", 303)


@router.get("/console/maintenance/{number}", dependencies=[Depends(require(Permission.VIEW))])
def maintenance_detail(request: Request, number: Number, services: Given) -> Response:
    """Show one window with what it mutes and how it went."""
    window = _load(services, number)
    now = services.clock.now()
    return page(
        request,
        "console/maintenance_window.html",
        title=window.name,
        window=window,
        state=window.state(now).value,
        updates=window_updates(window, now),
        component_names=names(services.configuration.current),
    )


@router.post("/console/maintenance/{number}/cancel")
def cancel(number: Number, actor: Planner, services: Given) -> Response:
    """Cancel a window that has not ended."""
    cancel_maintenance(
        services.store,
        services.configuration.current,
        number,
        by=actor.name,
        now=services.clock.now(),
    )
    return RedirectResponse(f"/console/maintenance/{number}", 303)


def _load(services: Services, number: int) -> Maintenance:
    with services.store.read() as connection:
        return load_window(connection, number)


def _plan(form: Mapping[str, str], configuration: Configuration) -> Plan:
    """Return what the form describes.

    Raises:
        InvalidInputError: a time is not one, or does not exist in the chosen zone.
    """
    zone = form.get("zone", "")
    if zone not in (configuration.site.time_zone, "UTC"):
        raise InvalidInputError("choose one of the offered time zones")
    chosen = [
        (component.id, effect)
        for component in configuration.components
        if (effect := form.get(f"effect.{component.id}", ""))
    ]
    return Plan(
        title=form.get("title", ""),
        description=form.get("description", ""),
        starts_at=_instant(form.get("starts", ""), zone),
        ends_at=_instant(form.get("ends", ""), zone, ends=True),
        scope=parse_scope(chosen),
        time_zone=zone,
    )


def _instant(text: str, zone: str, *, ends: bool = False) -> datetime:
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(
            f"{text!r} is no date and time (such as 2026-11-22T09:00)"
        ) from error
    if local.tzinfo is not None:
        raise InvalidInputError("give the time without an offset; the zone is chosen beside it")
    try:
        return instant(local, zone, ends=ends)
    except BadWindowError as error:
        raise InvalidInputError(str(error)) from error


def _form(
    request: Request,
    actor: Actor,
    values: Mapping[str, str],
    *,
    fault: str = "",
    status: int = 200,
) -> Response:
    configuration = services_of(request).configuration.current
    zones = dict.fromkeys((configuration.site.time_zone, "UTC"))
    return page(
        request,
        "console/maintenance_new.html",
        status,
        title="Plan maintenance",
        actor=actor,
        values=values,
        fault=fault,
        zones=[(zone, zone) for zone in zones],
        components=configuration.components,
        effects=[("", "not affected"), *((effect.value, effect.word) for effect in Effect)],
    )
