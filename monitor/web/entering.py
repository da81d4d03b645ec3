"""From a proven name to a session: the second factor is asked for here, whatever came first.

Between the two steps there is no session, only a proof of the first step: it is known by a cookie
of its own, ends after a few minutes or a few wrong codes, and opens nothing but the second step.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from monitor.accounts.records import record_entry
from monitor.log import logger
from monitor.storage.proofs import Proof, hashed, keep_proof, proof_of, take_proof
from monitor.storage.second_factors import factor_of
from monitor.storage.users import User, user_by_id
from monitor.web.browsers import browser_words
from monitor.web.cookies import drop_cookie, put_cookie, read_cookie
from monitor.web.devices import known_device, remember_device
from monitor.web.errors import TooManyAttempts
from monitor.web.redirects import safe_next
from monitor.web.services import Services, services_of
from monitor.web.sessions import COOKIE, begin_session, give_cookie
from monitor.web.throttle import Throttle

log = logger("sign-in")
HALF_COOKIE = "monitor_half"
HALF_LASTS = timedelta(minutes=5)
HALF = "second_factor"  # the purpose of its proof
CODE_PAGE = "/console/sign-in/code"


@dataclass(frozen=True)
class Guesser:
    """Whoever tries to get into an account, as the throttle knows them."""

    throttle: Throttle
    account: str
    client: str
    device: str
    services: Services

    @classmethod
    def at(cls, request: Request, account: str, what: str = "") -> Guesser:
        """Return who tries an account by this request; `what` tells kinds of tries apart."""
        services = services_of(request)
        key = cast("bytes", request.app.state.signing_key)
        public_url, now = services.settings.public_url, services.clock.now()
        return cls(
            throttle=cast("Throttle", request.app.state.throttle),
            account=f"{account} {what}".strip(),
            client=client_address(request),
            device=known_device(request, key, account, public_url, now),
            services=services,
        )

    def may_try(self) -> None:
        """Return if a try is heard now.

        Raises:
            TooManyAttempts: only later; says how much.
        """
        now = self.services.clock.now()
        wait = self.throttle.wait(self.account, self.client, now, device=self.device)
        if wait:
            raise TooManyAttempts(math.ceil(wait.total_seconds()))

    def failed(self) -> None:
        """Count the try as wrong."""
        now = self.services.clock.now()
        self.throttle.failed(self.account, self.client, now, device=self.device)

    def succeeded(self) -> None:
        """Forget the wrong tries before this one."""
        self.throttle.succeeded(self.account, self.client, device=self.device)


def client_address(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else ""


def enter(request: Request, user: User, next_: str, *, method: str) -> Response:
    """Return the way on for whoever has proven to be `user`: the second step, or the console."""
    services = services_of(request)
    sign_in = services.configuration.current.sign_in
    with services.store.read() as connection:
        factor = factor_of(connection, user.id)
    if factor is not None and not sign_in.is_providers_matter(method):
        return _half_way(services, user, next_, method)
    return let_in(request, user, next_, method=method)


def let_in(request: Request, user: User, next_: str, *, method: str) -> Response:
    """Begin a session and lead on to the page that was asked for."""
    services = services_of(request)
    public_url, now = services.settings.public_url, services.clock.now()
    session = begin_session(
        services.store,
        user,
        now,
        instead_of=read_cookie(request, COOKIE, public_url),
        method=method,
        client=browser_words(request.headers.get("user-agent", "")),
        address=client_address(request),
    )
    answer = RedirectResponse(safe_next(next_), 303)
    give_cookie(answer, session.secret, public_url)
    remember_device(answer, request.app.state.signing_key, user.name, public_url, now)
    drop_cookie(answer, HALF_COOKIE, public_url)
    record_entry(services.store, user.name, "signed_in", now, method=method)
    log.info("signed in", account=user.name, client=client_address(request), method=method)
    return answer


def half_signed_in(request: Request) -> tuple[Proof, User] | None:
    """Return the first step that this browser has proven, and whose it is; None without one."""
    services = services_of(request)
    secret = half_secret(request)
    with services.store.read() as connection:
        proof = proof_of(connection, secret, HALF, services.clock.now())
        user = user_by_id(connection, proof.user_id or 0) if proof else None
    if proof is None or user is None or user.disabled_at is not None:
        return None
    return proof, user


def half_secret(request: Request) -> str:
    """Return the secret of the first step, empty where there is none."""
    return read_cookie(request, HALF_COOKIE, services_of(request).settings.public_url)


def end_half(request: Request) -> bool:
    """Take the first step's proof; False if it was taken or ended meanwhile."""
    services = services_of(request)
    with services.store.begin() as tx:
        return take_proof(tx, half_secret(request), HALF, services.clock.now()) is not None


def _half_way(services: Services, user: User, next_: str, method: str) -> Response:
    secret, now = secrets.token_urlsafe(32), services.clock.now()
    data = {"next": safe_next(next_), "method": method}
    with services.store.begin() as tx:
        ends = now + HALF_LASTS
        keep_proof(tx, secret, HALF, now=now, expires_at=ends, user_id=user.id, data=data)
    answer = RedirectResponse(CODE_PAGE, 303)
    put_cookie(answer, HALF_COOKIE, secret, services.settings.public_url, HALF_LASTS)
    log.info("second factor asked for", account=user.name, step=hashed(secret)[:8])
    return answer
