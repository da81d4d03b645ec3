"""The doors for alerts: we stand in for an Alertmanager, and take the webhook of a real one.

How a delivery is read, committed and answered is in `monitor.web.intake`.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from incidents.alerts import v2, webhook_v4
from monitor.web.intake import LONGEST_BODY_BYTES, STORED, Door, ReadBody, answer, take
from monitor.web.security import alert_sender

router = APIRouter(tags=["alerts"], dependencies=[Depends(alert_sender)])


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
async def post_alerts(request: Request) -> Response:
    """Take a batch as an Alertmanager would; an empty 200 says that all of it is stored."""
    return await _take(request, v2.parse, "api/v2")


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
async def post_webhook(request: Request) -> Response:
    """Take what an Alertmanager sends to a webhook, version 4."""
    return await _take(request, webhook_v4.parse, "alertmanager")


async def _take(request: Request, read: ReadBody, source: str) -> Response:
    refusal = v2.refuse_content_type(request.headers.get("content-type"))
    if refusal is not None:
        return answer(refusal)
    return await take(request, read, source, mark=b'"labels"') or STORED


BUSY: dict[str, Door] = {"/api/v2/alerts": post_alerts, "/api/v1/alertmanager": post_webhook}
