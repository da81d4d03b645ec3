"""The doors for alerts: we stand in for an Alertmanager, and take the webhook of a real one.

Whatever is answered with 2xx is committed. An overloaded or unreachable database is answered with
503 and a time to wait, never with 429: senders retry the one and drop the other (measured with
Alertmanager 0.25.0, 2026-11-22).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from incidents.alerts import v2, webhook_v4
from incidents.alerts.wire import Parsed, Refusal
from monitor.use_cases.alerts import receive_alerts
from monitor.web.security import alert_sender
from monitor.web.services import Given, Services

router = APIRouter(tags=["alerts"], dependencies=[Depends(alert_sender)])
log = structlog.get_logger(__name__)

LONGEST_BODY_BYTES = 16 * 1024 * 1024  # 10,000 alerts with three annotations are 5 MB
MOST_WAITING = 64  # batches; more would only time out in the queue
RETRY_SECONDS = 5

Reader = Callable[[bytes, datetime], Parsed]


@router.post(
    "/api/v2/alerts",
    max_body_size=LONGEST_BODY_BYTES,
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": {"type": "object", "required": ["labels"]}}
                }
            },
        }
    },
)
async def post_alerts(request: Request, services: Given) -> Response:
    """Take a batch as an Alertmanager would; an empty 200 says that all of it is stored."""
    return await _take(request, services, v2.parse, "api/v2")


@router.post(
    "/api/v1/alertmanager",
    max_body_size=LONGEST_BODY_BYTES,
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "required": ["version", "alerts"]}
                }
            },
        }
    },
)
async def post_webhook(request: Request, services: Given) -> Response:
    """Take what an Alertmanager sends to a webhook, version 4."""
    return await _take(request, services, webhook_v4.parse, "alertmanager")


async def _take(request: Request, services: Services, read: Reader, source: str) -> Response:
    """Store what a request holds, then answer it."""
    refusal = v2.refuse_content_type(request.headers.get("content-type"))
    if refusal is not None:
        return _answer(refusal)
    body = await request.body()
    state = request.app.state
    waiting = getattr(state, "batches_waiting", 0)
    if waiting >= MOST_WAITING:
        return _overloaded(f"{waiting} batches are waiting already")
    state.batches_waiting = waiting + 1
    try:
        return await run_in_threadpool(_store, services, body, read, source)
    finally:
        state.batches_waiting -= 1


def _store(services: Services, body: bytes, read: Reader, source: str) -> Response:
    now = services.clock.now()
    parsed = read(body, now)
    try:
        if parsed.alerts:
            receive_alerts(
                services.store,
                parsed.alerts,
                source=source,
                configuration=services.configuration.current,
                now=now,
                policy=services.policy,
            )
    except (OperationalError, PoolTimeout) as error:
        log.warning("alerts_not_stored", count=len(parsed.alerts), error=str(error))
        return _overloaded("the database cannot take them now")
    if parsed.cut_off:
        log.warning("alerts_cut_off", count=parsed.cut_off, advice="set max_alerts: 0")
    return _answer(parsed.refusal) if parsed.refusal else Response()


def _answer(refusal: Refusal) -> Response:
    if refusal.body == "":
        return Response(status_code=refusal.status)
    content = json.dumps(refusal.body, ensure_ascii=False)
    return Response(content, status_code=refusal.status, media_type="application/json")


def _overloaded(why: str) -> Response:
    content = {"code": 503, "message": f"nothing was stored: {why}"}
    return JSONResponse(content, status_code=503, headers={"retry-after": str(RETRY_SECONDS)})
