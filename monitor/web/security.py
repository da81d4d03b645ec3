"""The doors: who is asking, whether they may, and whether a form is really ours.

`require(Permission.X)` on a route is all it takes: it finds out who asks, sends strangers to
sign in, checks the table, and for every request that changes something checks the session's form
token too, so that no route can forget it. `signed_form("purpose")` does the same for forms that
strangers fill. What may be done by whom is `monitor.web.permissions.MAY`.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from monitor.accounts.people import add_user, ensure_first_administrator
from monitor.accounts.scopes import Scope
from monitor.accounts.token_secrets import is_token
from monitor.accounts.tokens import live_token
from monitor.notify.kinds import CANARY
from monitor.selfwatch.knocking import HEADER
from monitor.web.errors import (
    BadFormToken,
    MustChangePassword,
    MustEnrol,
    NotAllowed,
    NotNow,
    NotSignedIn,
)
from monitor.web.form_tokens import form_token_age, issue_form_token
from monitor.web.intake import is_canary
from monitor.web.permissions import MAY, Actor, Permission, Role
from monitor.web.scopes import permissions_of
from monitor.web.sent_forms import sent_fields
from monitor.web.services import services_of
from monitor.web.sessions import actor_of_session, cookie_name

__all__ = ["add_user", "ensure_first_administrator", "require", "signed_form", "submitted"]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "::1")
FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
# The headers by which senders of alerts are told apart; names arrive in lower case.
_TELLING = frozenset(name.encode() for name in ("authorization", HEADER, *FORWARDING))
MACHINE = Actor(name="api token", role=Role.MACHINE)
Guard = Callable[[Request], Awaitable[Actor]]


@cache
def require(permission: Permission) -> Guard:
    """Return the dependency that lets through only who may do this, with a form of ours."""

    async def guard(request: Request) -> Actor:
        actor = await run_in_threadpool(who_asks, request)
        if actor is None:
            raise NotSignedIn
        request.state.actor = actor
        request.state.mark = services_of(request).events.mark()  # what the page will have seen
        if request.method not in SAFE_METHODS:
            await _check_session_token(request, actor)
        if actor.must_change_password and permission is not Permission.OWN_ACCOUNT:
            raise MustChangePassword
        if actor.must_enrol and permission is not Permission.OWN_ACCOUNT:
            raise MustEnrol
        if not actor.may(permission):
            raise NotAllowed(_refused(actor, permission))
        return actor

    guard.permission = permission  # type: ignore[attr-defined] # read by the walk over all routes
    return guard


def _refused(actor: Actor, permission: Permission) -> str:
    if actor.limited_to is not None and permission not in actor.limited_to:
        return f"This token's scopes do not let it {permission}."
    roles = ", ".join(role for role in Role if role in MAY[permission])
    return f"As {actor.role} you may not {permission}. Who may: {roles}."


def who_asks(request: Request) -> Actor | None:
    """Return the machine whose token is shown, or the person whose session it is, or None."""
    services = services_of(request)
    if "authorization" in request.headers:
        if shows_token(request, services.settings.api_token):
            return MACHINE
        return actor_of_token(request)
    secret = request.cookies.get(cookie_name(services.settings.public_url))
    if not secret:
        return None
    by_hand = not goes_on_by_itself(request)
    sign_in = services.configuration.current.sign_in
    now = services.clock.now()
    return actor_of_session(services.store, secret, now, by_hand=by_hand, sign_in=sign_in)


def goes_on_by_itself(request: Request) -> bool:
    """Return whether a page asks without its reader: to refresh itself, or to follow the news."""
    return "x-refresh" in request.headers or request.headers.get("accept") == "text/event-stream"


def actor_of_token(request: Request) -> Actor | None:
    """Return the person for whom a live token asks, held to its scopes; None without one."""
    services = services_of(request)
    token = live_token(services.store, bearer(request), services.clock.now())
    if token is None or token.owner is None or token.owner_role is None:
        return None
    return Actor(
        name=f"{token.owner} (token {token.name})",
        role=Role(token.owner_role),
        user_id=token.user_id,
        must_change_password=bool(token.owner_one_time),
        token_id=token.id,
        scopes=token.scopes,
        limited_to=permissions_of(token.scopes),
    )


def bearer(request: Request) -> str:
    """Return what the request shows as its bearer token; empty where it shows none."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return shown.strip() if scheme.lower() == "bearer" else ""


def shows_token(request: Request, expected: str | None) -> bool:
    """Return whether the request carries the expected bearer token; never if there is none."""
    shown = bearer(request)
    if expected is None or not shown:
        return False
    return hmac.compare_digest(shown.encode(), expected.encode())


async def _check_session_token(request: Request, actor: Actor) -> None:
    if actor.shows_token:
        return  # a browser never sends this header by itself
    refuse_cross_site(request)
    shown = request.headers.get("x-csrf-token") or (await submitted(request)).get("csrf", "")
    if not hmac.compare_digest(shown.encode(), actor.csrf.encode()):
        raise BadFormToken


