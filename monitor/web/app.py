"""Builds the web application from what it is given; everything else lives in its own module."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI
from starlette.types import ASGIApp

from monitor.storage.users import signing_key
from monitor.web import errors, openapi, static_files
from monitor.web.api import alerts
from monitor.web.flood import Floods
from monitor.web.intake import Doors, FastLane
from monitor.web.middleware import KnownHosts, SafeHeaders, TrustedProxies, safe_headers
from monitor.web.rate_limit import RateLimit
from monitor.web.routes import ROUTERS
from monitor.web.security import alert_sender
from monitor.web.services import Services
from monitor.web.throttle import Throttle

REFUSALS_RECORDED = 600, timedelta(hours=1)  # a log that is only added to must not be floodable
BODY_LIMIT_BYTES = 256 * 1024  # forms and small JSON; a router that takes more says so itself


class Application(FastAPI):
    """The framework's application, with a lane for alerts beside it."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the framework's own stack, and the lane with what it needs of that."""
        settings = self.state.services.settings
        headers = safe_headers(https=settings.public_url.startswith("https:"))
        lane: ASGIApp = Doors(alerts.BUSY, alert_sender, headers)
        lane = TrustedProxies(lane, trusted=settings.trusted_proxies)
        return FastLane(super().build_middleware_stack(), lane, alerts.BUSY)


def create_app(services: Services) -> FastAPI:
    """Return the whole web application, ready to be served.

    The API's description is at `/api/openapi.json`; no page loads anything from elsewhere.
    """
    app = Application(
        title="SayPro Monitor",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=BODY_LIMIT_BYTES,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # asked for each request
        generate_unique_id_function=openapi.operation_id,
    )
    app.state.services = services
    app.state.signing_key = signing_key(services.store, services.clock.now())
    app.state.throttle = Throttle()
    app.state.refusals = RateLimit(*REFUSALS_RECORDED)
    services.store.subscribe(services.events.announce)
    app.include_router(static_files.router)
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    openapi.install(app, ROUTERS)
    settings = services.settings
    app.add_middleware(
        Floods,
        client_rate=settings.client_rate,
        token_rate=settings.token_rate,
        now=services.clock.now,
    )
    app.add_middleware(KnownHosts, public_url=settings.public_url, allowed=settings.allowed_hosts)
    app.add_middleware(TrustedProxies, trusted=settings.trusted_proxies)
    app.add_middleware(SafeHeaders, https=settings.public_url.startswith("https:"))
    return app
