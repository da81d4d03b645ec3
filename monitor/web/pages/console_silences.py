"""Silences in the console: listed by state, shown before they bite, made, changed and ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from incidents.alerts.matchers import parse_matchers
from incidents.alerts.recurrence import Recurrence
from incidents.alerts.silences import Silence
from incidents.errors import InvalidInputError
from incidents.notices.maintenance import BadWindowError, instant
from incidents.texts import checked
from monitor.storage.silences import listed_silences, load_silence
from monitor.use_cases.silences import (
    Preview,
    Wanted,
    checked_silence,
    expire_silence,
    set_silence,
)
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services
from monitor.web.silencing import LISTED, LONGEST_COMMENT, SHOWN_PERIODS, preview_of

router = APIRouter(include_in_schema=False)
Silencer = Annotated[Actor, Depends(require(Permission.SILENCE))]
READ = Depends(require(Permission.VIEW))
LOCAL = "%Y-%m-%dT%H:%M"  # what a browser's field for a date and a time holds
USUAL_LENGTH = timedelta(hours=2)
EXTENSIONS = {"1": "1 h", "4": "4 h", "24": "1 day"}
Text = Annotated[str, Query(max_length=4_000)]


@router.get("/console/silences", dependencies=[READ])
def silences(request: Request, services: Given) -> Response:
    """List silences: active ones by their end, then those to come, then those that are over."""
    now = services.clock.now()
    with services.store.read() as connection:
        found = listed_silences(connection, now, since=LISTED)
    return page(
        request,
        "console/silences.html",
        title="Silences",
        silences=[(silence, silence.state(now).value, silence.period(now)) for silence in found],
    )


@router.get("/console/silences/new")
def new_silence(
    request: Request,
    actor: Silencer,
    services: Given,
    matchers: Text = "",
    comment: Text = "",
    of: Text = "",
) -> Response:
    """Show the form: for these matchers and this reason, or filled in from an earlier silence."""
    now = services.clock.now()
    zone = services.configuration.current.site.time_zone
    values = {
        "matchers": matchers,
        "comment": comment,
        "zone": zone,
        **_times(now, now + USUAL_LENGTH, zone),
    }
    if of:
        with services.store.read() as connection:
            values |= _values(load_silence(connection, of), now, zone)
    return _form(request, actor, services, values)


@router.post("/console/silences")
def make(request: Request, actor: Silencer, form: Submitted, services: Given) -> Response:
    """Show what the silence would mute, or make it; a fault is said beside the form."""
    now = services.clock.now()
    try:
        wanted = _wanted(form, actor)
        checked_silence(wanted, now)
        if form.get("do") == "create":
            made = set_silence(services.store, wanted, now, actor.name)
            return RedirectResponse(f"/console/silences/{made.id}", 303)
        shown = preview_of(services, wanted.matchers)
    except InvalidInputError as refused:
        return _form(request, actor, services, form, fault=str(refused), status=422)
    return _form(request, actor, services, form, shown=shown)


@router.get("/console/silences/{silence_id}", dependencies=[READ])
def silence(request: Request, silence_id: str, services: Given) -> Response:
    """Show one silence with what it mutes now."""
    now = services.clock.now()
    with services.store.read() as connection:
        found = load_silence(connection, silence_id)
    return page(
        request,
        "console/silence.html",
        title="Silence",
        silence=found,
        state=found.state(now).value,
        period=found.period(now),
        coming=[period for period in found.periods if period[1] > now][:SHOWN_PERIODS],
        soon=found.ends_soon(now),
        muted=preview_of(services, found.matchers),
        extensions=EXTENSIONS,
        matchers="\n".join(map(str, found.matchers)),
    )


@router.post("/console/silences/{silence_id}/extend")
def extend(silence_id: str, actor: Silencer, form: Submitted, services: Given) -> Response:
    """Let a silence that does not recur last longer."""
    hours = form.get("hours", "")
    if hours not in EXTENSIONS:
        raise InvalidInputError(f"choose one of {', '.join(EXTENSIONS.values())}")
    with services.store.read() as connection:
        old = load_silence(connection, silence_id)
    if old.recurrence is not None:
        raise InvalidInputError("a silence that recurs is not extended; edit it instead")
    wanted = Wanted(
        matchers=old.matchers,
        starts_at=old.starts_at,
        ends_at=old.ends_at + timedelta(hours=int(hours)),
        created_by=old.created_by,
        comment=old.comment,
        id=old.id,
    )
    made = set_silence(services.store, wanted, services.clock.now(), actor.name)
    return RedirectResponse(f"/console/silences/{made.id}", 303)


@router.post("/console/silences/{silence_id}/expire")
def expire(silence_id: str, actor: Silencer, services: Given) -> Response:
    """End a silence now."""
    expire_silence(services.store, silence_id, services.clock.now(), actor.name)
    return RedirectResponse(f"/console/silences/{silence_id}", 303)


def _wanted(form: Mapping[str, str], actor: Actor) -> Wanted:
    """Return what the form describes.

    Raises:
        InvalidInputError: a matcher or a time is none, or the comment is missing.
    """
    matchers = parse_matchers(form.get("matchers", ""))
    if not matchers:
        raise InvalidInputError('write at least one matcher, such as component="checkout"')
    zone = form.get("zone", "")
    rule = form.get("rule", "").strip()
    starts_at = _instant(form.get("starts", ""), zone)
    ends_at = _instant(form.get("ends", ""), zone, ends=True)
    return Wanted(
        matchers=matchers,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=actor.name,
        comment=checked(form.get("comment", ""), "the reason", LONGEST_COMMENT),
        recurrence=Recurrence(rule, zone) if rule else None,
        id=form.get("id", ""),
    )


def _instant(text: str, zone: str, *, ends: bool = False) -> datetime:
    try:
        return instant(datetime.fromisoformat(text).replace(tzinfo=None), zone, ends=ends)
    except BadWindowError as error:
        raise InvalidInputError(str(error)) from error
    except (ValueError, KeyError, OSError) as error:
        raise InvalidInputError(
            f"{text[:40]!r} in {zone[:40]!r} is no date, time and zone (such as 2026-11-22T09:00)"
        ) from error


def _times(start: datetime, end: datetime, zone: str) -> dict[str, str]:
    there = ZoneInfo(zone)
    return {
        "starts": f"{start.astimezone(there):{LOCAL}}",
        "ends": f"{end.astimezone(there):{LOCAL}}",
    }


def _values(silence: Silence, now: datetime, zone: str) -> dict[str, str]:
    """Return the form's values for a silence; one that is over is offered anew from now on."""
    recurrence = silence.recurrence
    zone = recurrence.time_zone if recurrence else zone
    start, end = silence.period(now)
    if silence.state(now) == "expired":
        start, end, kept = now, now + (end - start or USUAL_LENGTH), ""
    else:
        kept = silence.id
    return {
        "id": kept,
        "matchers": "\n".join(map(str, silence.matchers)),
        "comment": silence.comment,
        "rule": recurrence.rule if recurrence else "",
        "zone": zone,
        **_times(start, end, zone),
    }


def _form(
    request: Request,
    actor: Actor,
    services: Services,
    values: Mapping[str, str],
    *,
    fault: str = "",
    status: int = 200,
    shown: Preview | None = None,
) -> Response:
    zones = dict.fromkeys(
        (values.get("zone") or "UTC", services.configuration.current.site.time_zone, "UTC")
    )
    return page(
        request,
        "console/silence_new.html",
        status,
        title="Silence alerts",
        actor=actor,
        values=values,
        fault=fault,
        shown=shown,
        zones=[(zone, zone) for zone in zones],
    )
