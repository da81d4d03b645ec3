"""Answers for what happens to every request before and after its page: faults, session, metrics.

Wraps the whole application. The fault panel and the metrics stay reachable under every fault.
"""

import asyncio
import random
import time
from http.cookies import CookieError, SimpleCookie

import jinja2
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.demo.faults import MEMORY_PRESSURE_SECONDS
from monitor.demo.sessions import COOKIE, SESSION_AGE, Session
from monitor.demo.shop import Shop

ALWAYS_OPEN = ("/faults", "/api/faults", "/metrics")
LONGEST_BODY = 64 * 1024  # bytes; no form of ours is longer


class Door:
    """The one way into the shop."""

    def __init__(self, app: ASGIApp, shop: Shop, templates: jinja2.Environment) -> None:
        self._app, self._shop, self._templates = app, shop, templates
        self._dice = random.Random()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, unless a fault is in the way, and note how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        session = self._shop.sessions.open(session_id(scope))
        scope["shop_session"] = session

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._finish(message, session, scope)
            await send(message)

        try:
            answer = self._turned_away(scope) or self._app
            await self._drag(scope)
            await answer(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            seconds = time.perf_counter() - started
            self._shop.metrics.record_request(route, scope["method"], status, seconds)

    def _turned_away(self, scope: Scope) -> ASGIApp | None:
        """Return the answer of a fault or limit that keeps this request out, or nothing."""
        faults = self._shop.faults
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            return HTMLResponse("This is more than any of our forms can hold.", 413)
        if scope["path"].startswith(ALWAYS_OPEN):
            return None
        if faults.is_on("site_down"):
            page = self._templates.get_template("maintenance.html").render()
            return HTMLResponse(page, 503, {"Retry-After": "120", "Cache-Control": "no-store"})
        if self._dice.random() < faults.value("flaky"):
            page = self._templates.get_template("broken.html").render()
            return HTMLResponse(page, 500, {"Cache-Control": "no-store"})
        return None

    async def _drag(self, scope: Scope) -> None:
        if self._shop.faults.is_on("memory_pressure") and not scope["path"].startswith(ALWAYS_OPEN):
            await asyncio.sleep(MEMORY_PRESSURE_SECONDS)

    def _finish(self, message: Message, session: Session, scope: Scope) -> None:
        """Remember a wanted session and hand out its cookie; forbid what no page of ours needs."""
        headers = MutableHeaders(scope=message)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "DENY")
        if session.is_new and not session.is_wanted:
            return
        headers.setdefault("Cache-Control", "no-store")
        self._shop.sessions.keep(session)
        if session.is_new:
            secure = "; Secure" if scope["scheme"] == "https" else ""
            age = int(SESSION_AGE.total_seconds())
            headers.append(
                "Set-Cookie",
                f"{COOKIE}={session.id}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}",
            )


def session_id(scope: Scope) -> str | None:
    """Return what the visitor's cookie says, or nothing."""
    cookies = SimpleCookie()
    try:
        cookies.load(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None
