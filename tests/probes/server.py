"""A small web server for tests of the engine: each path misbehaves in its own way."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Seen:
    """One request the server has received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        """The body read as a form."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


Answer = Callable[["Handler"], None]


@dataclass
class ShopStub:
    """A running server, what it answers and what it has seen."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def page(self, path: str, body: str, *, status: int = 200, **headers: str) -> None:
        """Answer `path` with a page; `_` in a header's name stands for `-`."""
        self.answers[path] = lambda handler: handler.answer(
            status, body.encode(), {"Content-Type": "text/html; charset=utf-8", **_dashed(headers)}
        )

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        """Answer `path` with a redirect."""
        self.answers[path] = lambda handler: handler.answer(status, b"", {"Location": to})

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [seen.path for seen in self.seen]

    def last(self, path: str) -> Seen:
        """The last request for a path (the query left out)."""
        return next(s for s in reversed(self.seen) if s.path.partition("?")[0] == path)


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class Handler(BaseHTTPRequestHandler):
    """Answers from the stub's table."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet
    stub: ShopStub

    def handle_any(self) -> None:
        """Record the request and answer it."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.stub.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
        answer = self.stub.answers.get(self.path) or self.stub.answers.get(
            self.path.partition("?")[0]
        )
        if answer is None:
            self.answer(404, b"nothing here", {"Content-Type": "text/plain"})
        else:
            answer(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any  # noqa: N815 - stdlib

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            for one in value.split("\n"):
                self.send_header(name, one)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def cut(self, promised: int, body: bytes) -> None:
        """Send less than promised, and hang up."""
        self.send_response(200)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def hang_up(self) -> None:
        """Close without a word."""
        self.close_connection = True

    def wait(self, seconds: float, body: bytes = b"late") -> None:
        """Answer late."""
        time.sleep(seconds)
        self.answer(200, body, {"Content-Type": "text/plain"})

    def bomb(self, size: int) -> None:
        """Send `size` zeros, packed."""
        packed = gzip.compress(b"\0" * size)
        self.answer(200, packed, {"Content-Encoding": "gzip"})

    def log_message(self, *arguments: Any) -> None:
        """Keep quiet."""


@contextmanager
def running_stub(tls: ssl.SSLContext | None = None) -> Iterator[ShopStub]:
    """Yield a server on a free port of this machine, stopped afterwards."""
    stub = ShopStub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"stub": stub}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients hang up
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    stub.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
