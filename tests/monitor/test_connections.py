"""Clients that hold on to connections: each is let go of, and nobody else waits for them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn

from monitor.connections import Patience, bounded_http, room_for_connections
from monitor.listening import listening_socket

LONG = 60.0
ASK = b"GET / HTTP/1.1\r\nhost: monitor.test\r\n\r\n"
LARGE = 64 * 1024 * 1024  # more than the buffers of both ends hold


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the whole request, then answer: `/large` with more than anybody reads."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = bytes(LARGE) if scope["path"] == "/large" else b"well"
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serving(**patience: float | int) -> Iterator[tuple[str, int]]:
    """Give the address of a server with this patience; what is not named is long."""
    kept = {"head_seconds": LONG, "body_seconds": LONG, "unread_seconds": LONG, **patience}
    with listening_socket("127.0.0.1", 0) as bound:
        protocol = bounded_http(Patience(**kept))  # type: ignore[arg-type] # tests choose well
        server = uvicorn.Server(
            uvicorn.Config(application, http=protocol, lifespan="off", log_config=None)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield bound.getsockname()
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def connect(address: tuple[str, int], sent: bytes = b"") -> socket.socket:
    """Open a connection and send something."""
    client = socket.create_connection(address, timeout=20)
    client.sendall(sent)
    return client


def is_over(client: socket.socket) -> bool:
    """Wait until the server ends the connection without having answered with success."""
    with client:
        try:
            return b" 200 " not in client.recv(100)
        except ConnectionResetError:
            return True


def answer_to(address: tuple[str, int], sent: bytes = ASK) -> bytes:
    """Return the first line of an answer."""
    with connect(address, sent) as client:
        return client.recv(1000).splitlines()[0]


@pytest.mark.parametrize("begun", [b"", b"GET / HT", ASK[:-2]])
def test_a_head_that_never_ends_is_not_waited_for(begun: bytes) -> None:
    """Neither silence nor half a head holds a connection."""
    with serving(head_seconds=0.1) as address:
        assert is_over(connect(address, begun))
        assert answer_to(address) == b"HTTP/1.1 200 OK"


def test_a_body_that_never_ends_is_not_waited_for() -> None:
    """The application, which waits for it, is told that the client is gone."""
    post = b"POST / HTTP/1.1\r\nhost: m\r\ncontent-length: 10\r\n\r\nfive!"
    with serving(body_seconds=0.1) as address:
        assert is_over(connect(address, post))


def test_a_slow_drip_does_not_prolong_the_head() -> None:
    """The time counts from the beginning, not from the last byte."""
    with serving(head_seconds=0.3) as address, connect(address, b"GET / HTTP/1.1\r\n") as client:
        sent = 0
        with suppress(ConnectionError):
            while sent < 1000:
                client.sendall(b"x: y\r\n")
                sent += 1
                time.sleep(0.02)
        assert sent < 1000


def test_a_head_without_end_is_refused() -> None:
    """Memory is not for strangers to fill."""
    with serving(head_bytes=2000) as address:
        line = answer_to(address, b"GET / HTTP/1.1\r\nx: " + b"y" * 3000)
        assert line == b"HTTP/1.1 431 Request Header Fields Too Large"
        long_but_honest = ASK[:-2] + b"x: " + b"y" * 1500 + b"\r\n\r\n"
        assert answer_to(address, long_but_honest) == b"HTTP/1.1 200 OK"


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    """What waits to be sent is let go of with the connection."""
    large = ASK.replace(b"/ ", b"/large ", 1)
    with serving(unread_seconds=0.2) as address, connect(address, large) as client:
        time.sleep(1)  # reads nothing meanwhile
        received = 0
        with suppress(ConnectionResetError):
            while chunk := client.recv(1 << 20):
                received += len(chunk)
    assert received < LARGE


def test_who_has_waited_longest_makes_room() -> None:
    """New clients are answered however many hold connections without asking anything."""
    with serving(connections=5) as address:
        holding = [connect(address, b"GET / HT") for _ in range(9)]
        assert answer_to(address) == b"HTTP/1.1 200 OK"
        for client in holding[:5]:
            assert is_over(client)
        for client in holding[5:]:
            client.sendall(ASK[8:])
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            client.close()


def test_one_connection_serves_many_requests() -> None:
    """Bounds begin anew with each request."""
    with serving(head_seconds=0.5) as address, connect(address) as client:
        for _ in range(4):
            time.sleep(0.2)
            client.sendall(ASK)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_there_is_room_for_ten_thousand() -> None:
    """As far as the system lets us."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = room_for_connections()
    assert allowed >= min(10_000, hard - 256)
