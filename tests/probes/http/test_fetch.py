"""Tests of the engine against a server that misbehaves: redirects, phases, caps, deadlines."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.egress import Guard
from probes.http.addresses import tidy_url
from probes.http.client import Client, ClientSettings
from probes.http.fetch import Fetched, fetch, redirected
from probes.http.message import Request
from probes.http.phases import Clocks, phases_of, unfinished
from probes.result import Reason
from tests.probes.server import Handler, ShopStub, running_stub


@pytest.fixture(scope="module")
def stub() -> Iterator[ShopStub]:
    """A server for the module."""
    with running_stub() as running:
        yield running


def got(
    stub: ShopStub, path: str, *, timeout: float = 5, redirects: int = 10, method: str = "GET"
) -> Fetched:
    """Return what comes of a request to the server."""
    with Client(Guard([stub.url]), ClientSettings()) as client:
        request = Request(method, stub.url + path)
        return fetch(client.send, request, max_redirects=redirects, timeout_seconds=timeout)


def test_each_hop_keeps_its_own_time(stub: ShopStub) -> None:
    """A slow redirect is told from a fast page."""

    def late(handler: Handler) -> None:
        time.sleep(0.3)
        handler.answer(302, b"", {"Location": "/fast"})

    stub.answers["/slow-hop"] = late
    stub.page("/fast", "here")
    first, second = got(stub, "/slow-hop").hops
    assert first.phases.first_byte > 0.29
    assert second.phases.first_byte < 0.2


def test_a_kept_connection_costs_no_second_connect(stub: ShopStub) -> None:
    """Connections are kept within a run, and the phases say so."""
    stub.redirect("/keep", "/kept")
    stub.page("/kept", "here")
    first, second = got(stub, "/keep").hops
    assert first.phases.connect > 0
    assert second.phases.connect == 0


def test_with_no_redirects_allowed_the_redirect_is_the_answer(stub: ShopStub) -> None:
    """`redirects: false` asserts one and stops."""
    stub.redirect("/away", "/elsewhere")
    fetched = got(stub, "/away", redirects=0)
    assert (fetched.last.status, len(fetched.hops)) == (302, 1)


@pytest.mark.parametrize(("allowed", "reason"), [(2, Reason.PROTOCOL), (3, None)])
def test_redirects_end_at_the_limit(stub: ShopStub, allowed: int, reason: Reason | None) -> None:
    """Three hops are followed when three are allowed, and not when two are."""
    for here, there in (("/r1", "/r2"), ("/r2", "/r3"), ("/r3", "/end")):
        stub.redirect(here, there)
    stub.page("/end", "end")
    failure = got(stub, "/r1", redirects=allowed).failure
    assert (failure and failure.reason) == reason


def test_a_redirect_loop_is_a_protocol_failure(stub: ShopStub) -> None:
    """It ends at the limit, with every hop on record."""
    stub.redirect("/loop", "/loop")
    fetched = got(stub, "/loop")
    assert fetched.failure is not None
    assert (fetched.failure.reason, len(fetched.hops)) == (Reason.PROTOCOL, 11)


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest", "http://localhost.evil.test/", "file:///etc/passwd"]
)
def test_a_redirect_to_a_host_not_named_is_refused(stub: ShopStub, to: str) -> None:
    """The guard is asked again on every hop."""
    stub.redirect("/lure", to)
    failure = got(stub, "/lure").failure
    assert failure is not None
    assert failure.reason is Reason.EGRESS_DENIED


def test_an_address_is_refused_after_the_name_is_resolved() -> None:
    """A name that leads to the machine's metadata is refused although the file names it."""
    guard = Guard(["http://shop.example:8000/"])
    settings = ClientSettings(resolve=("shop.example:8000:169.254.169.254",))
    with Client(guard, settings) as client:
        exchange = client.send(Request("GET", "http://shop.example:8000/"), 5)
    assert exchange.failure is not None
    assert exchange.failure.reason is Reason.EGRESS_DENIED


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("GET", 302, "GET"),
    ],
)
def test_a_redirect_turns_the_method_as_browsers_do(method: str, status: int, then: str) -> None:
    """And the body goes exactly where the method stays."""
    request = Request(method, "https://a.example/", (("Content-Type", "x"),), b"body")
    after = redirected(request, status, "https://a.example/b")
    assert after.method == then
    assert (after.body == b"body") == (then == method)


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("https://a.example/b", True),
        ("https://b.example/", False),
        ("http://a.example/", False),
        ("https://a.example:8443/", False),
    ],
)
def test_credentials_stay_with_their_origin(target: str, kept: bool) -> None:
    """An Authorization header is not carried to another host, port or scheme."""
    request = Request("GET", "https://a.example/", (("Authorization", "Bearer x"),))
    assert bool(redirected(request, 302, target).header("authorization")) is kept


def test_moving_to_https_keeps_credentials() -> None:
    """The usual first hop of a shop is the same shop, secured."""
    request = Request("GET", "http://a.example/", (("Authorization", "Bearer x"),))
    assert redirected(request, 301, "https://a.example/").header("authorization")


def test_a_body_over_the_cap_ends_the_step(stub: ShopStub) -> None:
    """2 MiB are enough; the rest is never read."""
    stub.answers["/big"] = lambda handler: handler.answer(200, b"x" * (3 << 20), {})
    failure = got(stub, "/big").failure
    assert failure is not None
    assert failure.reason is Reason.PROTOCOL
    assert "larger than 2097152 bytes" in failure.detail


