"""One request and what came of it, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from probes.result import Hop, Reason

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no usable answer came."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes on the wire.

    `repeatable`: it may be sent again by itself when a kept connection turns out to be dead.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    repeatable: bool = True

    def header(self, name: str) -> str:
        """Return the first value of a header, empty where it is not there."""
        return header_of(self.headers, name)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its hop, and an answer or a failure (and then perhaps part of an answer)."""

    request: Request
    hop: Hop
    status: int = 0
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    failure: Failure | None = None
    certificate_expires_at: datetime | None = None

    def header(self, name: str) -> str:
        """Return the first value of an answer's header, empty where it is not there."""
        return header_of(self.headers, name)


def header_of(headers: Headers, name: str) -> str:
    """Return the first value of the header, whatever its case; empty where it is not there."""
    lowered = name.lower()
    return next((value for key, value in headers if key.lower() == lowered), "")
