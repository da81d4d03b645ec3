"""The doors for alerts: we stand in for an Alertmanager, and take the webhook of a real one.

Whatever is answered with 2xx is committed. An overloaded or unreachable database is answered with
503 and a time to wait, never with 429: senders retry the one and drop the other (measured with
Alertmanager 0.25.0, 2026-11-22).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import RowMapping
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from incidents.alerts import v2, webhook_v4
from incidents.alerts.matchers import BadMatcher, all_hold, parse_matcher
from incidents.alerts.wire import Parsed, Refusal, write_time
from monitor.storage import alerts as alert_rows
from monitor.use_cases.alerts import receive_alerts
from monitor.web.security import alert_sender
from monitor.web.services import Given, Services

router = APIRouter(tags=["alerts"], dependencies=[Depends(alert_sender)])
log = structlog.get_logger(__name__)

LONGEST_BODY_BYTES = 16 * 1024 * 1024  # 10,000 alerts with three annotations are 5 MB
MOST_WAITING = 64  # batches; more would only time out in the queue
RETRY_SECONDS = 5

Reader = Callable[[bytes, datetime], Parsed]
Flag = Annotated[bool, Query()]


@router.post(
    "/api/v2/alerts",
    max_body_size=LONGEST_BODY_BYTES,
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


@router.get("/api/v2/alerts")
def get_alerts(
    services: Given,
    filter_: Annotated[tuple[str, ...], Query(alias="filter")] = (),
    *,
    active: Flag = True,
    silenced: Flag = True,
) -> Response:
    """List what fires, muted alerts as suppressed; resolved ones are not listed."""
    try:
        matchers = [parse_matcher(text) for text in filter_]
    except BadMatcher as error:
        return _answer(Refusal(400, str(error)))
    with services.store.read() as connection:
        rows = alert_rows.open_alerts(connection)
    receivers = _receivers(services)
    shown = [
        _gettable(row, receivers)
        for row in rows
        if (silenced if row["muted_by"] else active) and all_hold(matchers, row["labels"])
    ]
    return JSONResponse(shown)


@router.get("/api/v2/alerts/groups")
def get_groups(
    services: Given, filter_: Annotated[tuple[str, ...], Query(alias="filter")] = ()
) -> Response:
    """List what fires by the incident it belongs to; alerts of no incident share a group."""
    try:
        matchers = [parse_matcher(text) for text in filter_]
    except BadMatcher as error:
        return _answer(Refusal(400, str(error)))
    with services.store.read() as connection:
        rows = alert_rows.open_alerts(connection)
    receivers = _receivers(services)
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if all_hold(matchers, row["labels"]):
            component = row["labels"].get("component", "")
            groups.setdefault(component, []).append(_gettable(row, receivers))
    return JSONResponse(
        [
            {"alerts": alerts, "labels": {"component": name} if name else {}, "receiver": receiver}
            for receiver in receivers[:1] or [{"name": "monitor"}]
            for name, alerts in sorted(groups.items())
        ]
    )


@router.get("/api/v2/receivers")
def get_receivers(services: Given) -> list[dict[str, str]]:
    """List the channels that notifications go to."""
    return _receivers(services)


@router.get("/api/v2/silences")
def get_silences() -> list[dict[str, Any]]:
    """List silences: there are none, maintenance windows mute instead."""
    return []


@router.get("/api/v2/status")
def get_status(request: Request, services: Given) -> dict[str, Any]:
    """Tell clients of Alertmanager whom they talk to."""
    started: datetime = getattr(request.app.state, "started_at", services.clock.now())
    return {
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": "# SayPro Monitor: see the configuration folder\n"},
        "uptime": write_time(started),
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "saypro-monitor",
            "version": "0.25.0",  # whose interface this is
        },
    }


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
    return _answer(parsed.refusal) if parsed.refusal else Response(media_type="application/json")


def _answer(refusal: Refusal) -> Response:
    if refusal.body == "":
        return Response(status_code=refusal.status)
    content = json.dumps(refusal.body, ensure_ascii=False)
    return Response(content, status_code=refusal.status, media_type="application/json")


def _overloaded(why: str) -> Response:
    content = {"code": 503, "message": f"nothing was stored: {why}"}
    return JSONResponse(content, status_code=503, headers={"retry-after": str(RETRY_SECONDS)})


def _receivers(services: Services) -> list[dict[str, str]]:
    return [{"name": channel.name} for channel in services.configuration.current.channels]


def _gettable(row: RowMapping, receivers: list[dict[str, str]]) -> dict[str, Any]:
    """Return one alert in Alertmanager's shape."""
    muted = row["muted_by"]
    return {
        "annotations": row["annotations"],
        "endsAt": write_time(row["ends_at"]) if row["ends_at"] else "0001-01-01T00:00:00.000Z",
        "fingerprint": row["fingerprint"],
        "receivers": receivers,
        "startsAt": write_time(row["starts_at"]),
        "status": {
            "inhibitedBy": [],
            "silencedBy": [muted] if muted else [],
            "state": "suppressed" if muted else "active",
        },
        "updatedAt": write_time(row["updated_at"]),
        "generatorURL": row["generator_url"],
        "labels": row["labels"],
    }