def refuse_cross_site(request: Request) -> None:
    """Refuse what a browser says was sent by a page of another site.

    Raises:
        BadFormToken: it was.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise BadFormToken


async def submitted(request: Request) -> Mapping[str, str]:
    """Return the text fields of a form that was sent; of equal names the last."""
    return dict(await sent_fields(request))


async def submitted_lists(request: Request) -> Mapping[str, tuple[str, ...]]:
    """Return the text fields of a form that was sent, each with all its values."""
    lists: dict[str, tuple[str, ...]] = {}
    for name, value in await sent_fields(request):
        lists[name] = (*lists.get(name, ()), value)
    return lists


Submitted = Annotated[Mapping[str, str], Depends(submitted)]


def form_token(request: Request, purpose: str) -> str:
    """Return the token for a public form's hidden field `form_token`."""
    now = services_of(request).clock.now()
    return issue_form_token(_key(request), purpose, now)


@cache
def signed_form(
    purpose: str, youngest: timedelta = timedelta(0)
) -> Callable[[Request], Awaitable[Mapping[str, str]]]:
    """Return the dependency that gives a public form's fields if its token is valid.

    A form that comes back sooner than `youngest` was not filled in by a person.
    """

    async def fields(request: Request) -> Mapping[str, str]:
        refuse_cross_site(request)
        values = await submitted(request)
        now = services_of(request).clock.now()
        age = form_token_age(_key(request), purpose, values.get("form_token", ""), now)
        if age is None or age < youngest:
            raise BadFormToken
        return values

    fields.purpose = purpose  # type: ignore[attr-defined] # read by the walk over all routes
    return fields


def _key(request: Request) -> bytes:
    return cast("bytes", request.app.state.signing_key)


async def scraper(request: Request) -> None:
    """Let through whoever may read metrics: everybody where no token is set."""
    expected = services_of(request).settings.metrics_token
    if expected is None or shows_token(request, expected):
        return
    actor = await run_in_threadpool(actor_of_token, request)
    if actor is None or not _reads_metrics(actor):
        raise NotSignedIn


async def metrics_reader(request: Request) -> None:
    """Let through whoever may ask about metrics: the scraper's token, this machine, or a viewer."""
    if shows_token(request, services_of(request).settings.metrics_token):
        return
    client = request.client.host if request.client else ""
    passed_on = any(name in request.headers for name in FORWARDING)
    if services_of(request).settings.metrics_token is None and client in LOOPBACK and not passed_on:
        return
    actor = await run_in_threadpool(who_asks, request)
    if actor is None:
        raise NotSignedIn
    if not _reads_metrics(actor):
        raise NotAllowed(_refused(actor, Permission.VIEW))


def _reads_metrics(actor: Actor) -> bool:
    """Return whether a person may look, or a token has the scope and its account may."""
    if actor.token_id is None:
        return actor.may(Permission.VIEW)
    return Scope.READ_METRICS in actor.scopes and actor.role in MAY[Permission.VIEW]


async def alert_sender(request: Request) -> None:
    """Let through whoever may send alerts: with a token, or from this machine if none is set.

    A source's own token says who sends: `request.state.alert_source`. What a proxy of this machine
    passes on came from elsewhere, whatever its last hop was.
    """
    if not await _is_sender(request):
        raise NotSignedIn


async def _is_sender(request: Request) -> bool:
    request.state.alert_source, request.state.canary = "", False
    expected = services_of(request).settings.alerts_token
    client = request.client.host if request.client else ""
    if _TELLING.isdisjoint([name for name, _ in request.scope["headers"]]):
        return expected is None and client in LOOPBACK  # it shows nothing, as most senders do
    if is_canary(request):
        request.state.alert_source, request.state.canary = CANARY, True
        return True
    if is_token(bearer(request)):  # refused if it is no longer good, even from this machine
        source = await _source_of(request, bearer(request))
        request.state.alert_source = source
        return source != ""
    passed_on = any(name in request.headers for name in FORWARDING)
    if expected is None and client in LOOPBACK and not passed_on:
        return True
    return shows_token(request, expected)


async def shows_routing_key(request: Request, shown: str) -> bool:
    """Return whether a key in an event, or the request around it, is that of an alert sender."""
    if is_token(shown):
        source = await _source_of(request, shown)
        request.state.alert_source = source
        return source != ""
    if await _is_sender(request):
        return True
    expected = services_of(request).settings.alerts_token
    return expected is not None and hmac.compare_digest(shown.encode(), expected.encode())


async def _source_of(request: Request, shown: str) -> str:
    """Return the alert source whose live token this is, or nothing.

    Raises:
        NotNow: the database cannot be asked; a sender drops what it is refused for good.
    """
    services = services_of(request)
    try:
        token = await run_in_threadpool(live_token, services.store, shown, services.clock.now())
    except (OperationalError, PoolTimeout) as error:
        raise NotNow from error
    return token.source if token else ""


async def alert_reader(request: Request) -> None:
    """Let through whoever may read alerts: their senders, and whoever may look at the console."""
    if await _is_sender(request):
        return
    await require(Permission.VIEW)(request)


async def silencer(request: Request) -> str:
    """Let through whoever may silence alerts, and return their name; empty on this machine.

    A sender's token does not suffice: who tells of trouble does not decide that nobody hears it.
    """
    refuse_cross_site(request)
    local = services_of(request).settings.alerts_token is None and await _is_sender(request)
    if local and not request.state.alert_source:
        return ""
    return (await require(Permission.SILENCE)(request)).name
