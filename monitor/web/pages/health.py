"""Whether the process lives, whether it can do its work, and what it measures."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse, Response

from monitor.web.security import scraper
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/-/healthy")
async def healthy() -> PlainTextResponse:
    """Say that the process answers; nothing else is looked at."""
    return PlainTextResponse("healthy\n")


@router.get("/-/ready")
def ready(services: Given) -> PlainTextResponse:
    """Say that all parts can work, or answer 503 with one reason a line."""
    reasons = services.ready()
    if not reasons:
        return PlainTextResponse("ready\n")
    return PlainTextResponse("".join(f"{reason}\n" for reason in reasons), status_code=503)


@router.get("/metrics", dependencies=[Depends(scraper)])
def metrics(services: Given) -> Response:
    """Give every metric in the Prometheus text format."""
    return Response(services.metrics.render(), media_type=TEXT_FORMAT)
