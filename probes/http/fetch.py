"""A request followed through its redirects, one hop at a time.

libcurl would add the phases of all hops together, so that a slow hop could not be told from a slow
page; here every hop is a request of its own, checked by the guard again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from probes.egress import DEFAULT_PORTS, EgressDenied, origin_of
from probes.http.addresses import tidy_url
from probes.http.message import Exchange, Failure, Headers, Request
from probes.result import Hop, Phases, Reason

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "origin"})
_CREDENTIAL_HEADERS = frozenset({"authorization", "cookie", "x-api-key", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """Every hop of a step and the exchange at its end."""

    hops: tuple[Hop, ...]
    last: Exchange
    certificate_expires_at: datetime | None = None

    @property
    def failure(self) -> Failure | None:
        """Why no usable answer came, None where one did."""
        return self.last.failure


def fetch(
    send: Callable[[Request, float], Exchange],
    request: Request,
    *,
    max_redirects: int,
    timeout_seconds: float,
) -> Fetched:
    """Return the final answer, after at most `max_redirects` redirects, all within the time given.

    With no redirects allowed the redirecting answer itself is the final one.
    """
    stop_at = time.monotonic() + timeout_seconds
    hops: list[Hop] = []
    expiries: list[datetime] = []
    while True:
        exchange = _send(send, request, stop_at - time.monotonic())
        hops.append(exchange.hop)
        if exchange.certificate_expires_at is not None:
            expiries.append(exchange.certificate_expires_at)
        target = redirect_target(exchange)
        if target is not None and max_redirects and len(hops) <= max_redirects:
            request = redirected(request, exchange.status, target)
            continue
        if target is not None and max_redirects:
            failure = Failure(Reason.PROTOCOL, f"more than {max_redirects} redirects")
            exchange = replace(exchange, failure=failure)
        return Fetched(tuple(hops), exchange, min(expiries, default=None))


def _send(
    send: Callable[[Request, float], Exchange], request: Request, seconds_left: float
) -> Exchange:
    """Return one exchange; a refusal of the guard, or no time left, is a failure like any other."""
    if seconds_left <= 0:
        return _unsent(request, Failure(Reason.TIMEOUT, "no time left for another redirect"))
    try:
        return send(request, seconds_left)
    except EgressDenied as denied:
        return _unsent(request, Failure(Reason.EGRESS_DENIED, str(denied)))


def _unsent(request: Request, failure: Failure) -> Exchange:
    """Return the exchange of a request that never left."""
    return Exchange(
        request, Hop(request.method, request.url, 0, "", Phases(), 0.0), failure=failure
    )


def redirect_target(exchange: Exchange) -> str | None:
    """Return where the answer sends us, None where it does not."""
    location = exchange.header("location")
    if exchange.failure or exchange.status not in REDIRECTS or not location:
        return None
    location = location.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        target = urljoin(exchange.request.url, tidy_url(location))
    except ValueError:
        return location
    fragment = urlsplit(exchange.request.url).fragment
    return f"{target}#{fragment}" if fragment and "#" not in target else target


def redirected(request: Request, status: int, target: str) -> Request:
    """Return the request a browser makes after a redirect.

    303 always turns into GET, 301 and 302 turn POST into GET, 307 and 308 keep method and body
    (https://fetch.spec.whatwg.org/#http-redirect-fetch). Credentials stay with their origin.
    """
    turns = (status == 303 and request.method not in ("GET", "HEAD")) or (
        status in (301, 302) and request.method == "POST"
    )
    headers = request.headers
    if turns:
        headers = _without(headers, _BODY_HEADERS)
    if not _same_origin(request.url, target):
        headers = _without(headers, _CREDENTIAL_HEADERS)
    if turns:
        return Request("GET", target, headers)
    return replace(request, url=target, headers=headers)


def _same_origin(one: str, other: str) -> bool:
    """Whether two addresses share an origin, or the second is the first one's secured."""
    try:
        left, right = origin_of(one), origin_of(other)
    except EgressDenied:
        return False
    upgraded = (left.scheme, left.port, right.scheme, right.port) == (
        "http",
        DEFAULT_PORTS["http"],
        "https",
        DEFAULT_PORTS["https"],
    )
    return left == right or (left.host == right.host and upgraded)


def _without(headers: Headers, names: frozenset[str]) -> Headers:
    """Return the headers without the named ones."""
    return tuple((name, value) for name, value in headers if name.lower() not in names)
