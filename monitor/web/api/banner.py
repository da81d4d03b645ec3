"""What the shop's own pages show while something is wrong or planned."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from incidents.notices.published import PublicPage
from incidents.notices.statuspage import instant
from incidents.reports.conversation import clock_words
from monitor.config.model import Configuration
from monitor.web.api.statuspage import dump
from monitor.web.pages.status import names
from monitor.web.public import JSON, load_page, publish
from monitor.web.services import Given
from monitor.web.static_files import static_files

router = APIRouter(include_in_schema=False)
FRESH = "public, max-age=5"
SCRIPT_LIVES = "public, max-age=300"
IMPACT_TONES = {"critical": "critical", "major": "major", "minor": "minor", "none": "minor"}


@router.api_route("/api/v1/banner.json", methods=["GET", "HEAD"], include_in_schema=True)
def banner(request: Request, services: Given) -> Response:
    """Give the notices to show now: open incidents first, then running maintenance."""

    def make() -> bytes:
        page = load_page(services)
        return dump(banner_document(page, services.configuration.current))

    return publish(request, make, media_type=JSON, cache_control=FRESH)


@router.api_route("/banner.js", methods=["GET", "HEAD"])
def banner_script(request: Request) -> Response:
    """Give the script that a shop's page loads; it knows where it came from."""
    return publish(
        request,
        lambda: static_files()["banner.js"].body,
        media_type="text/javascript; charset=utf-8",
        cache_control=SCRIPT_LIVES,
    )


def banner_document(page: PublicPage, configuration: Configuration) -> dict[str, Any]:
    """Return the notices; `id` changes whenever there is something new to read."""
    zone, component_names = page.site.time_zone, names(configuration)
    notices = [
        {
            "id": f"{incident.public_id}-{int(incident.updated_at.timestamp())}",
            "kind": "incident",
            "tone": IMPACT_TONES.get(incident.impact, "minor"),
            "title": incident.title,
            "state": incident.word,
            "text": incident.updates[0].body,
            "since": instant(incident.started_at),
            "since_words": clock_words(incident.started_at, zone, now=page.now),
            "components": [component_names.get(c, c) for c, _ in incident.components],
            "url": f"{page.site.url}/incidents/{incident.public_id}",
        }
        for incident in page.open_incidents
    ]
    notices += [
        {
            "id": f"{window.public_id}-{window.state(page.now).value}",
            "kind": "maintenance",
            "tone": "planned",
            "title": window.title,
            "state": f"Maintenance {window.state(page.now).word.lower()}",
            "text": window.description,
            "since": instant(window.starts_at),
            "since_words": clock_words(window.starts_at, zone, now=page.now),
            "until": instant(window.ends_at),
            "until_words": clock_words(window.ends_at, zone, now=page.now),
            "components": [component_names.get(s.component, s.component) for s in window.scope],
            "url": f"{page.site.url}/maintenance/{window.public_id}",
        }
        for window in page.running_windows
    ]
    return {
        "page": {"name": page.site.name, "url": page.site.url},
        "status": page.rollup.worst.value,
        "headline": page.rollup.headline,
        "as_of": instant(page.now),
        "report_url": f"{page.site.url}/report",
        "notices": notices,
    }
