"""The audit log in the console: searched, and taken along as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from monitor.storage.audit import AuditFilter, record, search_audit
from monitor.storage.audit_chain import read_anchor
from monitor.web.audit_files import FORMATS, every_row
from monitor.web.params import Before
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, Services, services_of

router = APIRouter(include_in_schema=False)
Reader = Annotated[Actor, Depends(require(Permission.VIEW_AUDIT))]
PER_PAGE = 100
LONGEST = 200  # characters of a word that is searched for
Word = Annotated[str, Query(max_length=LONGEST)]


@dataclass(frozen=True)
class Search:
    """What a person looks for; days are those of the site's zone, both included."""

    fields: Mapping[str, str]
    wanted: AuditFilter
    faults: Mapping[str, str]

    @property
    def query(self) -> str:
        """Return the search as it stands in an address."""
        return urlencode({name: text for name, text in self.fields.items() if text})


def search(
    request: Request,
    actor: Word = "",
    action: Word = "",
    target: Word = "",
    first: Word = "",
    last: Word = "",
) -> Search:
    """Return what the form asks for, and what of it was not understood."""
    zone = ZoneInfo(services_of(request).configuration.current.site.time_zone)
    faults: dict[str, str] = {}
    since = _midnight("first", first, zone, faults)
    until = _midnight("last", last, zone, faults, days=1)
    fields = {"actor": actor, "action": action, "target": target, "first": first, "last": last}
    words = (actor.strip(), action.strip(), target.strip())
    return Search(fields, AuditFilter(*words, since, until), faults)


Asked = Annotated[Search, Depends(search)]


@router.get("/console/audit", dependencies=[Depends(require(Permission.VIEW_AUDIT))])
def audit_log(
    request: Request, services: Given, asked: Asked, before: Before = None
) -> HTMLResponse:
    """Show the newest changes that match."""
    wanted = replace(asked.wanted, before_id=before, limit=PER_PAGE)
    with services.store.read() as connection:
        rows = [] if asked.faults else search_audit(connection, wanted)
        head = read_anchor(connection, "head")
    return page(
        request,
        "console/audit.html",
        422 if asked.faults else 200,
        title="Audit log",
        rows=rows,
        asked=asked,
        head=head,
        more=rows[-1].id if len(rows) == PER_PAGE else None,
    )


@router.get("/console/audit/export.{kind}")
def export(
    kind: Literal["csv", "jsonl"], services: Given, actor: Reader, asked: Asked
) -> StreamingResponse:
    """Give all changes that match as a file; that it was taken is a change itself."""
    media_type, write = FORMATS[kind]
    now = services.clock.now()
    _record_export(services, actor, asked, kind, now)
    return StreamingResponse(
        write(every_row(services.store, asked.wanted)),
        media_type=media_type,
        headers={"content-disposition": f'attachment; filename="audit-{now:%Y%m%d-%H%M%S}.{kind}"'},
    )


def _record_export(
    services: Services, actor: Actor, asked: Search, kind: str, now: datetime
) -> None:
    detail = {"format": kind, "search": {k: v for k, v in asked.fields.items() if v}}
    with services.store.begin() as tx:
        record(tx, actor=actor.name, action="audit.exported", at=now, detail=detail)


def _midnight(
    name: str, text: str, zone: ZoneInfo, faults: dict[str, str], *, days: int = 0
) -> datetime | None:
    """Return when a day of the zone begins, so many days later; notes what is no day."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        faults[name] = f"{text[:20]!r} is no day, such as 2026-11-22"
        return None
