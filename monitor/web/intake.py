"""What every door for alerts does with a request: read it within bounds, have it committed, answer.

Whatever is answered with 2xx is committed. What cannot be taken now is answered with 503 and a time
to wait, never with 429: senders retry the one and drop the other (measured with Alertmanager
0.25.0, 2026-11-22). `FastLane` leads requests to these doors past the framework.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from incidents.alerts.wire import Parsed, Refusal
from monitor.selfwatch.knocking import HEADER
from monitor.use_cases.entrance import Delivery, Entrance, Overloaded
from monitor.web.errors import WebError, on_bug, on_web_error
from monitor.web.services import services_of

LONGEST_BODY_BYTES = 16 * 1024 * 1024  # 10,000 alerts with three annotations are 5 MB
RETRY_SECONDS = 5

Door = Callable[[Request], Awaitable[Response]]
Guard = Callable[[Request], Awaitable[None]]
ReadBody = Callable[[bytes, datetime], Parsed]
RawHeaders = list[tuple[bytes, bytes]]
STORED = Response()
"""Says that everything is stored: an empty 200, as an Alertmanager answers."""
log = structlog.get_logger(__name__)


class _TooLong(Exception):  # noqa: N818 - a refusal, named for what was refused
    """A body is longer than any door takes."""


def is_canary(request: Request) -> bool:
    """Return whether this process itself sends the request, to see whether its doors work."""
    shown = request.headers.get(HEADER, "")
    return bool(shown) and hmac.compare_digest(
        shown.encode(), services_of(request).entrance.canary_key.encode()
    )


async def take(request: Request, read: ReadBody, source: str, *, mark: bytes) -> Response | None:
    """Have what a request holds committed; return None then, else how to refuse it.

    `mark` stands about once in the body for every alert it holds.
    """
    entrance = services_of(request).entrance
    try:
        body = await _body(request, entrance)
    except Overloaded as error:
        return overloaded(error)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    except _TooLong:
        message = f"a body has at most {LONGEST_BODY_BYTES} bytes: send fewer alerts at once"
        return answer(Refusal(413, {"code": 413, "message": message}))
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not done.done():  # else the sender has gone, or the server stops
            done.set_result(None)

    def answered() -> None:
        with suppress(RuntimeError):  # the server has ended: nobody waits any more
            loop.call_soon_threadsafe(settle)

    delivery = Delivery(
        getattr(request.state, "alert_source", "") or source,  # a source's own token names it
        lambda now: read(body, now),
        answered,
        alerts=max(1, body.count(mark)),
        bytes=len(body),
        canary=getattr(request.state, "canary", False),
    )
    try:
        entrance.offer(delivery)
    except Overloaded as error:
        entrance.release(len(body))
        return overloaded(error)
    await done
    return _outcome(delivery)


def _outcome(delivery: Delivery) -> Response | None:
    try:
        parsed = delivery.result()
    except Overloaded as error:
        return overloaded(error)
    if parsed.cut_off:
        log.warning("alerts_cut_off", count=parsed.cut_off, advice="set max_alerts: 0")
    return answer(parsed.refusal) if parsed.refusal else None


async def _body(request: Request, entrance: Entrance) -> bytes:
    """Return the whole body, its bytes reserved in the entrance as they arrive."""
    parts: list[bytes] = []
    held = 0
    try:
        more = True
        while more:
            message = await request.receive()
            part, more = _part(message, held), message.get("more_body", False)
            entrance.reserve(len(part))
            held += len(part)
            parts.append(part)
    except BaseException:
        entrance.release(held)
        raise
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _part(message: Message, held: int) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    part: bytes = message.get("body", b"")
    if held + len(part) > LONGEST_BODY_BYTES:
        raise _TooLong
    return part


def answer(refusal: Refusal) -> Response:
    """Return a refusal as its senders know it: JSON, or no body at all."""
    if refusal.body == "":
        return Response(status_code=refusal.status)
    content = json.dumps(refusal.body, ensure_ascii=False)
    return Response(content, status_code=refusal.status, media_type="application/json")


def overloaded(error: Overloaded) -> Response:
    """Return the answer that makes a sender keep what it has and come again."""
    refused = answer(Refusal(503, {"code": 503, "message": str(error)}))
    refused.headers["retry-after"] = str(RETRY_SECONDS)
    return refused


class Doors:
    """Serves a few busy doors by themselves; refusals and bugs become the answers they always are.

    The doors are the very functions the framework would call, and stay in its description of the
    API; who may pass is asked here (`guard`) as the framework would ask. Every answer gets the
    `headers` that it has not set itself.
    """

    def __init__(self, doors: Mapping[str, Door], guard: Guard, headers: RawHeaders) -> None:
        self.doors = doors
        self.guard = guard
        self.headers = headers
        self._stored = self._completed(STORED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for one of the doors."""
        response = await self._answer(self.doors[scope["path"]], Request(scope, receive))
        headers = self._stored if response is STORED else self._completed(response)
        status, body = response.status_code, response.body
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _completed(self, response: Response) -> RawHeaders:
        given = {name for name, _ in response.raw_headers}
        return response.raw_headers + [one for one in self.headers if one[0] not in given]

    async def _answer(self, door: Door, request: Request) -> Response:
        try:
            await self.guard(request)
            return await door(request)
        except WebError as error:
            return await on_web_error(request, error)
        except Exception as error:  # noqa: BLE001 - the framework, which would catch it, is not here
            return await on_bug(request, error)


class FastLane:
    """Lets a POST to a few busy doors pass beside the framework, which costs more than they do."""

    def __init__(self, app: ASGIApp, lane: ASGIApp, paths: Collection[str]) -> None:
        self.app = app
        self.lane = lane
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, one way or the other."""
        busy = scope["type"] == "http" and scope["path"] in self.paths and scope["method"] == "POST"
        await (self.lane if busy else self.app)(scope, receive, send)
