"""What happened, month by month."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from monitor.storage.maintenance import windows_between
from monitor.storage.status import oldest_incident_at, public_incidents_between
from monitor.web.errors import NotFound
from monitor.web.pages.status import READ, names
from monitor.web.public import HTML, PAGE_CACHE, publish
from monitor.web.rendering import render
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Month:
    """A calendar month."""

    first: date

    @property
    def name(self) -> str:
        """Return the month as it stands in an address."""
        return f"{self.first:%Y-%m}"

    @property
    def before(self) -> Month:
        """Return the month before."""
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def after(self) -> Month:
        """Return the month after."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    def begins(self, zone: ZoneInfo) -> datetime:
        """Return the instant at which it begins in `zone`."""
        return datetime(self.first.year, self.first.month, 1, tzinfo=zone).astimezone(UTC)


@router.api_route("/history", methods=READ)
def history_page(request: Request, services: Given, month: str = "") -> Response:
    """Show one month's incidents and maintenance, this month's where none is named."""
    zone = ZoneInfo(services.configuration.current.site.time_zone)
    this = Month(services.clock.now().astimezone(zone).date().replace(day=1))
    shown = _month(month) if month else this
    if shown.first > this.first:
        raise NotFound("That month has not begun yet.")

    def make() -> bytes:
        start, end = shown.begins(zone), shown.after.begins(zone)
        with services.store.read() as connection:
            incidents = public_incidents_between(connection, start, end)
            windows = windows_between(connection, start, end)
            oldest = oldest_incident_at(connection)
        return render(
            request,
            "public/history.html",
            month=shown,
            before=shown.before if oldest and oldest < start else None,
            after=shown.after if shown.first < this.first else None,
            incidents=incidents,
            windows=windows,
            component_names=names(services.configuration.current),
        ).encode()

    return publish(request, make, media_type=HTML, cache_control=PAGE_CACHE, open_to_all=False)


def _month(text: str) -> Month:
    found = _MONTH.fullmatch(text)
    if found is None:
        raise NotFound("A month is written like 2026-11.")
    return Month(date(int(found[1]), int(found[2]), 1))
