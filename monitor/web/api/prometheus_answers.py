"""Values and rules in the JSON of Prometheus's HTTP API.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/; compared with a Prometheus in
the tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from monitor.promql import Matrix, Result, Scalar, String, Vector
from monitor.rules.alerts import Active, AlertState
from monitor.rules.engine import Engine
from monitor.rules.model import AlertingRule, Group, Rule, text_labels

SMALL, LARGE = 1e-6, 1e21  # samples between these are written without exponent


def number(value: float) -> str:
    """Return a value as text, without exponent, as short as it reads back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sample_number(value: float) -> str:
    """Return a sample's value as text; the very small and the very large have an exponent.

    So Prometheus writes samples, but not scalars: util/jsonutil/marshal.go.
    """
    if math.isfinite(value) and value and not SMALL <= abs(value) < LARGE:
        return repr(value)
    return number(value)


def point(timestamp: float, value: float) -> list[object]:
    """Return a sample's time and value."""
    return [round(timestamp, 3), sample_number(value)]


def result(value: Result) -> dict[str, Any]:
    """Return the `data` of a query's answer."""
    match value:
        case Vector():
            kind = "vector"
            rows: Any = [
                {"metric": dict(one.labels), "value": point(one.timestamp, one.value)}
                for one in value
            ]
        case Matrix():
            kind = "matrix"
            rows = [
                {"metric": dict(one.labels), "values": [point(*pair) for pair in one.points()]}
                for one in value
            ]
        case Scalar():
            kind, rows = "scalar", [round(value.timestamp, 3), number(value.value)]
        case String():
            kind, rows = "string", [round(value.timestamp, 3), value.value]
    return {"resultType": kind, "result": rows}


def instant(seconds: float | None) -> str:
    """Return Unix seconds in RFC 3339; before the first time it is Go's zero time."""
    if seconds is None:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def alert(active: Active) -> dict[str, Any]:
    """Return one pending or firing alert."""
    return {
        "labels": dict(active.labels),
        "annotations": dict(active.annotations),
        "state": active.state.value,
        "activeAt": instant(active.active_at),
        "value": f"{active.value:e}",
    }


def group(engine: Engine, one: Group, positions: Iterable[int]) -> dict[str, Any]:
    """Return a group with those of its rules."""
    stats = dict(engine.stats()).get(one.key)
    return {
        "name": one.name,
        "file": one.file,
        "interval": one.interval_seconds,
        "limit": one.limit,
        "rules": [_rule(engine, one, position) for position in positions],
        "evaluationTime": stats.last_duration_seconds if stats else 0,
        "lastEvaluation": instant((stats.last_evaluated_at or None) if stats else None),
    }


def _rule(engine: Engine, one: Group, position: int) -> dict[str, Any]:
    rule, health = one.rules[position], engine.health(one, position)
    answer: dict[str, Any] = {
        "name": rule.name,
        "query": rule.expression.strip(),
        "labels": text_labels(rule),
        "health": {"ok": "ok", "err": "err"}.get(health.word, "unknown"),
        "evaluationTime": health.duration_seconds,
        "lastEvaluation": instant(health.evaluated_at),
        "type": kind_of(rule),
    }
    if health.error:
        answer["lastError"] = health.error
    if isinstance(rule, AlertingRule):
        answer |= _alerting(engine, one, position, rule)
    return answer


def _alerting(engine: Engine, one: Group, position: int, rule: AlertingRule) -> dict[str, Any]:
    alerts = engine.alerts(one, position)
    states = {active.state for active in alerts}
    worst = next((s for s in (AlertState.FIRING, AlertState.PENDING) if s in states), None)
    return {
        "state": (worst or AlertState.INACTIVE).value,
        "duration": rule.for_seconds,
        "keepFiringFor": rule.keep_firing_seconds,
        "annotations": {name: text.text for name, text in rule.annotations.items()},
        "alerts": [alert(active) for active in alerts],
    }


def kind_of(rule: Rule) -> str:
    """Return what the API calls this kind of rule."""
    return "alerting" if isinstance(rule, AlertingRule) else "recording"


def metadata(
    families: Iterable[tuple[str, str, str]], wanted: str | None, limit: int | None
) -> Mapping[str, list[dict[str, str]]]:
    """Return type and help of metrics, of all or of the one wanted, at most `limit` of them."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, kind, text in families:
        if wanted in (None, "", name) and (limit is None or limit <= 0 or len(found) < limit):
            found[name] = [{"type": kind, "help": text, "unit": ""}]
    return found
