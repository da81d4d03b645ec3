"""The search page, and the page that lists keys: what the palette does, without a script."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.searching import LONGEST_QUERY, search
from monitor.web.security import require
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
Reader = Annotated[Actor, Depends(require(Permission.VIEW))]


@router.get("/console/search")
def search_page(
    request: Request,
    actor: Reader,
    services: Given,
    q: Annotated[str, Query(max_length=LONGEST_QUERY)] = "",
) -> Response:
    """Show what the words fit; an exact reference leads straight to what it names."""
    results = search(services, actor, q)
    if results.jump:
        return RedirectResponse(results.jump, 303)
    return page(request, "console/search.html", title="Search", results=results)


@router.get("/console/help")
def help_page(request: Request, actor: Reader) -> Response:  # noqa: ARG001 - guards the page
    """Show every key and what it does."""
    return page(request, "console/help.html", title="Keys and help")
