"""One libcurl handle for one run: its connections, its cookies, its caps and its guard.

A client is made for a run and closed with it, so that nothing of a run reaches the next. It is
used by one thread at a time. Redirects are not followed here: `probes.http.fetch` does.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import pycurl

from probes.egress import EgressDenied, Guard, Origin
from probes.http.certificates import Authorities, earliest_expiry, system_authorities
from probes.http.cookies import Cookie, parse_cookie
from probes.http.failures import failure_of
from probes.http.message import Exchange, Failure, Headers, Request
from probes.http.phases import Clocks, phases_of
from probes.result import Hop, Reason

MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class ClientSettings:
    """How a client connects. `resolve` holds libcurl's `host:port:address` entries."""

    ca_file: str | None = None
    verify: bool = True
    max_body_bytes: int = MAX_BODY_BYTES
    resolve: tuple[str, ...] = ()


class _Answer:
    """What a request's callbacks have received so far, within the caps."""

    def __init__(self, max_body_bytes: int, stop_at: float) -> None:
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.over = ""
        self._header_bytes = 0
        self._max_body_bytes = max_body_bytes
        self._stop_at = stop_at

    def take_header(self, line: bytes) -> int | None:
        """Keep one header line; a status line starts anew (after 100 Continue)."""
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADER_BYTES:
            self.over = f"headers larger than {MAX_HEADER_BYTES // 1024} KiB"
            return 0
        if line.startswith(b"HTTP/"):
            self.headers.clear()
        elif b":" in line:
            name, _, value = line.decode("latin-1").partition(":")
            self.headers.append((name.strip(), value.strip()))
        return None

    def take_body(self, chunk: bytes) -> int | None:
        """Keep one decoded piece of the body."""
        if len(self.body) + len(chunk) > self._max_body_bytes:
            self.over = f"body larger than {self._max_body_bytes} bytes"
            return 0
        if time.monotonic() > self._stop_at:
            self.over = "body still arriving when time was up"
            return 0
        self.body += chunk
        return None


