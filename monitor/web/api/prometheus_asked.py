"""What was asked of the Prometheus API, read from addresses and forms; and how it is refused."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import ImmutableMultiDict

from monitor.promql import Matcher, VectorSelector, parse
from monitor.rules.templates import TemplateError
from monitor.rules.templates.humanize import parse_duration
from monitor.web.sent_forms import sent_fields

LATEST = 253_402_300_799.0  # the year 9999
Fields = ImmutableMultiDict[str, str]


class Refused(Exception):  # noqa: N818 - a refusal is named for what it refuses
    """A question that is not answered: Prometheus's error type, the text, the HTTP status."""

    def __init__(self, kind: str, text: str, status: int) -> None:
        super().__init__(text)
        self.kind, self.status = kind, status


def bad(text: str) -> Refused:
    """Return the refusal of a question that is put wrongly."""
    return Refused("bad_data", text, 400)


async def fields(request: Request) -> Fields:
    """Return what was asked, from the address and, by POST, from the form sent."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        pairs = await sent_fields(request) + pairs
    return ImmutableMultiDict(pairs)


Asked = Annotated[Fields, Depends(fields)]


def moment(asked: Fields, name: str, default: float | None) -> float:
    """Return a time given in RFC 3339 or Unix seconds, to the nearest millisecond, halves up."""
    text = asked.get(name, "")
    if not text and default is not None:
        return default
    try:
        seconds = float(text) if re.fullmatch(r"[-+0-9.eE]+", text) else _rfc3339(text)
    except ValueError as error:
        raise bad(
            f"invalid parameter {name!r}: cannot parse {text!r} to a valid timestamp"
        ) from error
    if not abs(seconds) <= LATEST:
        raise bad(f"invalid parameter {name!r}: {text!r} is out of range")
    return math.floor(seconds * 1000 + 0.5) / 1000


def _rfc3339(text: str) -> float:
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(text)
    return read.timestamp()


def length(asked: Fields, name: str, default: float | None = None) -> float | None:
    """Return a duration given as seconds or as `1m30s`."""
    text = asked.get(name, "")
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parse_duration(text)
        except TemplateError as error:
            raise bad(
                f"invalid parameter {name!r}: cannot parse {text!r} to a valid duration"
            ) from error
    if not math.isfinite(seconds):
        raise bad(f"invalid parameter {name!r}: {text!r} is out of range")
    return seconds


def whole(asked: Fields, name: str) -> int | None:
    """Return a number, or None where none was given."""
    text = asked.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise bad(f"invalid parameter {name!r}: {name} must be a number")
    return int(text)


def selectors(asked: Fields) -> list[tuple[Matcher, ...]]:
    """Return the matchers of every `match[]`; at least one must keep out the empty label set."""
    found = []
    for text in asked.getlist("match[]"):
        expr = parse(text)
        if not isinstance(expr, VectorSelector):
            raise bad(f"invalid parameter 'match[]': {text!r} is not a series selector")
        found.append(expr.matchers)
    return found
