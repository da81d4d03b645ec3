"""Connections that nobody can hold: how long a request may take to arrive, and how many may wait.

The web server itself waits for ever for the end of a request's head or body, keeps a head of any
length, and never gives up on a client that stops reading. Here a connection without a whole
request is closed after a while, and where too many wait, the one that has waited longest makes
room for the next. Who sends requests at an ordinary pace never notices.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
MOST_CONNECTIONS = 20_000
KEPT_FILES = 256  # for the database, samples, probes and what leaves


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds, and how much is held."""

    head_seconds: float = 10.0
    body_seconds: float = 60.0  # 16 MiB, the largest batch of alerts, at 2.2 Mbit/s
    unread_seconds: float = 30.0  # an answer of which nothing more is read
    head_bytes: int = 64 * 1024
    connections: int = MOST_CONNECTIONS


class BoundedHttp(HttpToolsProtocol):
    """One connection, with bounds on its arrival and on its reading."""

    patience: ClassVar[Patience]
    waiting: ClassVar[dict[BoundedHttp, None]]  # without a request in hand, longest first
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _awaits: float | None = None  # how long the deadline is to be; none where it is None
    _is_new: bool = False  # it has still to be set
    _head_bytes: int | None = 0  # of a head that has not ended; None while there is none

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; where too many do, let go of the first that did."""
        super().connection_made(transport)
        self.waiting[self] = None
        self._wait(self.patience.head_seconds)
        self._set_deadline()
        if len(self.connections) > self.patience.connections:
            next(iter(self.waiting)).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.waiting.pop(self, None)
        for handle in (self._deadline, self._unread):
            if handle is not None:
                handle.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head is longer than any honest one."""
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_new:  # most requests arrive whole, and need none
            self._set_deadline()
        if self._head_bytes is not None and self._head_bytes > self.patience.head_bytes:
            self.transport.write(HEAD_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Wait for the head of a request."""
        super().on_message_begin()
        self._head_bytes = 0 if self._head_bytes is None else self._head_bytes
        self._wait(self.patience.head_seconds)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._head_bytes = None
        self._wait(self.patience.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is in hand."""
        self._wait(None)
        self.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered: wait for the next one, as long as a connection is kept."""
        if not self.transport.is_closing():
            self.waiting[self] = None
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Nothing is read: give up if that stays so."""
        super().pause_writing()
        if self._unread is None:
            wait = self.patience.unread_seconds
            self._unread = self.loop.call_later(wait, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read again."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _wait(self, seconds: float | None) -> None:
        self._awaits, self._is_new = seconds, True

    def _set_deadline(self) -> None:
        self._is_new = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._awaits is not None:
            self._deadline = self.loop.call_later(self._awaits, self.transport.abort)


def bounded_http(patience: Patience) -> type[BoundedHttp]:
    """Return the protocol of one server."""
    return type("BoundedHttp", (BoundedHttp,), {"patience": patience, "waiting": {}})


def room_for_connections() -> int:
    """Let this process open as many files as it may; return how many connections that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + KEPT_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, soft - KEPT_FILES))
