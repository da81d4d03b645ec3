"""One's own shifts: a page, and a feed for one's calendar behind a link nobody can guess."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.oncall.calendar import Feed, feed_period, render_calendar, shifts_of
from monitor.storage import oncall as rows
from monitor.storage.audit import record
from monitor.storage.store import Transaction
from monitor.web.errors import NotFound
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
Owner = Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))]
SHOWN = timedelta(days=92)
READ_NOTED_EVERY = timedelta(hours=1)  # a calendar that asks each minute is no write each minute
FRESH_SECONDS = 300


@router.get("/console/on-call/mine")
def mine(request: Request, actor: Owner, services: Given, done: str = "") -> Response:
    """Show one's shifts of the next three months, and whether there is a calendar link."""
    return _page(request, actor, services, done={"void": "The old link is void."}.get(done, ""))


@router.post("/console/on-call/mine/link")
def new_link(request: Request, actor: Owner, services: Given) -> Response:
    """Make a calendar link and show it this once; an older one is void from now on."""
    assert actor.user_id is not None  # only accounts change what is their own
    with services.store.begin() as tx:
        secret = rows.make_link(tx, actor.user_id, services.clock.now())
        _record(tx, actor, "made", services)
    return _page(request, actor, services, secret=secret)


@router.post("/console/on-call/mine/link/revoke")
def revoke(actor: Owner, services: Given) -> Response:
    """Make the calendar link void."""
    assert actor.user_id is not None
    with services.store.begin() as tx:
        rows.revoke_link(tx, actor.user_id)
        _record(tx, actor, "revoked", services)
    return RedirectResponse("/console/on-call/mine?done=void", 303)


@router.get("/on-call/{secret}.ics")
def feed(secret: str, request: Request, services: Given) -> Response:
    """Give the shifts of the link's owner as an iCalendar feed."""
    now, configuration = services.clock.now(), services.configuration.current
    since, until = feed_period(now)
    with services.store.read() as connection:
        owner = rows.owner_of_link(connection, secret)
        if owner is None:
            raise NotFound("This calendar link is not valid, or no longer. Make a new one.")
        overrides = rows.overrides_between(connection, since, until)
    user_id, name, read_at = owner
    if read_at is None or now - read_at >= READ_NOTED_EVERY:
        with services.store.begin() as tx:
            rows.note_read(tx, user_id, now)
    url = services.settings.public_url
    about = Feed(name, configuration.site.name, f"{url}/console/on-call" if url else "")
    body = render_calendar(about, configuration.oncall.schedules, overrides, now)
    mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": mark, "cache-control": f"private, max-age={FRESH_SECONDS}"}
    if request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers=headers)
    headers["content-disposition"] = 'inline; filename="on-call.ics"'
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


def _record(tx: Transaction, actor: Actor, verb: str, services: Services) -> None:
    action, target = f"calendar_link.{verb}", f"user:{actor.name}"
    record(tx, actor=actor.name, action=action, target=target, at=services.clock.now())


def _page(
    request: Request, actor: Actor, services: Services, *, secret: str = "", done: str = ""
) -> Response:
    now, configuration = services.clock.now(), services.configuration.current
    assert actor.user_id is not None
    with services.store.read() as connection:
        overrides = rows.overrides_between(connection, now, now + SHOWN)
        link = rows.link_of(connection, actor.user_id)
    schedules = configuration.oncall.schedules
    shifts = shifts_of(actor.name, schedules.values(), overrides, now, now + SHOWN)
    address = f"{services.settings.public_url}/on-call/{secret}.ics" if secret else ""
    return page(
        request,
        "console/on_call_mine.html",
        title="My shifts",
        shifts=shifts,
        schedules=schedules,
        link=link,
        address=address,
        is_person=actor.name in configuration.oncall.names,
        done=done,
    )
