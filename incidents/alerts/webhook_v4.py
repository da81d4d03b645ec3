"""What an Alertmanager sends to a webhook, version 4, read without falling into its traps.

Only the status of each single alert counts: the group's is "firing" while any listed alert fires,
and wrong in both ways once the list was cut off (measured with Alertmanager 0.25.0, 2026-11-22). An
alert that is missing from the list is not resolved. A firing alert has no end: its sender repeats
it at an interval that only the sender knows, so it never lapses by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.alerts.model import Alert
from incidents.alerts.wire import NotReadable, Parsed, Refusal, read_json, read_time

VERSION = "4"
MOST_CUT_OFF = 2**31  # it is added to a counter; nobody leaves out more


def parse(body: bytes, now: datetime) -> Parsed:
    """Return the alerts of one webhook call, or a refusal that says what is wrong with it."""
    try:
        value = read_json(body)
        items = _items(value)
        alerts = tuple(_alert(item, number, now) for number, item in enumerate(items))
    except NotReadable as error:
        return Parsed(refusal=Refusal(400, {"code": 400, "message": str(error)}))
    cut_off = value.get("truncatedAlerts")
    counted = isinstance(cut_off, int) and 0 <= cut_off <= MOST_CUT_OFF
    return Parsed(alerts, cut_off=cut_off if counted else 0)


def _items(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, dict):
        raise NotReadable("expected an object with `version` and `alerts`")
    if value.get("version") != VERSION:
        raise NotReadable(f"expected version {VERSION!r}, not {value.get('version')!r}")
    items = value.get("alerts")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise NotReadable("alerts: expected a list of objects")
    return items


def _alert(item: Mapping[str, Any], number: int, now: datetime) -> Alert:
    place = f"alerts.{number}"
    status = item.get("status")
    if status not in ("firing", "resolved"):
        raise NotReadable(f"{place}.status: expected firing or resolved, not {status!r}")
    labels = {name: text for name, text in _texts(item, place, "labels").items() if text}
    if not labels:
        raise NotReadable(f"{place}.labels: expected at least one label with a value")
    starts_at = _time(item, place, "startsAt") or now
    ended_at = min(_time(item, place, "endsAt") or now, now)
    url = item.get("generatorURL")
    return Alert(
        labels,
        _texts(item, place, "annotations"),
        starts_at=min(starts_at, ended_at) if status == "resolved" else starts_at,
        ends_at=ended_at if status == "resolved" else None,
        generator_url=url if isinstance(url, str) else "",
    )


def _texts(item: Mapping[str, Any], place: str, key: str) -> dict[str, str]:
    value = item.get(key) or {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise NotReadable(f"{place}.{key}: expected an object of texts")
    return value


def _time(item: Mapping[str, Any], place: str, key: str) -> datetime | None:
    value = item.get(key)
    if not isinstance(value, str | None):
        raise NotReadable(f"{place}.{key}: expected a time such as 2026-11-22T09:00:00Z")
    try:
        return read_time(value or "")
    except NotReadable as error:
        raise NotReadable(f"{place}.{key}: {error}") from error
