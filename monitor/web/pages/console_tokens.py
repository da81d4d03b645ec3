"""All API tokens and the alert sources, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.errors import InvalidInputError
from monitor.accounts.tokens import NewToken, add_alert_source, end_token
from monitor.storage.tokens import list_tokens
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import Submitted, require
from monitor.web.services import Given, services_of

router = APIRouter(include_in_schema=False)
Manager = Annotated[Actor, Depends(require(Permission.MANAGE_TOKENS))]
LIVES = [("", "until it is revoked"), ("90", "90 days"), ("365", "a year")]


@router.get("/console/tokens", dependencies=[Depends(require(Permission.MANAGE_TOKENS))])
def all_tokens(request: Request, ended: bool = False) -> Response:
    """Show every token, whose it is and when it was used, and the form for a new alert source."""
    return _show(request, ended=ended)


@router.post("/console/tokens/sources")
def make_source(request: Request, actor: Manager, form: Submitted, services: Given) -> Response:
    """Make a token for an alert source and show it, this once."""
    days = form.get("days", "")
    try:
        made = add_alert_source(
            services.store,
            source=form.get("source", "").strip(),
            name=form.get("name", "").strip(),
            days=int(days) if days in ("90", "365") else None,
            by=actor.name,
            now=services.clock.now(),
        )
    except InvalidInputError as refused:
        return _show(request, form=form, fault=str(refused))
    return _show(request, made=made)


@router.post("/console/tokens/{token_id}/revoke")
def revoke(token_id: Number, actor: Manager, services: Given) -> Response:
    """End anybody's token at once."""
    end_token(services.store, token_id, by=actor.name, now=services.clock.now())
    return RedirectResponse("/console/tokens?ended=true", 303)


def _show(
    request: Request,
    *,
    form: Mapping[str, str] | None = None,
    fault: str = "",
    made: NewToken | None = None,
    ended: bool = False,
) -> Response:
    services = services_of(request)
    with services.store.read() as connection:
        tokens = list_tokens(connection)
    return page(
        request,
        "console/tokens.html",
        422 if fault else 200,
        title="Tokens",
        sources=[token for token in tokens if token.source],
        tokens=[token for token in tokens if not token.source],
        lives=LIVES,
        form=form or {},
        fault=fault,
        made=made,
        ended=ended,
    )