class Client:
    """Sends requests for one run."""

    def __init__(self, guard: Guard, settings: ClientSettings) -> None:
        """Open nothing yet."""
        self._guard, self._settings = guard, settings
        self._curl = pycurl.Curl()
        self._origin: Origin | None = None
        self._denied = ""
        self._expiries: dict[Origin, datetime] = {}  # a kept connection shows no certificate again
        self._lent: list[socket.socket] = []  # pycurl works on copies of their descriptors

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and forget every cookie."""
        self._curl.close()

    def send(self, request: Request, timeout_seconds: float) -> Exchange:
        """Return what came of the request within the time given; never raises for a target's fault.

        Raises:
            EgressDenied: the journey does not name the host.
        """
        self._origin, self._denied = self._guard.check_url(request.url), ""
        answer = _Answer(self._settings.max_body_bytes, time.monotonic() + timeout_seconds)
        self._prepare(request, self._origin, answer, timeout_seconds)
        error: pycurl.error | None = None
        try:
            self._curl.perform()
        except pycurl.error as raised:
            error = raised
        finally:
            while self._lent:
                self._lent.pop().close()
        return self._exchange(request, answer, error)

    def cookies(self) -> tuple[Cookie, ...]:
        """Return every cookie in the jar."""
        lines = self._curl.getinfo_raw(pycurl.INFO_COOKIELIST)
        return tuple(cookie for line in lines if (cookie := parse_cookie(line)) is not None)

    def _prepare(
        self, request: Request, origin: Origin, answer: _Answer, timeout_seconds: float
    ) -> None:
        """Set every option of one request; connections and cookies stay from the one before."""
        curl = self._curl
        curl.reset()
        options: list[tuple[int, Any]] = [
            (pycurl.URL, request.url),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.PROXY, ""),  # the environment's proxy would hide the address from the guard
            (pycurl.NOSIGNAL, 1),
            (pycurl.NOPROGRESS, 1),
            (pycurl.TIMEOUT_MS, max(1, int(timeout_seconds * 1000))),
            (pycurl.CONNECTTIMEOUT_MS, max(1, int(timeout_seconds * 1000))),
            (pycurl.COOKIEFILE, ""),
            (pycurl.ACCEPT_ENCODING, ""),
            (pycurl.HTTPHEADER, [_header_line(*pair) for pair in request.headers] + ["Expect:"]),
            (pycurl.HEADERFUNCTION, answer.take_header),
            (pycurl.WRITEFUNCTION, answer.take_body),
            (pycurl.OPENSOCKETFUNCTION, self._open_socket),
        ]
        if self._settings.resolve:
            options.append((pycurl.RESOLVE, list(self._settings.resolve)))
        if origin.scheme == "https":
            options += self._tls_options()
        for option, value in options:
            curl.setopt(option, value)
        _set_body(curl, request)

    def _tls_options(self) -> list[tuple[int, Any]]:
        """Return how the server's certificate is checked."""
        own = self._settings.ca_file
        trusted = Authorities(own) if own else system_authorities()
        return [
            (pycurl.CAINFO, trusted.file),  # None: not the one libcurl was built to look for either
            (pycurl.CAPATH, trusted.folder),
            (pycurl.SSL_VERIFYPEER, 1 if self._settings.verify else 0),
            (pycurl.SSL_VERIFYHOST, 2 if self._settings.verify else 0),
            (pycurl.OPT_CERTINFO, 1),
        ]

    def _open_socket(self, _purpose: int, target: Any) -> socket.socket | int:
        """Return a socket for an address the guard lets pass; libcurl connects it."""
        if self._origin is None:
            return int(pycurl.SOCKET_BAD)
        try:
            self._guard.check_address(self._origin, str(target.addr[0]))
        except (EgressDenied, ValueError) as denied:
            self._denied = str(denied)
            return int(pycurl.SOCKET_BAD)
        self._lent.append(socket.socket(target.family, target.socktype, target.protocol))
        return self._lent[-1]

    def _exchange(self, request: Request, answer: _Answer, error: pycurl.error | None) -> Exchange:
        """Return everything known about the request that has just ended."""
        curl = self._curl
        clocks = self._clocks(is_tls=request.url.startswith("https:"))
        failure = self._failure(error, answer, clocks)
        hop = Hop(
            method=request.method,
            url=request.url,
            status=curl.getinfo(pycurl.RESPONSE_CODE),
            remote_address=curl.getinfo(pycurl.PRIMARY_IP),
            phases=phases_of(
                clocks, failed=failure is not None, reason=failure.reason if failure else None
            ),
            duration_seconds=clocks.total / 1e6,
        )
        headers: Headers = tuple(answer.headers)
        expiry = self._expiry() if clocks.is_tls else None
        return Exchange(request, hop, hop.status, headers, bytes(answer.body), failure, expiry)

    def _expiry(self) -> datetime | None:
        """Return when the server's certificates run out, as far as it has shown them."""
        found = earliest_expiry(self._curl.getinfo_raw(pycurl.INFO_CERTINFO))
        if self._origin is None:
            return found
        if found is not None:
            self._expiries[self._origin] = found
        return self._expiries.get(self._origin)

    def _failure(
        self, error: pycurl.error | None, answer: _Answer, clocks: Clocks
    ) -> Failure | None:
        """Return why the request failed, None where it did not."""
        if error is None:
            return None
        if self._denied:
            return Failure(Reason.EGRESS_DENIED, self._denied)
        if answer.over:
            in_time = "time" not in answer.over
            return Failure(Reason.PROTOCOL if in_time else Reason.TIMEOUT, answer.over)
        return failure_of(error, clocks)

    def _clocks(self, *, is_tls: bool) -> Clocks:
        """Return libcurl's clocks for the request that has just ended."""
        read = self._curl.getinfo
        return Clocks(
            resolved=read(pycurl.NAMELOOKUP_TIME_T),
            connected=read(pycurl.CONNECT_TIME_T),
            secured=read(pycurl.APPCONNECT_TIME_T),
            sent=read(pycurl.PRETRANSFER_TIME_T),
            answered=read(pycurl.STARTTRANSFER_TIME_T),
            total=read(pycurl.TOTAL_TIME_T),
            is_tls=is_tls,
            is_new=read(pycurl.NUM_CONNECTS) > 0 or not read(pycurl.PRETRANSFER_TIME_T),
        )


def _header_line(name: str, value: str) -> bytes:
    """Return a header as libcurl takes it; an empty value is still sent, with `;`."""
    line = f"{name}: {value}" if value else f"{name};"
    return line.encode("utf-8", "surrogateescape")


def _set_body(curl: pycurl.Curl, request: Request) -> None:
    """Set method and body.

    The body of a request that must not be repeated is read from a stream that cannot go back, so
    that libcurl cannot send it a second time by itself when a kept connection dies under it.
    """
    if request.method == "HEAD":
        curl.setopt(pycurl.NOBODY, 1)
    elif request.body is None and request.method != "POST":
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
    else:
        body = request.body or b""
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
        if request.repeatable:
            curl.setopt(pycurl.POSTFIELDS, body)
        else:
            curl.setopt(pycurl.READFUNCTION, BytesIO(body).read)
