"""What a Prometheus or an Alertmanager knows now, and what a Prometheus kept of the past.

A Prometheus leaves its external labels out of `/api/v1/alerts` and of `ALERTS`, but sends them to
us (measured with 2.42.0, 2026-11-22): they are added here from its own configuration, or an
identity would not be found again. Where it relabels alerts before it sends them, what it knows
cannot be told apart from what we have: then nothing is closed and nothing is rebuilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from incidents.alerts.history import Episode, spans
from incidents.alerts.model import Alert, fingerprint
from incidents.alerts.wire import NotReadable, read_time
from monitor.fetching import Unanswered
from monitor.reconcile.asking import Asker

RESEND = timedelta(minutes=1)  # Prometheus's `--rules.alert.resend-delay`
MOST_POINTS = 10_000  # of a range; Prometheus refuses above 11,000
SHORTEST_STEP = timedelta(seconds=1)
SETTLED_EVALUATIONS = 3  # after its start: before, rules may not have seen their series again
_LEFT_OUT = frozenset({"__name__", "alertstate"})


@dataclass(frozen=True, slots=True)
class Known:
    """What a server knows now.

    `firing` fire; of `alive` it may not be said that they are over (pending ones too, and every
    alert of a rule in `unsure`). `may_close` tells whether what is absent is over.
    """

    firing: tuple[Alert, ...]
    alive: frozenset[str]
    unsure: frozenset[str] = frozenset()
    may_close: bool = True
    external: Mapping[str, str] = field(default_factory=dict)


def ask_prometheus(asker: Asker, now: datetime) -> Known:
    """Return what a Prometheus knows now.

    Raises:
        Unanswered: it gave no answer that can be used.
    """
    external, relabels = _configured(_data(asker.get("/api/v1/status/config")))
    started = _time(_data(asker.get("/api/v1/status/runtimeinfo")).get("startTime"))
    groups = _data(asker.get("/api/v1/rules", type="alert")).get("groups", ())
    firing: list[Alert] = []
    alive: set[str] = set()
    unsure: set[str] = set()
    for group in groups:
        interval = timedelta(seconds=float(group.get("interval", 60)))
        for rule in group.get("rules", ()):
            name = str(rule.get("name", ""))
            evaluated = _time(rule.get("lastEvaluation"))
            settled = started and started + SETTLED_EVALUATIONS * interval
            healthy = rule.get("health") == "ok"
            if evaluated is None or settled is None or evaluated < settled or not healthy:
                unsure.add(name)
            for item in rule.get("alerts", ()):
                alert = _alert(item, rule, external, now + 4 * max(interval, RESEND))
                alive.add(alert.fingerprint)
                if item.get("state") == "firing":
                    firing.append(alert)
    if relabels:
        return Known((), frozenset(), may_close=False, external=external)
    return Known(tuple(firing), frozenset(alive), frozenset(unsure), external=external)


def ask_alertmanager(asker: Asker, now: datetime) -> Known:
    """Return what an Alertmanager knows now; one that has just started knows too little.

    Raises:
        Unanswered: it gave no answer that can be used.
    """
    status = asker.get("/api/v2/status")
    started = _time(status.get("uptime")) if isinstance(status, dict) else None
    chosen = {"receiver": asker.server.receiver} if asker.server.receiver else {}
    listed = asker.get("/api/v2/alerts", **chosen)
    if not isinstance(listed, list):
        raise Unanswered("/api/v2/alerts answered no list")
    firing, alive = [], set()
    for item in listed:
        alert = Alert(
            dict(item["labels"]),
            dict(item.get("annotations") or {}),
            starts_at=min(_time(item.get("startsAt")) or now, now),
            generator_url=str(item.get("generatorURL") or ""),
        )
        alive.add(alert.fingerprint)
        if (item.get("status") or {}).get("state") == "active":  # of others it tells nobody
            firing.append(alert)
    settle = timedelta(seconds=asker.server.settle)
    may_close = started is not None and now - started >= settle
    return Known(tuple(firing), frozenset(alive), may_close=may_close)


def ask_history(
    asker: Asker, external: Mapping[str, str], since: datetime, now: datetime, bridge: timedelta
) -> tuple[list[Episode], timedelta]:
    """Return every episode of firing between two instants, and how exactly its ends are known.

    Raises:
        Unanswered: it gave no answer that can be used.
    """
    step = max(SHORTEST_STEP, timedelta(seconds=round((now - since).total_seconds() / MOST_POINTS)))
    answer = asker.get(
        "/api/v1/query_range",
        query='ALERTS{alertstate="firing"}',
        start=f"{since.timestamp():.3f}",
        end=f"{now.timestamp():.3f}",
        step=f"{step.total_seconds():g}",
    )
    found: list[Episode] = []
    for series in _data(answer).get("result", ()):
        labels = _labels(series.get("metric", {}), external)
        identity = fingerprint(labels)
        points = [datetime.fromtimestamp(float(at), UTC) for at, _ in series.get("values", ())]
        found += [Episode(labels, identity, *span) for span in spans(points, max(bridge, step * 2))]
    return found, step


def _data(answer: Any) -> Mapping[str, Any]:
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise Unanswered("an answer was not as Prometheus gives it")
    return data


def _configured(data: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    try:
        said = yaml.safe_load(str(data.get("yaml", ""))) or {}
    except yaml.YAMLError as error:
        raise Unanswered("/api/v1/status/config holds no configuration") from error
    external = (said.get("global") or {}).get("external_labels") or {}
    relabels = bool((said.get("alerting") or {}).get("alert_relabel_configs"))
    return {str(name): str(value) for name, value in external.items()}, relabels


def _alert(
    item: Mapping[str, Any], rule: Mapping[str, Any], external: Mapping[str, str], ends: datetime
) -> Alert:
    """Return an active alert as it would be sent: it starts when it began to fire."""
    active = _time(item.get("activeAt")) or ends
    held = timedelta(seconds=float(rule.get("duration", 0)))
    return Alert(
        _labels(item.get("labels", {}), external),
        dict(item.get("annotations") or {}),
        starts_at=active + held,
        ends_at=ends,
    )


def _labels(given: Mapping[str, Any], external: Mapping[str, str]) -> dict[str, str]:
    labels = {**external, **{name: str(text) for name, text in given.items()}}
    return {name: text for name, text in labels.items() if text and name not in _LEFT_OUT}


def _time(text: Any) -> datetime | None:
    try:
        return read_time(text) if isinstance(text, str) else None
    except NotReadable:
        return None
