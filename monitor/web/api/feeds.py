"""The history as an Atom feed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from incidents.notices import atom
from monitor.storage.maintenance import newest_windows
from monitor.storage.status import newest_public_incidents
from monitor.web.public import ATOM, load_page, publish
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
ENTRIES = 50


@router.api_route("/history.atom", methods=["GET", "HEAD"])
def atom_feed(request: Request, services: Given) -> Response:
    """Give the newest incidents and windows, each one entry for ever."""

    def make() -> bytes:
        with services.store.read() as connection:
            incidents = newest_public_incidents(connection, ENTRIES)
            windows = newest_windows(connection, ENTRIES)
        return atom.feed(load_page(services), incidents, windows)

    return publish(request, make, media_type=ATOM)
