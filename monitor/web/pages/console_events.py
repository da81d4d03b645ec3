"""The stream that open pages of the console follow; what it tells is in `monitor.web.events`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from monitor.web.errors import WebError
from monitor.web.events import Events, Full, Stream
from monitor.web.permissions import Actor, Permission
from monitor.web.security import require, who_asks
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
LONGEST_MARK = 40


class TooManyStreams(WebError):  # noqa: N818 - a refusal is named for what it refuses
    """Too many pages follow the news; this one asks by itself now and then."""

    status = 429

    def __init__(self) -> None:
        super().__init__("Too many pages follow the news already.", {"retry-after": "30"})


class EventStream(StreamingResponse):
    """An answer that goes on; its place is free again however it ends."""

    def __init__(self, request: Request, events: Events, stream: Stream, mark: str) -> None:
        self.events, self.stream = events, stream

        async def still_allowed() -> bool:
            actor = await run_in_threadpool(who_asks, request)
            return actor is not None and actor.may(Permission.VIEW)

        super().__init__(
            events.lines(stream, mark, still_allowed),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until either side ends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.events.leave(self.stream)


@router.get("/console/events")
async def follow(
    request: Request,
    services: Given,
    actor: Annotated[Actor, Depends(require(Permission.VIEW))],
    after: Annotated[str, Query(max_length=LONGEST_MARK)] = "",
) -> EventStream:
    """Tell a page what changes after its mark, until its reader signs out or the service stops.

    A browser that connects again says by itself what it saw last (`Last-Event-ID`).
    """
    events = services.events
    mark = request.headers.get("last-event-id", after)[:LONGEST_MARK] or events.mark()
    try:
        stream = events.join(actor.session or actor.name)
    except Full as error:
        raise TooManyStreams from error
    return EventStream(request, events, stream, mark)
