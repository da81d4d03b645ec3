"""Runbooks: what to do about an alert, rendered from Markdown for whoever is signed in."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from monitor.web.errors import NotFound
from monitor.web.markdown import render_markdown
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
ALERT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")


@router.get("/runbooks/{alert}")
def runbook(
    request: Request,
    alert: str,
    services: Given,
    actor: Annotated[Actor, Depends(require(Permission.VIEW))],  # noqa: ARG001 - guards the page
) -> HTMLResponse:
    """Show the runbook of an alert: the configuration folder's own, else the one we ship."""
    text = runbook_text(services, alert)
    if text is None:
        raise NotFound(f"There is no runbook for {alert[:100]!r}.")
    return page(
        request, "console/runbook.html", title=f"Runbook: {alert}", text=render_markdown(text)
    )


def runbook_text(services: Services, alert: str) -> str | None:
    """Return the runbook's Markdown, or None if there is none of that name."""
    if not ALERT_NAME.fullmatch(alert):
        return None
    own = services.configuration.current.folder / "alert_rules" / "runbooks"
    shipped = Path(str(files("alert_rules"))) / "runbooks"
    for folder in (own, shipped):
        path = folder / f"{alert}.md"
        if path.is_file():
            return path.read_text("utf-8")
    return None
