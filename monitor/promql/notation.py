"""Prometheus's short notation for test data: `metric{a="b"}` and `1+2x10 _ stale`."""

from __future__ import annotations

import math
import re

from monitor.promql.ast import VectorSelector
from monitor.promql.errors import PromqlSyntaxError
from monitor.promql.parser import parse
from monitor.promql.source import STALE

MAX_VALUES = 1_000_000
NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI]nf|[nN]a[nN]"
ITEM = re.compile(
    rf"(?P<start>_|stale|[+-]?(?:{NUMBER}))(?P<step>[+-](?:{NUMBER}))?(?:x(?P<times>\d+))?"
)


def parse_selector_labels(text: str) -> dict[str, str]:
    """Return the labels of a series written as `name{label="value"}` or `{…}`.

    Raises:
        PromqlSyntaxError: it is not a series.
    """
    if re.fullmatch(r"\s*\{\s*\}\s*", text):
        return {}
    expr = parse(text)
    if not isinstance(expr, VectorSelector) or any(m.op != "=" for m in expr.matchers):
        raise PromqlSyntaxError(f"not a series: {text!r}")
    return {m.name: m.value for m in expr.matchers if m.value}


def parse_series_values(text: str) -> list[float | None]:
    """Return the values of `1 2+3x2 _ stale NaN`: None is no sample, STALE ends the series.

    `axn` is a repeated n times after the first, `a+bxn` counts up in steps of b, `_xn` is n gaps.

    Raises:
        PromqlSyntaxError: an item has another form, is a native histogram, or they are too many.
    """
    if "{{" in text:
        raise PromqlSyntaxError("native histograms are not supported")
    values: list[float | None] = []
    for item in text.split():
        values += expand(item)
        if len(values) > MAX_VALUES:
            raise PromqlSyntaxError(f"more than {MAX_VALUES} values in a series")
    return values


def expand(item: str) -> list[float | None]:
    """Return the values of one item of the notation."""
    found = ITEM.fullmatch(item)
    if not found:
        raise PromqlSyntaxError(f"not a series value: {item!r}")
    times = int(found["times"] or 0)
    if times > MAX_VALUES:
        raise PromqlSyntaxError(f"more than {MAX_VALUES} values in a series")
    start = found["start"]
    if start == "_":
        return [None] * (times if found["times"] else 1)
    if start == "stale":
        return [STALE] * (times + 1)
    return progression(float(start), float(found["step"] or 0), times)


def progression(start: float, step: float, times: int) -> list[float | None]:
    """Return start and `times` further values, each `step` more than the one before it."""
    values: list[float | None] = [start]
    current = start
    for _ in range(times):
        current = current + step if not math.isnan(step) else math.nan
        values.append(current)
    return values
