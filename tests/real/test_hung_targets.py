"""Targets that never come to an end cost one verdict, not the prober."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from probes.result import Outcome, Reason
from tests.probes.journeys import journey_of, run_of

pytestmark = pytest.mark.real

HEAD = b"HTTP/1.1 200 OK\r\n"
LATER = 0.05


def silent(_client: socket.socket, ended: threading.Event) -> None:
    """Take the request and say nothing."""
    ended.wait(20)


def trickling_head(client: socket.socket, ended: threading.Event) -> None:
    """Send one header after the other, for ever."""
    client.sendall(HEAD)
    while not ended.wait(LATER):
        client.sendall(b"X-Filler: 1\r\n")


def trickling_body(client: socket.socket, ended: threading.Event) -> None:
    """Send one byte after the other, for ever."""
    client.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not ended.wait(LATER):
        client.sendall(b"x")


def never_closing(client: socket.socket, ended: threading.Event) -> None:
    """Send a whole page of no stated length, and leave the connection open."""
    client.sendall(HEAD + b"Content-Type: text/html\r\n\r\n<p>all of it</p>")
    ended.wait(20)


def endless(client: socket.socket, ended: threading.Event) -> None:
    """Send as fast as can be, for ever."""
    client.sendall(HEAD + b"\r\n")
    while not ended.is_set():
        client.sendall(b"x" * 65_536)


class Target:
    """A server that treats every client in the same bad way."""

    def __init__(self, treat: Callable[[socket.socket, threading.Event], None]) -> None:
        self.ended, self._treat = threading.Event(), treat
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # the client hangs up, or the test is over
            client, _ = self._listener.accept()
            with client:
                client.recv(65_536)
                self._treat(client, self.ended)

    def close(self) -> None:
        """Let go of every client."""
        self.ended.set()
        self._listener.close()


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A target that behaves as the test's parameter says."""
    made = Target(request.param)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (silent, Reason.TIMEOUT),
        (trickling_head, Reason.TIMEOUT),
        (trickling_body, Reason.TIMEOUT),
        (never_closing, Reason.TIMEOUT),
        (endless, Reason.PROTOCOL),
    ],
    indirect=["target"],
)
def test_a_run_ends_at_its_deadline_whatever_the_target_does(
    target: Target, reason: Reason
) -> None:
    """The run fails with a reason, soon after its deadline at the latest."""
    step = {"get": target.url, "expect": {"status": 200}}
    started = time.monotonic()
    run = run_of(journey_of(step, deadline="1s"))
    assert (run.outcome, run.reason) == (Outcome.FAILED, reason), run.detail
    assert time.monotonic() - started < 3
