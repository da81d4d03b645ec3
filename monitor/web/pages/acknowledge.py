"""The page behind a link in a page: one button that takes the incident, without signing in.

Looking changes nothing: mail scanners and previews open every link they see. Only the button's
POST acknowledges. The address is a secret of its reader, so it is kept from caches, search engines
and from wherever the page leads.
"""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from incidents.lifecycle import AlreadyResolved
from monitor.use_cases.acknowledge_links import Asked, LinkState, look_at, take
from monitor.use_cases.incidents import IncidentDesk
from monitor.web.rate_limit import limited
from monitor.web.rendering import page
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
LOOKS, TAKES, WINDOW = 240, 60, timedelta(minutes=10)  # by network: an office shares one
PRIVATE = {
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
STATUS = {LinkState.UNKNOWN: 404, LinkState.EXPIRED: 410, LinkState.EARLIER: 410}


@router.api_route("/a/{token}", methods=["GET", "HEAD"])
def look(request: Request, token: str, services: Given, done: bool = False) -> Response:
    """Show what the link is about and what it can still do."""
    now = services.clock.now()
    limited(request, "acknowledge-look", LOOKS, WINDOW, now)
    with services.store.read() as connection:
        asked = look_at(connection, token, services.configuration.current, now)
    return _show(request, asked, token, done=done)


@router.post("/a/{token}")
def acknowledge(request: Request, token: str, services: Given) -> Response:
    """Take the incident in the name of whoever got the link."""
    now = services.clock.now()
    limited(request, "acknowledge-take", TAKES, WINDOW, now)
    desk = IncidentDesk(services.store, services.configuration.current, services.policy)
    try:
        asked = take(services.store, desk, token, services.configuration.current, now)
    except AlreadyResolved:  # between our look and the button
        asked = Asked(LinkState.OVER)
    if asked.state in STATUS:
        return _show(request, asked, token)
    said = "?done=true" if asked.state is LinkState.FREE else ""
    return RedirectResponse(f"/a/{token}{said}", 303, headers=PRIVATE)


def _show(request: Request, asked: Asked, token: str, *, done: bool = False) -> Response:
    shown = page(
        request,
        "acknowledge.html",
        STATUS.get(asked.state, 200),
        asked=asked,
        state=asked.state.value,
        incident=asked.incident,
        token=token,
        done=done and asked.state is LinkState.TAKEN,
    )
    shown.headers.update(PRIVATE)
    return shown
