"""Signing in through an OpenID Connect provider: the way there, and the way back."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from monitor.accounts.openid import OpenIdError, Trip
from monitor.accounts.openid_people import person_of
from monitor.config.sign_in import OpenId
from monitor.log import logger
from monitor.storage.proofs import Proof, keep_proof, take_proof
from monitor.web.cookies import drop_cookie, put_cookie, read_cookie
from monitor.web.entering import client_address, enter
from monitor.web.errors import NotFound
from monitor.web.pages.sign_in import sign_in_form
from monitor.web.rate_limit import limited
from monitor.web.redirects import safe_next
from monitor.web.services import Given, Services
from probes.secrets import MissingSecret, UnfitSecret

if TYPE_CHECKING:
    from monitor.accounts.openid_provider import Provider

router = APIRouter(include_in_schema=False)
log = logger("sign-in")
PATH = "/console/sign-in/openid"
CALLBACK = f"{PATH}/callback"
COOKIE, PURPOSE = "monitor_openid", "openid"
LASTS = timedelta(minutes=10)  # at the provider
BEGUN_AN_HOUR = 60  # by one client: each is a row, and the provider is asked on its return
SECRET = re.compile(r"\$\{secret:([A-Za-z0-9_.-]+)\}")
STALE = "This sign-in took too long, or was not begun in this browser. Try again."
REFUSED = "Your provider did not sign you in. Try again, or use your password."


@router.get(PATH)
def begin(request: Request, services: Given, next: str = "/console") -> Response:  # noqa: A002 - a URL's word
    """Send the browser to the provider, with a secret of ours to come back with."""
    now, public_url = services.clock.now(), services.settings.public_url
    limited(request, PURPOSE, BEGUN_AN_HOUR, timedelta(hours=1), now)
    provider, trip, secret = _provider(request, services), Trip(), secrets.token_urlsafe(32)
    try:
        there = provider.way_there(trip, f"{public_url}{CALLBACK}", now)
    except OpenIdError as error:
        return _failed(request, error, next)
    data = {**asdict(trip), "next": safe_next(next), "issuer": provider.settings.issuer}
    with services.store.begin() as tx:
        keep_proof(tx, secret, PURPOSE, now=now, expires_at=now + LASTS, data=data)
    answer = RedirectResponse(there, 303)
    put_cookie(answer, COOKIE, secret, public_url, LASTS)
    return answer


@router.get(CALLBACK)
def come_back(
    request: Request,
    services: Given,
    code: str = "",
    state: str = "",
    error: str = "",
    iss: str = "",
) -> Response:
    """Check who came back, and let them in, or say why not."""
    now, public_url = services.clock.now(), services.settings.public_url
    provider = _provider(request, services)
    with services.store.begin() as tx:
        begun = take_proof(tx, read_cookie(request, COOKIE, public_url), PURPOSE, now)
    try:
        trip = _checked_trip(provider, begun, state, error)
        claims = provider.claims(code, trip, f"{public_url}{CALLBACK}", iss, now)
        user = person_of(services.store, provider.settings, claims, now)
    except OpenIdError as fault:
        return _failed(request, fault, begun.data["next"] if begun else "")
    assert begun is not None
    answer = enter(request, user, begun.data["next"], method="openid")
    drop_cookie(answer, COOKIE, public_url)
    return answer


def _checked_trip(provider: Provider, begun: Proof | None, state: str, error: str) -> Trip:
    if begun is None or begun.data["issuer"] != provider.settings.issuer:
        raise OpenIdError(STALE, "no such sign-in was begun")
    if not hmac.compare_digest(begun.data["state"].encode(), state.encode()):
        raise OpenIdError(STALE, "state differs")
    if error:
        raise OpenIdError(REFUSED, f"the provider said {error[:100]!r}")
    return Trip(**{name: begun.data[name] for name in Trip.__dataclass_fields__})


def _failed(request: Request, error: OpenIdError, next_: str) -> Response:
    log.warning(
        "sign-in through the provider failed", reason=error.detail, client=client_address(request)
    )
    answer = sign_in_form(request, next_, fault=str(error), status=403)
    drop_cookie(answer, COOKIE, request.app.state.services.settings.public_url)
    return answer


def _provider(request: Request, services: Services) -> Provider:
    """Return the configured provider; what it remembers goes with its configuration."""
    settings = services.configuration.current.sign_in.openid
    if settings is None:
        raise NotFound("No sign-in provider is configured.")
    from monitor.accounts.openid_provider import Provider

    kept: Provider | None = getattr(request.app.state, "openid_provider", None)
    if kept is None or kept.settings != settings:
        kept = Provider(settings, lambda: _client_secret(services, settings))
        request.app.state.openid_provider = kept
    return kept


def _client_secret(services: Services, settings: OpenId) -> str:
    def value(match: re.Match[str]) -> str:
        return services.secrets.get(match[1])

    try:
        return SECRET.sub(value, settings.client_secret)
    except (MissingSecret, UnfitSecret) as error:
        message = "Sign-in through the provider is not set up completely. Use your password."
        raise OpenIdError(message, str(error)) from error
