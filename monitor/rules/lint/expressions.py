"""The checks that look at expressions: each yields what is doubtful about one rule's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.promql import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    ValueType,
    VectorSelector,
    selectors_of,
)
from monitor.promql.ast import format_duration
from monitor.rules.lint.labels import possible_labels
from monitor.rules.lint.surroundings import COMPARISONS, Surroundings
from monitor.rules.model import AlertingRule, RecordingRule, Rule

COUNTER_FUNCTIONS = frozenset({"rate", "irate", "increase"})
OF_COUNTERS = COUNTER_FUNCTIONS | {"resets", "absent", "absent_over_time", "changes", "timestamp"}
COUNTERS = re.compile(r".*_(total|count|sum|bucket)$")
PLAIN_REGEX = re.compile(r"[A-Za-z0-9_/ -]*")


def rate_ranges(rule: Rule, around: Surroundings) -> Iterator[str]:
    """`rate` needs two samples, and one scrape may fail."""
    for node in rule.expr.walk():
        if isinstance(node, Call) and node.function in COUNTER_FUNCTIONS:
            inner = node.args[0]
            least = 2 * around.scrape_seconds
            if isinstance(inner, MatrixSelector) and inner.range_ms < least * 1000:
                written = format_duration(inner.range_ms)
                yield f"{node.function} over {written} is shorter than two scrapes ({least:g} s)"


def counters(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Counters are looked at through rate, gauges are not."""
    del around
    yield from _counters(rule.expr, "")


def _counters(expr: Expr, function: str) -> Iterator[str]:
    if isinstance(expr, VectorSelector):
        name = expr.metric_name or ""
        if function in COUNTER_FUNCTIONS and name and not COUNTERS.fullmatch(name):
            yield f"{function} of {name}, which by its name is no counter"
        if name.endswith("_total") and not function:
            yield f"{name} is a counter: its value alone says when the process was started"
        return
    inside = function
    if isinstance(expr, Call):
        inside = expr.function if expr.function in OF_COUNTERS else function
    if isinstance(expr, Call) and expr.function.endswith("_over_time"):
        inside = expr.function
    if isinstance(expr, Aggregate) and expr.op in ("count", "group"):
        inside = inside or "count"
    for child in expr.children():
        yield from _counters(child, inside)


def fragile(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Who is in the first three changes: alerts would come and go with places."""
    del around
    if isinstance(rule, RecordingRule):
        return
    for node in rule.expr.walk():
        if isinstance(node, Aggregate) and node.op in ("topk", "bottomk"):
            yield f"{node.op} in an alert makes it resolve when another series passes by"


def division(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A recorded ratio without denominator is NaN for everybody who reads it."""
    del around
    if isinstance(rule, AlertingRule):
        return
    for node in rule.expr.walk():
        if isinstance(node, Binary) and node.op == "/" and node.rhs.type is ValueType.VECTOR:
            bottom: Expr = node.rhs
            while isinstance(bottom, Paren):
                bottom = bottom.expr
            if not (isinstance(bottom, Binary) and bottom.op in (*COMPARISONS, "-")):
                yield "divides by what may be zero: write / (… > 0)"


def impossible(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Some conditions never hold, or always."""
    del around
    for selector in selectors_of(rule.expr):
        equal: dict[str, str] = {}
        for one in selector.matchers:
            if one.op == "=" and equal.setdefault(one.name, one.value) != one.value:
                yield f"{selector} wants two values of {one.name} at once"
    for node in rule.expr.walk():
        if isinstance(node, Binary) and node.op in COMPARISONS:
            sides = (node.lhs, node.rhs)
            if all(isinstance(side, NumberLiteral) for side in sides):
                yield f"{node} compares two numbers"


def matching(rule: Rule, around: Surroundings) -> Iterator[str]:
    """Sides match on labels that both of them have."""
    del around
    for node in rule.expr.walk():
        if not isinstance(node, Binary) or node.matching is None:
            continue
        for side, expr in (("left", node.lhs), ("right", node.rhs)):
            known = possible_labels(expr)
            if known is None or not node.matching.on:
                continue
            for name in node.matching.labels:
                if name not in known:
                    yield f"matches on {name}, which the {side} side of {node.op} does not have"
        yield from _unlike(node)


def _unlike(node: Binary) -> Iterator[str]:
    """Without on() or ignoring() both sides need the same labels."""
    assert node.matching is not None
    left, right = possible_labels(node.lhs), possible_labels(node.rhs)
    plain = not node.matching.on and not node.matching.labels and node.op != "or"
    if not plain or node.matching.cardinality is Cardinality.MANY_TO_ONE:
        return
    if left and right and left != right:
        yield f"the sides of {node.op} have different labels and never match: say on (…)"


def regexes(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A pattern that is no pattern costs time and hides a mistake."""
    del around
    for selector in selectors_of(rule.expr):
        for one in selector.matchers:
            if one.op in ("=~", "!~"):
                if PLAIN_REGEX.fullmatch(one.value):
                    yield f"{one} has no pattern in it: write {one.op[0].replace('!', '!=')}"
                if one.value.startswith("^") or one.value.endswith("$"):
                    yield f"{one}: patterns are anchored already"
                if one.value == ".*":
                    yield f"{one} matches {'everything' if one.op == '=~' else 'nothing'}"


def nameless(rule: Rule, around: Surroundings) -> Iterator[str]:
    """A selector without a name looks at every series there is."""
    del around
    for selector in selectors_of(rule.expr):
        if not any(one.name == "__name__" for one in selector.matchers):
            yield f"{selector} does not say which metric"
