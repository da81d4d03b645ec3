"""A person's own API tokens: made, shown once, ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from incidents.errors import InvalidInputError
from monitor.accounts.tokens import NewToken, add_token, end_token
from monitor.storage.tokens import list_tokens
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.scopes import scopes_for
from monitor.web.security import require, submitted_lists
from monitor.web.services import Given, Services, services_of

router = APIRouter(include_in_schema=False)
Owner = Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))]
Lists = Annotated[Mapping[str, tuple[str, ...]], Depends(submitted_lists)]
LIVES = [("30", "30 days"), ("90", "90 days"), ("365", "a year")]


@router.get("/console/account/tokens")
def own_tokens(request: Request, actor: Owner, ended: bool = False) -> Response:
    """Show the tokens of the account and the form for a new one."""
    return _show(request, actor, ended=ended)


@router.post("/console/account/tokens")
def make_token(request: Request, actor: Owner, form: Lists, services: Given) -> Response:
    """Make a token and show it, this once."""
    assert actor.user_id is not None
    name, days = _last(form, "name"), _last(form, "days")
    try:
        made = add_token(
            services.store,
            user_id=actor.user_id,
            owner=actor.name,
            name=name,
            scopes=_offered(actor, form.get("scope", ())),
            days=int(days) if days in dict(LIVES) else 0,
            by=actor.name,
            now=services.clock.now(),
        )
    except InvalidInputError as refused:
        return _show(request, actor, form=form, fault=str(refused))
    return _show(request, actor, made=made)


@router.post("/console/account/tokens/{token_id}/revoke")
def revoke(token_id: Number, actor: Owner, services: Given) -> Response:
    """End one of one's own tokens at once."""
    assert actor.user_id is not None
    now = services.clock.now()
    end_token(services.store, token_id, by=actor.name, now=now, only_of=actor.user_id)
    return RedirectResponse("/console/account/tokens?ended=true", 303)


def _offered(actor: Actor, wanted: tuple[str, ...]) -> list[str]:
    offered = scopes_for(actor.role)
    for scope in wanted:
        if scope not in offered:
            raise InvalidInputError(
                f"your role has no use for the scope {scope[:40]!r} "
                f"(there are: {', '.join(offered)})"
            )
    return list(wanted)


def _last(form: Mapping[str, tuple[str, ...]], name: str) -> str:
    return form.get(name, ("",))[-1]


def _show(
    request: Request,
    actor: Actor,
    *,
    form: Mapping[str, tuple[str, ...]] | None = None,
    fault: str = "",
    made: NewToken | None = None,
    ended: bool = False,
) -> Response:
    services: Services = services_of(request)
    with services.store.read() as connection:
        tokens = list_tokens(connection, actor.user_id)
    form = form or {}
    return page(
        request,
        "console/account_tokens.html",
        422 if fault else 200,
        title="Your API tokens",
        tokens=tokens,
        scopes=scopes_for(actor.role),
        lives=LIVES,
        name=_last(form, "name"),
        chosen=form.get("scope", ()),
        days=_last(form, "days") or LIVES[1][0],
        fault=fault,
        made=made,
        ended=ended,
    )
