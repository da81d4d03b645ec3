"""Reading from an address of the configuration: bounded in time and bytes, led nowhere else.

The address is the operator's own. A redirect is not followed, and neither a proxy nor a `.netrc`
of this machine is used, so that a secret goes to the server it was meant for and to no other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import requests
from pydantic import HttpUrl

from monitor.notify.message import Context, NotifyError

MOST_BYTES = 64 * 1024 * 1024  # decoded
CHUNK_BYTES = 64 * 1024


class Unanswered(Exception):  # noqa: N818 - says what happened
    """A server gave no answer that can be used; the text says why and holds no secret."""


class Access(Protocol):
    """Where a server is and how it lets us in; texts may name a secret, `${secret:NAME}`."""

    @property
    def url(self) -> HttpUrl:
        """The address, or its beginning."""
        ...

    @property
    def bearer(self) -> str:
        """The token it wants, or empty."""
        ...

    @property
    def username(self) -> str:
        """Who it wants us to be, or empty."""
        ...

    @property
    def password(self) -> str:
        """What it wants to hear from that user."""
        ...

    @property
    def verify(self) -> bool:
        """Whether its certificate must be good."""
        ...

    @property
    def ca_file(self) -> str | None:
        """Who may have signed the certificate, where that is not the usual authorities."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, decoded of any compression, and what the server says it is."""

    body: bytes
    content_type: str


class Straight(requests.Session):
    """A session that goes where it is told to and nowhere else.

    Even one that may follow no redirect reads to its end what a redirect comes with: here that
    is an answer like any other, read as far as its reader wants.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Find none."""


def fetch(
    server: Access,
    context: Context,
    *,
    seconds: float,
    headers: Mapping[str, str],
    path: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> Fetched:
    """Return what a server answers with 200 at its address, or at a path below it.

    Raises:
        Unanswered: no answer within `seconds`, another status, or more than `MOST_BYTES`.
    """
    address = str(server.url) if path is None else str(server.url).rstrip("/") + path
    ends = time.monotonic() + seconds
    try:
        with (
            unproxied() as session,
            session.get(
                address,
                params=parameters,
                headers={"User-Agent": "saypro-monitor", **headers, **_token(server, context)},
                auth=_login(server, context),
                timeout=seconds,
                verify=server.ca_file or server.verify,
                stream=True,
            ) as answer,
        ):
            if answer.status_code != requests.codes.ok:
                raise Unanswered(f"answered {answer.status_code}")
            body = read_body(answer, ends, seconds)
            return Fetched(body, answer.headers.get("Content-Type", ""))
    except requests.RequestException as error:
        if time.monotonic() >= ends:
            raise Unanswered(f"took longer than {seconds:g} s") from error
        raise Unanswered(f"gave no answer ({type(error).__name__})") from error


def unproxied() -> requests.Session:
    """Return a session that uses neither a proxy nor a `.netrc` of this machine."""
    session = Straight()
    session.trust_env = False
    return session


def _token(server: Access, context: Context) -> dict[str, str]:
    return {"Authorization": f"Bearer {_reveal(server.bearer, context)}"} if server.bearer else {}


def _login(server: Access, context: Context) -> tuple[str, str] | None:
    if not server.username:
        return None
    return _reveal(server.username, context), _reveal(server.password, context)


def _reveal(text: str, context: Context) -> str:
    try:
        return context.reveal(text)
    except NotifyError as error:
        raise Unanswered(str(error)) from error


def read_body(
    answer: requests.Response, ends: float, seconds: float, most_bytes: int = MOST_BYTES
) -> bytes:
    """Return the decoded body of an answer that is read as a stream.

    `ends` is where the monotonic clock stands when the `seconds` it may take in all are over.

    Raises:
        Unanswered: it is longer than `most_bytes`, or takes too long.
        requests.RequestException: it breaks off.
    """
    parts, size = [], 0
    for chunk in answer.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > most_bytes:
            raise Unanswered(f"sent more than {most_bytes} bytes")
        if time.monotonic() > ends:
            raise Unanswered(f"took longer than {seconds:g} s")
        parts.append(chunk)
    return b"".join(parts)
