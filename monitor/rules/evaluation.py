"""One evaluation of one rule: its expression's result as samples to write, or as alerts found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from monitor.promql import (
    Call,
    Expr,
    LabelBlock,
    Options,
    PromqlError,
    Source,
    ValueType,
    Vector,
    evaluate_instant,
    parse,
)
from monitor.rules.alerts import Active, Found, LimitExceededError
from monitor.rules.model import AlertingRule, RecordingRule, labels_of
from monitor.rules.samples import Row
from monitor.rules.templates import AlertData, Environment, TemplateError
from monitor.rules.templates.values import Sample as TemplateSample

METRIC_NAME = "__name__"
ALERT_NAME = "alertname"
parse_cached = lru_cache(maxsize=512)(parse)


class DuplicateSeriesError(Exception):
    """Two results of a recording rule have the same labels once the rule's own are added."""


def vector_at(expr: Expr, source: Source, at: float, options: Options) -> Vector:
    """Return the value of an expression at `at`, Unix seconds; a scalar as one without labels.

    Raises:
        PromqlError: it cannot be evaluated.
    """
    if expr.type is ValueType.SCALAR:
        expr = Call("vector", (expr,))
    result = evaluate_instant(expr, source, at, options=options)
    if isinstance(result, Vector):
        return result
    raise PromqlError("rule result is not a vector or scalar")


def querier(
    source: Source, at: float, options: Options
) -> Callable[[str], Sequence[TemplateSample]]:
    """Return what answers `query` in templates, at the moment of the evaluation."""

    def query(text: str) -> Sequence[TemplateSample]:
        try:
            result = vector_at(parse_cached(text), source, at, options)
        except PromqlError as error:
            raise TemplateError(f"error calling query: {error}") from error
        return [TemplateSample(sample.labels, sample.value) for sample in result]

    return query


def recorded(rule: RecordingRule, result: Vector, limit: int) -> LabelBlock:
    """Return the labels under which a recording rule writes its result, index for index.

    Raises:
        DuplicateSeriesError: two results would be of the same series.
        LimitExceededError: there are more than `limit` (0: no bound).
    """
    own = {METRIC_NAME: rule.name, **rule.labels}
    block = result.block.cached(
        ("recorded", tuple(own.items())), lambda: _with_labels(result.block, own)
    )
    if not block.is_unique and not block.take(result.indices).is_unique:
        raise DuplicateSeriesError(
            "vector contains metrics with the same labelset after applying rule labels"
        )
    if limit and len(result) > limit:
        raise LimitExceededError(limit, len(result))
    return block


def _with_labels(block: LabelBlock, labels: Mapping[str, str]) -> LabelBlock:
    for name, text in labels.items():
        block = block.replacing(name, [text] * block.size)
    return block


def found(rule: AlertingRule, result: Vector, environment: Environment) -> list[Found]:
    """Return the alerts of a result: labels and annotations filled in, the metric's name dropped.

    What cannot be filled in says so in its own place; the alert itself is never held back.
    """
    alerts = []
    for labels, _, value in result:
        data = AlertData(labels, value)
        own = {n: t.expand_or_explain(data, environment) for n, t in rule.labels.items()}
        merged = {**labels, **own, ALERT_NAME: rule.name}
        merged.pop(METRIC_NAME, None)
        texts = {n: t.expand_or_explain(data, environment) for n, t in rule.annotations.items()}
        alerts.append(Found(labels_of(merged), texts, value))
    return alerts


def alert_rows(alerts: Iterable[Active]) -> list[Row]:
    """Return the series in which alerts show: ALERTS by state, ALERTS_FOR_STATE with the start.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
    """
    rows: list[Row] = []
    for alert in alerts:
        if alert.is_live:
            labels = dict(alert.labels)
            state = {**labels, METRIC_NAME: "ALERTS", "alertstate": alert.state.value}
            rows.append((state, 1.0))
            rows.append(({**labels, METRIC_NAME: "ALERTS_FOR_STATE"}, float(int(alert.active_at))))
    return rows
