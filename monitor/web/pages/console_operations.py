"""The monitor itself in the console: notifications and the configuration."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from incidents.errors import InvalidInputError
from monitor.storage.audit import record
from monitor.storage.console import notification_counts, notification_rows, retry_notification
from monitor.storage.deliveries import note
from monitor.use_cases.reloading import record_reload
from monitor.web.params import Before, Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
PER_PAGE = 50
STATES = ("queued", "sending", "sent", "folded", "failed", "dropped")


@router.get("/console/notifications", dependencies=[READ])
def notifications(
    request: Request,
    services: Given,
    state: str = "",
    before: Before = None,
    queued: bool = False,
) -> HTMLResponse:
    """Show what was sent, what waits and what failed with its reason."""
    wanted = state if state in STATES else None
    with services.store.read() as connection:
        rows = notification_rows(connection, state=wanted, limit=PER_PAGE, before_id=before)
        counts = notification_counts(connection)
    return page(
        request,
        "console/notifications.html",
        title="Notifications",
        rows=rows,
        counts=counts,
        states=STATES,
        state=wanted or "",
        queued=queued,
        more=rows[-1].id if len(rows) == PER_PAGE else None,
    )


@router.post("/console/notifications/{row_id}/retry")
def retry(
    row_id: Number,
    services: Given,
    actor: Annotated[Actor, Depends(require(Permission.RETRY_NOTIFICATIONS))],
) -> RedirectResponse:
    """Queue a failed notification again, and say so where people look."""
    now = services.clock.now()
    with services.store.begin() as tx:
        row = retry_notification(tx, row_id, now)
        if row is None:
            raise InvalidInputError("only a failed notification can be sent again")
        note(
            tx,
            incident_id=row.incident_id,
            report_id=row.report_id,
            at=now,
            kind="notification_queued",
            text=f"{actor.name} has {row.channel} told again",
            data={"key": row.key, "by": actor.name},
        )
        detail = {"channel": row.channel, "event": row.event}
        record(
            tx,
            actor=actor.name,
            action="notification.retried",
            target=row.key,
            at=now,
            detail=detail,
        )
    return RedirectResponse("/console/notifications?queued=true", 303)


@router.get(
    "/console/configuration", dependencies=[Depends(require(Permission.VIEW_CONFIGURATION))]
)
def configuration(request: Request, services: Given, asked: bool = False) -> HTMLResponse:
    """Show what is loaded, and how the last attempt to load ended."""
    holder = services.configuration
    return page(
        request,
        "console/configuration.html",
        title="Configuration",
        configuration=holder.current,
        last=holder.last_reload,
        last_success_at=holder.last_success_at,
        asked=asked,
    )


@router.post("/console/configuration/reload")
def reload(
    services: Given, actor: Annotated[Actor, Depends(require(Permission.RELOAD))]
) -> RedirectResponse:
    """Read the folder again; a faulty one changes nothing."""
    ended = services.configuration.reload()
    record_reload(services.store, ended, actor.name)
    return RedirectResponse("/console/configuration?asked=true", 303)
