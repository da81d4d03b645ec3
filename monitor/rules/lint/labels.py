"""Which labels the result of an expression can have, as far as the expression alone tells."""

from __future__ import annotations

from monitor.promql import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Negation,
    Paren,
    StringLiteral,
    ValueType,
    VectorSelector,
)

Known = frozenset[str] | None
"""Labels that may be there; None: any."""
ABSENT = ("absent", "absent_over_time")
NO_LABELS = ("vector", "time", "scalar")


def possible_labels(expr: Expr) -> Known:
    """Return the labels that results may have; None where that depends on the series."""
    match expr:
        case Paren() | Negation():
            return possible_labels(expr.expr)
        case Aggregate():
            return _aggregated(expr)
        case Binary():
            return _joined(expr)
        case Call():
            return _called(expr)
        case _ if expr.type is ValueType.SCALAR:
            return frozenset()
    return None


def _aggregated(expr: Aggregate) -> Known:
    inner = possible_labels(expr.expr)
    if expr.op in ("topk", "bottomk"):
        return inner
    extra: frozenset[str] = frozenset()
    if expr.op == "count_values" and isinstance(expr.param, StringLiteral):
        extra = frozenset({expr.param.value})
    if not expr.without:
        grouping = frozenset(expr.grouping)
        return (grouping if inner is None else grouping & inner) | extra
    return None if inner is None else (inner - frozenset(expr.grouping)) | extra


def _joined(expr: Binary) -> Known:
    left, right = possible_labels(expr.lhs), possible_labels(expr.rhs)
    if expr.lhs.type is ValueType.SCALAR:
        return right
    matching = expr.matching
    if expr.rhs.type is ValueType.SCALAR or matching is None or expr.op in ("and", "unless"):
        return left
    if expr.op == "or":
        return None if left is None or right is None else left | right
    include = frozenset(matching.include)
    if matching.cardinality is Cardinality.MANY_TO_ONE:
        return None if left is None else left | include
    if matching.cardinality is Cardinality.ONE_TO_MANY:
        return None if right is None else right | include
    if matching.on:
        return frozenset(matching.labels) if left is None else left & frozenset(matching.labels)
    return None if left is None else left - frozenset(matching.labels)


def _called(expr: Call) -> Known:
    if expr.function in NO_LABELS:
        return frozenset()
    if expr.function in ABSENT:
        selectors = [node for node in expr.walk() if isinstance(node, VectorSelector)]
        return frozenset(m.name for one in selectors for m in one.matchers if m.op == "=")
    vectors = [arg for arg in expr.args if arg.type in (ValueType.VECTOR, ValueType.MATRIX)]
    inner = possible_labels(vectors[0]) if vectors else frozenset()
    if expr.function in ("label_replace", "label_join") and inner is not None:
        target = expr.args[1]
        return inner | ({target.value} if isinstance(target, StringLiteral) else frozenset())
    return inner
