"""`POST /api/v2/alerts`: what Prometheus sends, read and refused as Alertmanager 0.25 does it.

Status codes and messages are those that Alertmanager 0.25.0 gave to 35 requests (our measurement,
2026-11-22). One difference is wanted: an empty `startsAt` counts as none, not as the year 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from incidents.alerts.expiry import RESOLVE_TIMEOUT
from incidents.alerts.model import Alert
from incidents.alerts.wire import NotReadable, Parsed, Refusal, json_kind, read_json, read_time

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_URI = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:|/)[^\s\x00-\x1f\x7f]*")


class _Invalid(ValueError):  # noqa: N818 - becomes a refusal
    """One alert breaks a rule; the batch is refused, its neighbours are kept."""


class _Missing(ValueError):  # noqa: N818 - becomes a refusal
    """The body breaks the description of the interface; nothing of it is kept."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(422, {"code": code, "message": message})


def parse(body: bytes, now: datetime, resolve_timeout: timedelta = RESOLVE_TIMEOUT) -> Parsed:
    """Return the alerts a request holds, and how it must be answered when it is not all good.

    An alert without an end ends `resolve_timeout` after now unless it is told again.
    """
    if not body.strip():
        return Parsed(refusal=Refusal(422, {"code": 602, "message": "alerts in body is required"}))
    try:
        items = _items(read_json(body))
        _check_described(items)
        times = [(_time(item, "startsAt"), _time(item, "endsAt")) for item in items]
    except NotReadable as error:
        message = f'parsing alerts body from "" failed, because {error}'
        return Parsed(refusal=Refusal(400, {"code": 400, "message": message}))
    except _Missing as error:
        return Parsed(refusal=error.refusal)
    return _alerts(items, times, now, resolve_timeout)


def refuse_content_type(content_type: str | None) -> Refusal | None:
    """Return how a request of another type than JSON is answered."""
    given = (content_type or "application/x-www-form-urlencoded").partition(";")[0].strip().lower()
    if given == "application/json":
        return None
    message = f'unsupported media type "{given}", only [application/json] are allowed'
    return Refusal(415, {"code": 415, "message": message})


def _items(value: Any) -> list[dict[str, Any]]:
    """Return the array's objects, their types checked as far as Go's reader would."""
    if value is None:
        raise _Missing(602, "alerts in body is required")
    if not isinstance(value, list):
        raise NotReadable(
            f"json: cannot unmarshal {json_kind(value)} into Go value of type models.PostableAlerts"
        )
    for item in value:
        if item is not None and not isinstance(item, dict):
            raise NotReadable(
                f"json: cannot unmarshal {json_kind(item)} "
                "into Go value of type models.PostableAlert"
            )
    items = [item for item in value if item is not None]
    for item in items:
        for key in ("labels", "annotations"):
            _check_texts(item.get(key), key)
        for key in ("startsAt", "endsAt", "generatorURL"):
            if not isinstance(item.get(key), str | None):
                raise _wrong_kind(item[key], key, "string")
    return items


def _check_texts(value: Any, key: str) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise _wrong_kind(value, key, "models.LabelSet")
    for text in value.values():
        if not isinstance(text, str | None):
            raise _wrong_kind(text, key, "string")


def _wrong_kind(value: object, key: str, wanted: str) -> NotReadable:
    return NotReadable(
        f"json: cannot unmarshal {json_kind(value)} into Go struct field Alert.{key} "
        f"of type {wanted}"
    )


def _check_described(items: list[dict[str, Any]]) -> None:
    for number, item in enumerate(items):
        url = item.get("generatorURL")
        if url and not _URI.fullmatch(url):
            message = f'{number}.generatorURL in body must be of type uri: "{url}"'
            raise _Missing(601, message)
        if item.get("labels") is None:
            raise _Missing(602, f"{number}.labels in body is required")


def _time(item: Mapping[str, Any], key: str) -> datetime | None:
    return read_time(item.get(key) or "")


def _alerts(
    items: list[dict[str, Any]],
    times: list[tuple[datetime | None, datetime | None]],
    now: datetime,
    resolve_timeout: timedelta,
) -> Parsed:
    alerts, wrong = [], []
    for item, (starts_at, ends_at) in zip(items, times, strict=True):
        try:
            alerts.append(_alert(item, starts_at or ends_at or now, ends_at, now + resolve_timeout))
        except _Invalid as error:
            wrong.append(str(error))
    refusal = Refusal(400, "; ".join(wrong)) if wrong else None
    return Parsed(tuple(alerts), refusal)


def _alert(
    item: Mapping[str, Any], starts_at: datetime, ends_at: datetime | None, fallback: datetime
) -> Alert:
    ends_at = ends_at or fallback
    if ends_at < starts_at:
        raise _Invalid("start time must be before end time")
    labels = {name: value for name, value in item["labels"].items() if value}
    annotations = {name: value or "" for name, value in (item.get("annotations") or {}).items()}
    if not labels:
        raise _Invalid("at least one label pair required")
    _check_names(labels, "invalid label set")
    _check_names(annotations, "invalid annotations")
    url = item.get("generatorURL") or ""
    return Alert(labels, annotations, starts_at=starts_at, ends_at=ends_at, generator_url=url)


def _check_names(texts: Mapping[str, str], what: str) -> None:
    if not all(map(_is_name, texts)):
        first = min(name for name in texts if not _is_name(name))
        raise _Invalid(f'{what}: invalid name "{first}"')


@lru_cache(4096)  # the same few names come with every alert
def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None
