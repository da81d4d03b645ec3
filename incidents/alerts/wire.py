"""What the doors have in common: text and times as they come over the wire."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from incidents.alerts.model import Alert
from incidents.texts import storable

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d)?(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not 2xx; `body` is what is sent as JSON."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Parsed:
    """The alerts to store, and the refusal to answer with once they are stored.

    Alertmanager stores the good alerts of a batch and still refuses it, so both may be present.
    `cut_off` counts alerts the sender had and did not send.
    """

    alerts: tuple[Alert, ...] = ()
    refusal: Refusal | None = None
    cut_off: int = 0


class NotReadable(ValueError):  # noqa: N818 - becomes a refusal
    """The body cannot be what it should be; the message says where it stops making sense."""


def read_json(body: bytes) -> Any:
    """Return what the body says; bytes that are not UTF-8 and unstorable characters become U+FFFD.

    Raises:
        NotReadable: it is not JSON.
    """
    with suppress(orjson.JSONDecodeError):  # then the slower one says what is wrong, or bears it
        value = orjson.loads(body)
        return _storable(value) if b"\\u" in body else value
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise NotReadable(_go_words(text, error)) from error
    except (ValueError, RecursionError) as error:
        raise NotReadable(str(error)) from error
    return _storable(value) if "\\u" in text else value


@lru_cache(4096)  # the alerts of one evaluation have their times in common
def read_time(text: str) -> datetime | None:
    """Return the instant an RFC 3339 text names, to the microsecond; None for none and for zero.

    Raises:
        NotReadable: it names no instant.
    """
    if not text:
        return None
    if not _TIME.fullmatch(text):
        raise NotReadable(_time_words(text))
    try:
        at = datetime.fromisoformat(text.upper())
        utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None  # an offset that leads before year 1, which is how Go writes "never"
    except ValueError as error:
        raise NotReadable(_time_words(text)) from error
    return None if utc.year == 1 else utc


def write_time(at: datetime) -> str:
    """Return the instant as Alertmanager writes it: RFC 3339, milliseconds, UTC."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def json_kind(value: object) -> str:
    """Return the word Go's JSON reader has for a value's kind."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (str, "string"),
        (int, "number"),
        (float, "number"),
        (dict, "object"),
        (list, "array"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "null")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def _refuse_constant(name: str) -> None:
    raise NotReadable(f"invalid character {name[0]!r} looking for beginning of value")


def _time_words(text: str) -> str:
    return f'parsing time "{text}" as "2006-01-02 15:04:05": cannot parse "{text}" as "2006"'


def _go_words(text: str, error: json.JSONDecodeError) -> str:
    """Return the complaint in the words senders know from Go's JSON reader."""
    at = error.pos
    if at >= len(text):
        return "unexpected end of JSON input"
    for literal in ("null", "true", "false"):
        if text[at] == literal[0]:
            same = next(
                (n for n, c in enumerate(literal) if text[at + n : at + n + 1] != c), len(literal)
            )
            wrong, wanted = text[at + same : at + same + 1], literal[same : same + 1]
            if wrong and wanted:
                return f"invalid character '{wrong}' in literal {literal} (expecting '{wanted}')"
    return f"invalid character '{text[at]}' looking for beginning of value"
