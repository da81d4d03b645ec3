"""API tokens as JSON, for people in a session: a token makes no other token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from incidents.errors import InvalidInputError
from monitor.accounts.scopes import Scope
from monitor.accounts.tokens import (
    LONGEST_DAYS,
    LONGEST_NAME,
    NewToken,
    add_alert_source,
    add_token,
    end_token,
)
from monitor.storage.tokens import TokenRow, list_tokens, token_by_id
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.scopes import scopes_for
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(tags=["tokens"])
Owner = Annotated[Actor, Depends(require(Permission.OWN_ACCOUNT))]
Manager = Annotated[Actor, Depends(require(Permission.MANAGE_TOKENS))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenRequest(_Body):
    """A token that acts for whoever asks for it."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    days: int = Field(90, ge=1, le=LONGEST_DAYS, description="How long it lives.")


class SourceRequest(_Body):
    """A token with which one named source sends alerts."""

    source: str = Field(max_length=60, pattern="^[a-z0-9][a-z0-9-]*$")
    name: str = Field("", max_length=LONGEST_NAME)
    days: int | None = Field(None, ge=1, le=3660, description="Null: until it is revoked.")


class TokenView(BaseModel):
    """A token without its secret; `owner` is null for an alert source's."""

    id: int
    name: str
    owner: str | None
    source: str
    hint: str
    scopes: list[str]
    state: str = Field(description="live, revoked, expired or shut (its account is)")
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class FreshToken(TokenView):
    """A token just made; `token` is its secret, told this once."""

    token: str


class TokenList(BaseModel):
    """Tokens, newest first."""

    tokens: list[TokenView]


@router.get("/api/v1/tokens")
def own_tokens(actor: Owner, services: Given) -> TokenList:
    """List one's own tokens."""
    return _list(services, actor.user_id)


@router.get("/api/v1/tokens/all", dependencies=[Depends(require(Permission.MANAGE_TOKENS))])
def all_tokens(services: Given) -> TokenList:
    """List everybody's tokens and those of alert sources."""
    return _list(services, None)


@router.post("/api/v1/tokens", status_code=201)
def make_token(body: TokenRequest, actor: Owner, services: Given, answer: Response) -> FreshToken:
    """Make a token for oneself."""
    assert actor.user_id is not None
    offered = scopes_for(actor.role)
    if useless := [scope for scope in body.scopes if scope not in offered]:
        raise InvalidInputError(
            f"your role has no use for {', '.join(useless)} (there are: {', '.join(offered)})"
        )
    made = add_token(
        services.store,
        user_id=actor.user_id,
        owner=actor.name,
        name=body.name,
        scopes=body.scopes,
        days=body.days,
        by=actor.name,
        now=services.clock.now(),
    )
    return _fresh(services, made, answer)


@router.post("/api/v1/tokens/sources", status_code=201)
def make_source(
    body: SourceRequest, actor: Manager, services: Given, answer: Response
) -> FreshToken:
    """Make a token for an alert source."""
    made = add_alert_source(
        services.store,
        source=body.source,
        name=body.name,
        days=body.days,
        by=actor.name,
        now=services.clock.now(),
    )
    return _fresh(services, made, answer)


@router.post("/api/v1/tokens/{token_id}/revoke")
def revoke(token_id: Number, actor: Owner, services: Given) -> TokenView:
    """End a token at once: one's own, or anybody's for whoever manages tokens."""
    only_of = None if actor.may(Permission.MANAGE_TOKENS) else actor.user_id
    now = services.clock.now()
    end_token(services.store, token_id, by=actor.name, now=now, only_of=only_of)
    return _one(services, token_id)


def _list(services: Services, user_id: int | None) -> TokenList:
    with services.store.read() as connection:
        found = list_tokens(connection, user_id)
    return TokenList(tokens=[_view(token, services.clock.now()) for token in found])


def _fresh(services: Services, made: NewToken, answer: Response) -> FreshToken:
    answer.headers["cache-control"] = "no-store"
    return FreshToken(**_one(services, made.id).model_dump(), token=made.secret)


def _one(services: Services, token_id: int) -> TokenView:
    with services.store.read() as connection:
        token = token_by_id(connection, token_id)
    assert token is not None
    return _view(token, services.clock.now())


def _view(token: TokenRow, now: datetime) -> TokenView:
    names = [name for name in TokenView.model_fields if name != "state"]
    shown = {name: getattr(token, name) for name in names}
    return TokenView(**{**shown, "scopes": list(token.scopes)}, state=token.state(now))
