"""The door for PagerDuty's Events API v2: answers and refusals in PagerDuty's shape.

A sender's token is its routing key. What is accepted (202) is committed; an overloaded database is
answered with 503 and a time to wait, which PagerDuty's clients try again.
"""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from incidents.alerts import pagerduty
from monitor.storage.store import DATABASE_AWAY
from monitor.use_cases.entrance import Overloaded
from monitor.use_cases.events import SOURCE, receive_event
from monitor.web.security import shows_routing_key
from monitor.web.services import Given, Services

router = APIRouter(tags=["events"])
log = structlog.get_logger(__name__)
RETRY_SECONDS = 5


@router.post(
    "/v2/enqueue",
    status_code=202,
    max_body_size=pagerduty.LONGEST_BODY_BYTES,
    response_class=JSONResponse,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "required": ["routing_key", "event_action"]}
                }
            },
        }
    },
)
async def enqueue(request: Request, services: Given) -> Response:
    """Take an event: trigger, acknowledge or resolve."""
    body = await request.body()
    event = pagerduty.parse(body, services.clock.now())
    if isinstance(event, pagerduty.Invalid):
        return JSONResponse(event.body, status_code=400)
    if not await shows_routing_key(request, pagerduty.routing_key(body)):
        return JSONResponse(UNKNOWN_KEY.body, status_code=400)
    return await run_in_threadpool(_store, services, event, request.state.alert_source or SOURCE)


UNKNOWN_KEY = pagerduty.Invalid(
    ("'routing_key' is none of this monitor's; show the token that alert senders have",)
)


def _store(services: Services, event: pagerduty.Event, source: str) -> Response:
    try:
        receive_event(
            services.store,
            services.entrance,
            event,
            configuration=services.configuration.current,
            now=services.clock.now(),
            policy=services.policy,
            source=source,
        )
    except (Overloaded, *DATABASE_AWAY) as error:
        log.warning("event_not_stored", error=str(error))
        content = {"status": "error", "message": "nothing was stored: send the event again"}
        headers = {"retry-after": str(RETRY_SECONDS)}
        return JSONResponse(content, status_code=503, headers=headers)
    return JSONResponse(pagerduty.accepted(event.dedup_key), status_code=202)