def test_a_gzip_bomb_costs_its_cap_only(stub: ShopStub) -> None:
    """The cap counts decoded bytes."""
    stub.answers["/bomb"] = lambda handler: handler.bomb(200 << 20)
    fetched = got(stub, "/bomb")
    assert fetched.failure is not None
    assert len(fetched.last.body) <= 2 << 20


@pytest.mark.parametrize(("size", "passes"), [(2 << 20, True), ((2 << 20) + 1, False)])
def test_the_cap_is_exact(stub: ShopStub, size: int, passes: bool) -> None:
    """A body of exactly the cap is read, one byte more is not."""
    stub.answers["/size"] = lambda handler: handler.answer(200, b"x" * size, {})
    assert (got(stub, "/size").failure is None) is passes


def test_headers_over_the_cap_end_the_step(stub: ShopStub) -> None:
    """64 KiB of headers are enough."""
    headers = {f"X-Filler-{n}": "y" * 4000 for n in range(20)}
    stub.answers["/headers"] = lambda handler: handler.answer(200, b"", headers)
    failure = got(stub, "/headers").failure
    assert failure is not None
    assert "headers larger than" in failure.detail


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/cut", Reason.PROTOCOL), ("/silent", Reason.PROTOCOL), ("/late", Reason.TIMEOUT)],
)
def test_a_broken_answer_has_its_reason(stub: ShopStub, path: str, reason: Reason) -> None:
    """Truncated, empty and late are told apart."""
    stub.answers["/cut"] = lambda handler: handler.cut(1000, b"only this")
    stub.answers["/silent"] = lambda handler: handler.hang_up()
    stub.answers["/late"] = lambda handler: handler.wait(1.0)
    failure = got(stub, path, timeout=0.3).failure
    assert failure is not None
    assert failure.reason is reason


def test_the_time_limit_holds_over_all_hops(stub: ShopStub) -> None:
    """Ten slow redirects do not add up to ten timeouts."""

    def late(handler: Handler) -> None:
        time.sleep(0.15)
        handler.answer(302, b"", {"Location": "/drip"})

    stub.answers["/drip"] = late
    started = time.monotonic()
    failure = got(stub, "/drip", timeout=0.4).failure
    assert failure is not None
    assert failure.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 2


def test_a_closed_port_is_a_connect_failure() -> None:
    """Refused at TCP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with Client(Guard([url]), ClientSettings()) as client:
        exchange = client.send(Request("GET", url), 5)
    assert exchange.failure is not None
    assert exchange.failure.reason is Reason.CONNECT


def test_a_name_that_does_not_resolve_is_a_dns_failure() -> None:
    """`.invalid` never resolves (RFC 2606)."""
    with Client(Guard(["http://shop.invalid/"]), ClientSettings()) as client:
        exchange = client.send(Request("GET", "http://shop.invalid/"), 5)
    assert exchange.failure is not None
    assert exchange.failure.reason is Reason.DNS
    assert exchange.hop.phases.dns == pytest.approx(exchange.hop.duration_seconds, abs=1e-4)


@contextmanager
def raw_server(*answers: bytes) -> Iterator[str]:
    """Yield the address of a server that sends each answer once, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_malformed_http_is_a_protocol_failure(answer: bytes) -> None:
    """What is not HTTP is told as such."""
    with raw_server(answer) as url, Client(Guard([url]), ClientSettings()) as client:
        exchange = client.send(Request("GET", url), 5)
    assert exchange.failure is not None
    assert exchange.failure.reason is Reason.PROTOCOL


@pytest.mark.parametrize(("repeatable", "posts"), [(False, 1), (True, 2)])
def test_an_order_is_not_sent_again_when_its_connection_dies(
    stub: ShopStub, repeatable: bool, posts: int
) -> None:
    """libcurl repeats a request on a dead kept connection; one that must not be repeated is not."""
    stub.page("/warm", "warm")
    stub.answers["/order"] = lambda handler: handler.hang_up()
    stub.seen.clear()
    with Client(Guard([stub.url]), ClientSettings()) as client:
        client.send(Request("GET", f"{stub.url}/warm"), 5)
        body = Request("POST", f"{stub.url}/order", body=b"a=1", repeatable=repeatable)
        exchange = client.send(body, 5)
    assert exchange.failure is not None
    assert stub.paths().count("/order") == posts


MARKS = {"resolved": 10, "connected": 20, "secured": 30, "sent": 31, "answered": 50, "total": 90}


@pytest.mark.parametrize(
    ("reached", "phase"),
    [(0, "dns"), (1, "connect"), (2, "tls"), (4, "first_byte"), (5, "transfer")],
)
def test_an_early_end_is_put_down_to_its_phase(reached: int, phase: str) -> None:
    """The phase that was under way gets the time that was left."""
    marks = {key: (v if n < reached else 0) for n, (key, v) in enumerate(MARKS.items())}
    clocks = Clocks(**{**marks, "total": 90}, is_tls=True, is_new=True)
    assert unfinished(clocks) == phase
    spent = dict(phases_of(clocks, failed=True).items())
    assert sum(spent.values()) == pytest.approx(90e-6)
    assert spent[phase] > 0


def test_the_phases_of_a_whole_request_add_up() -> None:
    """Nothing is counted twice."""
    phases = phases_of(Clocks(**MARKS, is_tls=True, is_new=True), failed=False)
    assert [round(s * 1e6) for _, s in phases.items()] == [10, 10, 10, 20, 40]


@given(st.text(max_size=100))
def test_no_location_makes_a_redirect_raise(location: str) -> None:
    """A hostile Location is followed, refused or left, and tidying twice changes nothing."""
    tidied = tidy_url(location)
    assert tidied.isascii()
    assert tidy_url(tidied) == tidied
