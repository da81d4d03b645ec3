"""What an Alertmanager's clients read: alerts, groups, receivers and the status.

`amtool`, Grafana and karma read the same answers. A resolved alert is not listed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any

import re2
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BeforeValidator

from incidents.alerts.matchers import (
    BadMatcher,
    Matcher,
    compiled,
    complaint,
    parse_matcher,
)
from incidents.alerts.wire import Refusal, write_time
from incidents.lifecycle import Severity
from monitor.storage.alert_lists import open_texts
from monitor.use_cases.standing import Stands, standing
from monitor.web.security import alert_reader
from monitor.web.services import Given, Services

router = APIRouter(tags=["alerts"], dependencies=[Depends(alert_reader)])
ACTIVE = '{"inhibitedBy":[],"silencedBy":[],"state":"active"}'
_TRUE = frozenset(  # https://pkg.go.dev/github.com/go-openapi/swag#ConvertBool
    {"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"}
)


def _as_go_reads(value: object) -> bool:
    return str(value).lower() in _TRUE


Flag = Annotated[bool, BeforeValidator(_as_go_reads), Query()]
Filters = Annotated[tuple[str, ...], Query(alias="filter")]


@dataclass(frozen=True)
class Wanted:
    """Which alerts a list shows."""

    filter: Filters = ()
    receiver: Annotated[str, Query()] = ""
    active: Flag = True
    silenced: Flag = True
    inhibited: Flag = True
    unprocessed: Flag = True  # none of ours is ever unprocessed: all are placed before the 2xx


def read_matchers(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    """Return the matchers of a filter.

    Raises:
        BadMatcher: a text is none.
    """
    return tuple(parse_matcher(text) for text in texts)


def answer(refusal: Refusal) -> Response:
    """Return a refusal as Alertmanager's clients know it."""
    content = json.dumps(refusal.body, ensure_ascii=False)
    return Response(content, status_code=refusal.status, media_type="application/json")


@router.get("/api/v2/alerts")
def get_alerts(services: Given, wanted: Annotated[Wanted, Depends()]) -> Response:
    """List what fires, with what silences or inhibits it; resolved ones are not listed."""
    try:
        found, receivers = _found(services, wanted)
    except _Refused as refused:
        return answer(refused.refusal)
    body = ",".join([_gettable(one, receivers) for one in found])
    return Response(f"[{body}]", media_type="application/json")


@router.get("/api/v2/alerts/groups")
def get_groups(services: Given, wanted: Annotated[Wanted, Depends()]) -> Response:
    """List what fires by component, once for every channel that is told of it."""
    try:
        found, receivers = _found(services, wanted)
    except _Refused as refused:
        return answer(refused.refusal)
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found:
        component = one.labels.get("component", "")
        text = _gettable(one, receivers)
        for name in receivers.wanted[one.severity] or [""]:
            groups.setdefault((component, name), []).append(text)
    body = ",".join(
        _group(component, name, texts) for (component, name), texts in sorted(groups.items())
    )
    return Response(f"[{body}]", media_type="application/json")


@router.get("/api/v2/receivers")
def get_receivers(services: Given) -> list[dict[str, str]]:
    """List the channels that notifications go to."""
    return [{"name": channel.name} for channel in services.configuration.current.channels]


@router.get("/api/v2/status")
def get_status(request: Request, services: Given) -> dict[str, Any]:
    """Tell clients of Alertmanager whom they talk to."""
    started: datetime = getattr(request.app.state, "started_at", services.clock.now())
    return {
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": "# SayPro Monitor: see the configuration folder\n"},
        "uptime": write_time(started),
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "saypro-monitor",
            "version": "0.25.0",  # whose interface this is
        },
    }


class _Refused(Exception):  # noqa: N818 - says what happened
    """What was asked cannot be read."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.body)
        self.refusal = refusal


class _Receivers:
    """The channels that take alerts of each severity, and those of them that were asked for."""

    def __init__(self, services: Services, asked: str) -> None:
        try:
            pattern = compiled(f"^(?:{asked})$") if asked else None
        except re2.error as error:
            message = f"failed to parse receiver param: {complaint(error)}"
            raise _Refused(Refusal(400, message)) from error
        self.asked = pattern is not None
        self.wanted: dict[str, list[str]] = {}
        self.json: dict[str, str] = {}
        for severity in ("", *Severity):
            names = [
                channel.name
                for channel in services.configuration.current.channels
                if severity in channel.severities
            ]
            self.wanted[severity] = [n for n in names if pattern is None or pattern.fullmatch(n)]
            self.json[severity] = json.dumps([{"name": name} for name in names])


def _found(services: Services, wanted: Wanted) -> tuple[list[Stands], _Receivers]:
    try:
        matchers = read_matchers(wanted.filter)
    except BadMatcher as error:
        raise _Refused(Refusal(400, str(error))) from error
    receivers = _Receivers(services, wanted.receiver)
    rules = services.configuration.current.inhibit_rules
    with services.store.read() as connection:
        found = standing(
            connection,
            open_texts,
            rules,
            services.clock.now(),
            wanted=matchers,
            names=("component",),
        )
    listed = [
        one
        for one in found
        if (wanted.active or not one.is_active)
        and (wanted.silenced or not one.silenced_by)
        and (wanted.inhibited or not one.inhibited_by)
        and (not receivers.asked or receivers.wanted[one.severity])
    ]
    listed.sort(key=attrgetter("fingerprint"))
    return listed, receivers


def _group(component: str, receiver: str, texts: list[str]) -> str:
    labels = json.dumps({"component": component} if component else {})
    name = json.dumps({"name": receiver or "nobody"})
    return f'{{"alerts":[{",".join(texts)}],"labels":{labels},"receiver":{name}}}'


def _gettable(one: Stands, receivers: _Receivers) -> str:
    """Return one alert in Alertmanager's shape, as JSON."""
    status = ACTIVE if one.is_active else _suppressed(one.inhibited_by, one.silenced_by)
    return f'{{{one.key},"receivers":{receivers.json[one.severity]},"status":{status}}}'


@lru_cache(maxsize=4096)
def _suppressed(inhibited_by: tuple[str, ...], silenced_by: tuple[str, ...]) -> str:
    state = {"inhibitedBy": inhibited_by, "silencedBy": silenced_by, "state": "suppressed"}
    return json.dumps(state)
