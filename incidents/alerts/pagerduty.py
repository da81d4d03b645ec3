"""PagerDuty Events API v2, as it comes in: whatever can page through PagerDuty can tell us too.

One event is about one alert, whose identity is its `dedup_key`; what the payload says of it may
change from one trigger to the next and becomes annotations, so that an update is not another
alert. Requests and answers follow the published description of the interface
(https://developer.pagerduty.com/docs/events-api-v2/trigger-events/), read on 2026-11-22.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.alerts.model import Alert
from incidents.alerts.wire import NotReadable, read_json, read_time

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = {"critical": "critical", "error": "critical", "warning": "warning", "info": "info"}
LONGEST_SUMMARY = 1024
LONGEST_KEY = 255
LONGEST_BODY_BYTES = 512 * 1024
_ANNOTATED = ("source", "group", "class")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: what is to happen to the alert that `dedup_key` names."""

    action: str
    dedup_key: str
    alert: Alert  # resolved where the action is `resolve`
    by: str  # who tells it: `client`, else the payload's source


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why an event is not taken; every fault is listed."""

    errors: tuple[str, ...]

    @property
    def body(self) -> dict[str, Any]:
        """Return the answer, in PagerDuty's shape."""
        return {
            "status": "invalid event",
            "message": "Event object is invalid",
            "errors": list(self.errors),
        }


def routing_key(body: bytes) -> str:
    """Return the key an event shows, empty where it shows none or cannot be read."""
    try:
        value = read_json(body)
    except NotReadable:
        return ""
    key = value.get("routing_key") if isinstance(value, dict) else None
    return key if isinstance(key, str) else ""


def parse(body: bytes, now: datetime) -> Event | Invalid:
    """Return the event a request holds, or everything that is wrong with it."""
    try:
        value = read_json(body)
    except NotReadable as error:
        return Invalid((f"the body is no JSON: {error}",))
    if not isinstance(value, dict):
        return Invalid(("the body must be an object",))
    errors = [*_envelope_faults(value)]
    action = value.get("event_action")
    payload = value.get("payload")
    if action == "trigger" or payload is not None:
        errors += _payload_faults(payload, required=action == "trigger")
    if errors:
        return Invalid(tuple(errors))
    key = value.get("dedup_key") or uuid.uuid4().hex
    return Event(str(action), key, _alert(value, payload or {}, key, now), _teller(value, payload))


def accepted(dedup_key: str) -> dict[str, str]:
    """Return the answer to an event that is committed."""
    return {"status": "success", "message": "Event processed", "dedup_key": dedup_key}


def _envelope_faults(value: Mapping[str, Any]) -> list[str]:
    faults = []
    if not isinstance(value.get("routing_key"), str) or not value["routing_key"]:
        faults.append("'routing_key' is missing or blank")
    action = value.get("event_action")
    if action not in ACTIONS:
        faults.append("'event_action' must be one of trigger, acknowledge, resolve")
    key = value.get("dedup_key")
    if not isinstance(key, str | None) or len(key or "") > LONGEST_KEY:
        faults.append(f"'dedup_key' must be a string of at most {LONGEST_KEY} characters")
    elif not key and action in ("acknowledge", "resolve"):
        faults.append(f"'dedup_key' is required for event_action {action}")
    for name in ("client", "client_url"):
        if not isinstance(value.get(name), str | None):
            faults.append(f"'{name}' must be a string")
    return faults


def _payload_faults(payload: Any, *, required: bool) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or is no object"]
    faults = []
    for name in ("summary", "source", "severity"):
        text = payload.get(name)
        if (required or text is not None) and (not isinstance(text, str) or not text.strip()):
            faults.append(f"'payload.{name}' is missing or blank")
    severity = payload.get("severity")
    if isinstance(severity, str) and severity.strip() and severity not in SEVERITIES:
        faults.append("'payload.severity' must be one of critical, error, warning, info")
    for name in ("component", "group", "class", "timestamp"):
        if not isinstance(payload.get(name), str | None):
            faults.append(f"'payload.{name}' must be a string")
    return faults


def _alert(value: Mapping[str, Any], payload: Mapping[str, Any], key: str, now: datetime) -> Alert:
    named = _named(payload)
    labels = {"alertname": "PagerDutyEvent", "dedup_key": key, **named}
    if "component" not in named:
        labels["cause"] = key  # nothing else tells it from the next one
    began = min(_began(payload) or now, now)
    over = value["event_action"] == "resolve"
    return Alert(
        labels,
        _annotations(payload),
        starts_at=began,
        ends_at=now if over else None,
        generator_url=value.get("client_url") or "",
        identity={"dedup_key": key},
    )


def _named(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels that say what the alert is about."""
    found = {"severity": SEVERITIES.get(payload.get("severity", ""), "")}
    found["component"] = payload.get("component") or ""
    return {name: text for name, text in found.items() if text}


def _annotations(payload: Mapping[str, Any]) -> dict[str, str]:
    found = {"summary": str(payload.get("summary", ""))[:LONGEST_SUMMARY]}
    found |= {name: payload.get(name) or "" for name in _ANNOTATED}
    details = payload.get("custom_details")
    if isinstance(details, dict):
        found |= {f"details_{_plain(name)}": _words(said) for name, said in details.items()}
    elif details:
        found["details"] = _words(details)
    return {name: text for name, text in found.items() if text}


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


def _words(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _began(payload: Mapping[str, Any]) -> datetime | None:
    try:
        return read_time(payload.get("timestamp") or "")
    except NotReadable:
        return None  # told too oddly to be believed: it begins now


def _teller(value: Mapping[str, Any], payload: Mapping[str, Any] | None) -> str:
    return str(value.get("client") or (payload or {}).get("source") or "an event")[:100]
