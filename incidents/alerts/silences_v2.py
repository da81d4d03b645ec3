"""`/api/v2/silences`: what amtool and Grafana send, read, refused and told as Alertmanager does it.

Status codes and messages are those that Alertmanager 0.25.0 gave to 37 requests (our measurement,
2026-11-22). One difference is wanted: an empty `startsAt` counts as now.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import re2

from incidents.alerts.matchers import Matcher, Operator, compiled, complaint
from incidents.alerts.silences import Silence
from incidents.alerts.wire import (
    NotReadable,
    Refusal,
    json_kind,
    read_json,
    read_time,
    write_time,
)

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REQUIRED = ("comment", "createdBy", "endsAt", "matchers", "startsAt")
_OPERATORS = {
    (True, False): Operator.EQUAL,
    (False, False): Operator.UNEQUAL,
    (True, True): Operator.LIKE,
    (False, True): Operator.UNLIKE,
}
_FLAGS = {operator: flags for flags, operator in _OPERATORS.items()}


@dataclass(frozen=True, slots=True)
class Posted:
    """What a request asks for: a new silence, or a change of the one with this id."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


def parse(body: bytes, now: datetime) -> Posted | Refusal:
    """Return what a request asks for, or how it must be refused."""
    if not body.strip():
        return _missing("silence")
    try:
        item = _item(read_json(body))
        times = {key: read_time(item.get(key) or "") for key in ("startsAt", "endsAt")}
    except NotReadable as error:
        words = str(error).replace("unexpected end of JSON input", "unexpected EOF")
        message = f'parsing silence body from "" failed, because {words}'
        return Refusal(400, {"code": 400, "message": message})
    if (refusal := _refused_shape(item)) is not None:
        return refusal
    try:
        matchers = tuple(_matcher(one, n) for n, one in enumerate(item["matchers"]))
    except _BadMatcher as error:
        return Refusal(400, f"silence invalid: invalid label matcher {error}")
    starts_at = times["startsAt"] or now
    ends_at = times["endsAt"]
    if ends_at is None:
        return Refusal(400, "Failed to create silence: start time must be before end time")
    return Posted(
        item.get("id") or "", matchers, starts_at, ends_at, item["createdBy"], item["comment"]
    )


def refuse_id(silence_id: str) -> Refusal | None:
    """Return how a path is answered whose last part is no id."""
    try:
        uuid.UUID(silence_id)
    except ValueError:
        message = f'silenceID in path must be of type uuid: "{silence_id}"'
        return Refusal(422, {"code": 601, "message": message})
    return None


def gettable(silence: Silence, now: datetime) -> dict[str, Any]:
    """Return a silence in Alertmanager's shape; one that recurs as its present occurrence."""
    starts_at, ends_at = silence.period(now)
    return {
        "id": silence.id,
        "status": {"state": silence.state(now).value},
        "updatedAt": write_time(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "endsAt": write_time(ends_at),
        "matchers": [matcher_json(matcher) for matcher in silence.matchers],
        "startsAt": write_time(starts_at),
    }


def matcher_json(matcher: Matcher) -> dict[str, Any]:
    """Return a matcher in Alertmanager's shape."""
    is_equal, is_regex = _FLAGS[matcher.operator]
    return {
        "isEqual": is_equal,
        "isRegex": is_regex,
        "name": matcher.name,
        "value": matcher.value,
    }


class _BadMatcher(ValueError):  # noqa: N818 - becomes a refusal
    """A matcher is none."""


def _item(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotReadable(
            f"json: cannot unmarshal {json_kind(value)} into Go value of type models.Silence"
        )
    for key in ("id", *_REQUIRED):
        if key != "matchers" and not isinstance(value.get(key), str | None):
            raise _wrong_kind(value[key], f"Silence.{key}", "string")
    matchers = value.get("matchers")
    if matchers is None:
        return value
    if not isinstance(matchers, list):
        raise _wrong_kind(matchers, "Silence.matchers", "models.Matchers")
    for matcher in matchers:
        _check_kinds(matcher)
    return value


def _check_kinds(matcher: Any) -> None:
    if not isinstance(matcher, dict):
        raise _wrong_kind(matcher, "Silence.matchers", "models.Matcher")
    for key, kind, word in (
        ("name", str, "string"),
        ("value", str, "string"),
        ("isRegex", bool, "bool"),
        ("isEqual", bool, "bool"),
    ):
        if not isinstance(matcher.get(key), kind | None):
            raise _wrong_kind(matcher[key], f"Matcher.matchers.{key}", word)


def _wrong_kind(value: object, field: str, wanted: str) -> NotReadable:
    kind = json_kind(value)
    return NotReadable(
        f"json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}"
    )


def _refused_shape(item: Mapping[str, Any]) -> Refusal | None:
    for key in _REQUIRED:
        if item.get(key) is None:
            return _missing(key)
    if not item["matchers"]:
        message = "matchers in body should have at least 1 items"
        return Refusal(422, {"code": 612, "message": message})
    for number, matcher in enumerate(item["matchers"]):
        for key in ("isRegex", "name", "value"):
            if matcher.get(key) is None:
                return _missing(f"matchers.{number}.{key}")
    return None


def _missing(what: str) -> Refusal:
    return Refusal(422, {"code": 602, "message": f"{what} in body is required"})


def _matcher(item: Mapping[str, Any], number: int) -> Matcher:
    name, value = item["name"], item["value"]
    is_equal = item.get("isEqual") is not False
    if not _NAME.fullmatch(name):
        raise _BadMatcher(f'{number}: invalid label name "{name}"')
    if item["isRegex"]:
        try:
            compiled(value)
        except re2.error as error:
            why = f'invalid regular expression "{value}": {complaint(error)}'
            raise _BadMatcher(f"{number}: {why}") from error
    return Matcher(name, _OPERATORS[is_equal, item["isRegex"]], value)
