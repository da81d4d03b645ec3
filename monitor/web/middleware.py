"""What happens to every request and answer, before and after the pages: plain ASGI, no framework.

Outermost first: who is really asking (`TrustedProxies`), whether the name they asked for is ours
(`KnownHosts`), and the headers that keep browsers from being turned against us (`SafeHeaders`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000"
NO_STORE = (b"cache-control", b"no-store")
PRIVATE_PREFIXES = ("/console", "/runbooks", "/r/")
MACHINE_PREFIXES = ("/-/", "/metrics", "/api/", "/probe")  # scraped and posted to by any name
HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(:\d{1,5})?")
LOOPBACK_NAMES = ("localhost",)


def safe_headers(*, https: bool) -> list[tuple[bytes, bytes]]:
    """Return the protective headers of every answer."""
    extra = {"strict-transport-security": STRICT_TRANSPORT} if https else {}
    return [(name.encode(), value.encode()) for name, value in (SAFE_HEADERS | extra).items()]


class SafeHeaders:
    """Gives every answer the protective headers that its route has not set itself."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.headers = safe_headers(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the answer's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [(name.lower(), value) for name, value in message.get("headers", ())]
                names = {name for name, _ in given}
                private = scope["path"].startswith(PRIVATE_PREFIXES)
                ours = [*self.headers, NO_STORE] if private else self.headers
                message["headers"] = given + [one for one in ours if one[0] not in names]
            await send(message)

        await self.app(scope, receive, complete)


class KnownHosts:
    """Refuses browsers that ask for a name that is not ours, such as a rebound DNS name.

    Addresses are let through: a name that changes its address is what the check is for. No
    answer is ever built from the Host header.
    """

    def __init__(self, app: ASGIApp, *, public_url: str, allowed: Sequence[str]) -> None:
        self.app = app
        self.any = "*" in allowed
        self.names = {*LOOPBACK_NAMES, *(name.lower() for name in allowed)}
        self.names.add((urlsplit(public_url).hostname or "").lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421 with what to set."""
        if scope["type"] == "http" and not self._knows(scope):
            await PlainTextResponse(
                "This monitor does not answer to that host name. "
                "Set MONITOR_PUBLIC_URL or MONITOR_ALLOWED_HOSTS to the name you use.\n",
                status_code=421,
            )(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        if self.any or scope["path"].startswith(MACHINE_PREFIXES):
            return True
        host = host_name(Headers(scope=scope).get("host", ""))
        return host in self.names or is_address(host)


def host_name(host: str) -> str:
    """Return the name in a Host header: lower case, without port; empty if it is malformed."""
    found = HOST.fullmatch(host.lower())
    return found["address"] or found["name"].rstrip(".") if found else ""


def is_address(text: str) -> bool:
    """Return whether the text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class TrustedProxies:
    """Puts the real client and scheme into the scope when a trusted proxy tells them.

    Of `X-Forwarded-For` the last address that is not a trusted proxy counts: whatever stands
    before it was written by the client.
    """

    def __init__(self, app: ASGIApp, *, trusted: Iterable[str]) -> None:
        self.app = app
        self.networks = [ipaddress.ip_network(text, strict=False) for text in trusted]
        self._trusts = lru_cache(1024)(self._is_within)  # few clients send most of the requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the client corrected."""
        client = scope.get("client")
        if scope["type"] == "http" and client and self._trusts(client[0]):
            headers = Headers(scope=scope)
            scope["client"] = (self._origin(headers, client[0]), 0)
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
        await self.app(scope, receive, send)

    def _origin(self, headers: Headers, peer: str) -> str:
        chain = ",".join(headers.getlist("x-forwarded-for")).split(",")
        addresses = [text.strip() for text in chain if is_address(text.strip())]
        return next((a for a in reversed(addresses) if not self._trusts(a)), peer)

    def _is_within(self, address: str) -> bool:
        if not is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self.networks)
