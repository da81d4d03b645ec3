"""One evaluation of one rule: its expression's result as samples to write, or as alerts found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from monitor.promql import (
    Expr,
    Options,
    PromqlError,
    Scalar,
    Source,
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
Result = Sequence[tuple[Mapping[str, str], float]]
parse_cached = lru_cache(maxsize=512)(parse)


class DuplicateSeriesError(Exception):
    """Two results of a recording rule have the same labels once the rule's own are added."""


def vector_at(expr: Expr, source: Source, at: float, options: Options) -> Result:
    """Return the labels and values of an expression at `at`, Unix seconds; a scalar has no labels.

    Raises:
        PromqlError: it cannot be evaluated.
    """
    result = evaluate_instant(expr, source, at, options=options)
    if isinstance(result, Scalar):
        return [({}, result.value)]
    if isinstance(result, Vector):
        return [(sample.labels, sample.value) for sample in result]
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
        return [TemplateSample(labels, value) for labels, value in result]

    return query


def recorded(rule: RecordingRule, result: Result, limit: int) -> list[Row]:
    """Return the samples a recording rule writes.

    Raises:
        DuplicateSeriesError: two would be of the same series.
        LimitExceededError: there are more than `limit` (0: no bound).
    """
    rows: list[Row] = []
    for labels, value in result:
        named = {**labels, METRIC_NAME: rule.name, **rule.labels}
        rows.append(({name: text for name, text in named.items() if text}, value))
    if len({labels_of(labels) for labels, _ in rows}) < len(rows):
        raise DuplicateSeriesError(
            "vector contains metrics with the same labelset after applying rule labels"
        )
    if limit and len(rows) > limit:
        raise LimitExceededError(limit, len(rows))
    return rows


def found(rule: AlertingRule, result: Result, environment: Environment) -> list[Found]:
    """Return the alerts of a result: labels and annotations filled in, the metric's name dropped.

    What cannot be filled in says so in its own place; the alert itself is never held back.
    """
    alerts = []
    for labels, value in result:
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
