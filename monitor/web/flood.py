"""How much one client, and one token, may ask of this service: plain ASGI, before any page.

Each has a rate and a burst, by the generic cell rate algorithm (ITU-T I.371): one time is kept for
each, that at which its requests so far would have been due at the rate. The doors that alerts come
through are not limited here (what is too much waits or is answered with 503, and is sent again),
nor what tells whether this process lives.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.web.errors import TooManyAttempts, refusal
from monitor.web.throttle import client_network

BURST_SECONDS = 20.0  # so much of a minute's requests may come at once
MOST_KEPT = 10_000  # clients, and tokens; the one longest unseen is forgotten first
FREE_PATHS = ("/-/", "/metrics", "/static/")
ALERT_DOORS = ("/api/v2/alerts", "/api/v1/alertmanager", "/v2/enqueue")


class Rates:
    """A rate for each of many, kept in memory."""

    def __init__(self, per_minute: int) -> None:
        self._gap = 60.0 / per_minute
        self._burst = max(BURST_SECONDS - self._gap, 0.0)
        self._due: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Count one request at `now`, in seconds; return how long to wait, 0 if it may pass."""
        due = max(self._due.get(key, now), now)
        if due - now > self._burst + self._gap:  # the clock was put back since
            due = now
        if due - now > self._burst:
            return due - now - self._burst
        self._due[key] = due + self._gap
        self._due.move_to_end(key)
        while len(self._due) > MOST_KEPT:
            self._due.popitem(last=False)
        return 0.0


class Floods:
    """Answers 429, with the seconds to wait, to a client or token that asks too often.

    Clients are networks as in `monitor.web.throttle`; this machine itself is not limited, unless
    a proxy passes on what comes from elsewhere.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        client_rate: int,
        token_rate: int,
        now: Callable[[], datetime],
    ) -> None:
        self.app = app
        self._clients = Rates(client_rate) if client_rate else None
        self._tokens = Rates(token_rate) if token_rate else None
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or say how long to wait."""
        wait = self._wait(scope) if scope["type"] == "http" else 0.0
        if not wait:
            await self.app(scope, receive, send)
            return
        error = TooManyAttempts(math.ceil(wait))
        answer = refusal(Request(scope), error.status, error.message, error.headers)
        await answer(scope, receive, send)

    def _wait(self, scope: Scope) -> float:
        path = scope["path"]
        if path.startswith(FREE_PATHS) or (scope["method"] == "POST" and path in ALERT_DOORS):
            return 0.0
        now = self._now().timestamp()
        client = (scope.get("client") or ("",))[0]
        waits = [0.0]
        if self._clients is not None and not is_loopback(client):
            waits.append(self._clients.take(client_network(client), now))
        shown = Headers(scope=scope).get("authorization")
        if self._tokens is not None and shown:
            key = hashlib.sha256(shown.encode()).hexdigest()
            waits.append(self._tokens.take(key, now))
        return max(waits)


def is_loopback(client: str) -> bool:
    """Return whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
