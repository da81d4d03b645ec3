"""Statuspage v2 under `/api/v2/`, for the programs of others; and our own `/api/v1/status`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from incidents.notices import statuspage
from incidents.notices.published import PublicPage
from monitor.storage.maintenance import newest_windows
from monitor.storage.status import newest_public_incidents
from monitor.web.public import JSON, load_page, publish
from monitor.web.services import Given, Services

router = APIRouter()
Maker = Callable[[Services, PublicPage], dict[str, Any]]


def _incidents(services: Services, page: PublicPage) -> dict[str, Any]:
    with services.store.read() as connection:
        found = newest_public_incidents(connection, statuspage.NEWEST)
    return statuspage.incidents_document(page, found)


def _windows(services: Services, page: PublicPage) -> dict[str, Any]:
    with services.store.read() as connection:
        found = newest_windows(connection, statuspage.NEWEST)
    return statuspage.maintenances_document(page, found)


DOCUMENTS: dict[str, Maker] = {
    "summary": lambda _, page: statuspage.summary(page),
    "status": lambda _, page: statuspage.status_document(page),
    "components": lambda _, page: statuspage.components_document(page),
    "incidents": _incidents,
    "incidents/unresolved": lambda _, page: statuspage.incidents_document(
        page, page.open_incidents
    ),
    "scheduled-maintenances": _windows,
    "scheduled-maintenances/upcoming": lambda _, page: statuspage.maintenances_document(
        page, page.upcoming_windows
    ),
    "scheduled-maintenances/active": lambda _, page: statuspage.maintenances_document(
        page, page.running_windows
    ),
}


def _add(name: str, maker: Maker) -> None:
    def document(request: Request, services: Given) -> Response:
        def make() -> bytes:
            return dump(maker(services, load_page(services)))

        return publish(request, make, media_type=JSON)

    slug = name.replace("/", "_").replace("-", "_")
    router.add_api_route(
        f"/api/v2/{name}.json",
        document,
        methods=["GET"],
        name=slug,
        operation_id=f"statuspage_{slug}",
        summary=f"Statuspage v2: {name}",
        description="As Statuspage v2 has it, so that its readers can read this page.",
        tags=["status"],
        response_class=Response,
        responses={200: {"content": {"application/json": {}}}},
    )
    router.add_api_route(
        f"/api/v2/{name}.json", document, methods=["HEAD"], include_in_schema=False
    )


for _name, _maker in DOCUMENTS.items():
    _add(_name, _maker)


@router.get("/api/v1/status", tags=["status"], response_class=Response)
def status(request: Request, services: Given) -> Response:
    """Give the state of the page and of every component in our own words, unknown included."""

    def make() -> bytes:
        page = load_page(services)
        return dump(
            {
                "headline": page.rollup.headline,
                "status": page.rollup.worst.value,
                "indicator": page.rollup.indicator,
                "checked_at": statuspage.instant(page.last_checked_at),
                "components": [
                    {
                        "id": c.id,
                        "name": c.name,
                        "group": c.group,
                        "status": c.status.value,
                        "checked_at": statuspage.instant(c.last_checked_at),
                    }
                    for c in page.components
                ],
                "incidents": [statuspage.incident(page, i) for i in page.open_incidents],
                "maintenance": [
                    statuspage.maintenance(page, w)
                    for w in (*page.running_windows, *page.upcoming_windows)
                ],
            }
        )

    return publish(request, make, media_type=JSON)


def dump(document: dict[str, Any]) -> bytes:
    """Return a document as JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )
