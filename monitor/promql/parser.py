"""Text to expression tree, through promql-parser: its one home.

What the supported language leaves out is refused here, each with a message that names the
construct, so that a rule file is rejected when it is loaded and never half-evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any

import promql_parser

from monitor.promql.ast import (
    Aggregate,
    Anchor,
    Binary,
    Call,
    Cardinality,
    Expr,
    Matcher,
    Matching,
    MatrixSelector,
    Negation,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    ValueType,
    VectorSelector,
)
from monitor.promql.errors import PromqlSyntaxError, UnsupportedError
from monitor.promql.guard import MAX_NESTING, check_text
from monitor.promql.matchers import compile_matcher
from monitor.promql.places import Places
from monitor.promql.strings import with_plain_strings

NATIVE_HISTOGRAM_FUNCTIONS = frozenset(
    {"histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"}
)
UNSUPPORTED_FUNCTIONS = frozenset({"info"}) | NATIVE_HISTOGRAM_FUNCTIONS
UNSUPPORTED_AGGREGATIONS = frozenset({"limitk", "limit_ratio"})
MATCH_OPS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
CARDINALITIES = {
    "OneToOne": Cardinality.ONE_TO_ONE,
    "ManyToOne": Cardinality.MANY_TO_ONE,
    "OneToMany": Cardinality.ONE_TO_MANY,
    "ManyToMany": Cardinality.MANY_TO_MANY,
}
VALUE_TYPES = {
    "Scalar": ValueType.SCALAR,
    "Vector": ValueType.VECTOR,
    "Matrix": ValueType.MATRIX,
    "String": ValueType.STRING,
}
# The `at` attribute cannot be read for times before 1970 (it panics), so it is taken from the
# node's own debug text; eight spaces are the indentation of the outermost node's fields.
AT_TIME = re.compile(
    r"^ {8}at: Some\(\n {12}At\(\n\s+SystemTime \{\n\s+tv_sec: (-?\d+),\n\s+tv_nsec: (\d+),", re.M
)
AT_ANCHOR = re.compile(r"^ {8}at: Some\(\n {12}(Start|End),", re.M)
MAX_AT_SECONDS = 9_007_199_254_740  # the milliseconds stay exact in a float


@lru_cache(maxsize=4096)
def parse(text: str, *, experimental: bool = False) -> Expr:
    """Return the tree of an expression; equal texts share one tree.

    `experimental` also admits the functions that Prometheus itself only runs with
    `--enable-feature=promql-experimental-functions`; rule files are never loaded with it.

    Raises:
        PromqlSyntaxError: the text is no expression, exceeds the guard's bounds, or uses a
            construct outside the supported language, which the message names.
    """
    check_text(text)
    try:
        return Adapter(text, experimental=experimental).convert(
            native_parse(with_plain_strings(text)), 0
        )
    except RecursionError as error:
        raise PromqlSyntaxError("expression is nested too deep") from error


def native_parse(text: str) -> Any:
    """Return promql-parser's tree, with every way it can fail turned into PromqlSyntaxError."""
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise PromqlSyntaxError(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # pyo3's class derives from BaseException
            raise
        raise PromqlSyntaxError(f"expression cannot be parsed: {error}") from error


class Adapter:
    """Turns promql-parser's nodes into ours, refusing what is out of scope."""

    def __init__(self, text: str, *, experimental: bool) -> None:
        self.experimental = experimental
        self.has_at = "@" in text
        self.places = Places(text)
        self.by_type: dict[str, Callable[[Any, int], Expr]] = {
            "NumberLiteral": lambda node, _: NumberLiteral(float(node.val)),
            "StringLiteral": lambda node, _: StringLiteral(str(node.val)),
            "ParenExpr": lambda node, depth: Paren(self.convert(node.expr, depth)),
            "UnaryExpr": self.negation,
            "VectorSelector": lambda node, _: self.selector(node),
            "MatrixSelector": self.matrix,
            "SubqueryExpr": self.subquery,
            "BinaryExpr": self.binary,
            "Call": self.call,
            "AggregateExpr": self.aggregate,
        }

    def convert(self, node: Any, depth: int) -> Expr:
        """Return our node for theirs; depth counts the levels above it."""
        if depth > MAX_NESTING:
            raise PromqlSyntaxError(f"expression is nested deeper than {MAX_NESTING} levels")
        kind = type(node).__name__
        if kind not in self.by_type:
            raise UnsupportedError(f"{kind} is not supported")
        return self.by_type[kind](node, depth + 1)

    def negation(self, node: Any, depth: int) -> Expr:
        """Return a unary minus; of a bare number, the negative number."""
        inner = self.convert(node.expr, depth)
        return NumberLiteral(-inner.value) if isinstance(inner, NumberLiteral) else Negation(inner)

    def selector(self, node: Any) -> VectorSelector:
        """Return a selector with its metric name among the matchers, each regex checked."""
        if node.matchers.or_matchers:
            raise UnsupportedError("`or` between label matchers is not supported")
        matchers = tuple(
            Matcher(m.name, MATCH_OPS[str(m.op).rsplit(".", 1)[-1]], m.value)
            for m in node.matchers.matchers
        )
        if node.name is not None:
            matchers = (Matcher("__name__", "=", node.name), *matchers)
        for matcher in matchers:
            compile_matcher(matcher)
        return VectorSelector(matchers, milliseconds(node.offset), self.at(node))

    def at(self, node: Any) -> int | Anchor | None:
        """Return the time of a node's `@` modifier."""
        if not self.has_at:
            return None
        text = repr(node)
        if anchor := AT_ANCHOR.search(text):
            return Anchor(anchor[1].lower())
        if not (found := AT_TIME.search(text)):
            return None
        seconds, nanoseconds = int(found[1]), int(found[2])
        if abs(seconds) > MAX_AT_SECONDS:
            raise PromqlSyntaxError(f"timestamp out of bounds for @ modifier: {seconds}")
        return seconds * 1000 + (nanoseconds + 500_000) // 1_000_000

    def matrix(self, node: Any, _: int) -> Expr:
        """Return a range selector."""
        return MatrixSelector(self.selector(node.vector_selector), positive(node.range))

    def subquery(self, node: Any, depth: int) -> Expr:
        """Return a subquery."""
        return Subquery(
            expr=self.convert(node.expr, depth),
            range_ms=positive(node.range),
            step_ms=None if node.step is None else positive(node.step),
            offset_ms=milliseconds(node.offset),
            at=self.at(node),
        )

    def binary(self, node: Any, depth: int) -> Expr:
        """Return a binary operation with its matching."""
        lhs, rhs = self.convert(node.lhs, depth), self.convert(node.rhs, depth)
        modifier, op = node.modifier, str(node.op)
        fill = getattr(modifier, "fill_values", None)
        if fill is not None and (fill.lhs is not None or fill.rhs is not None):
            raise UnsupportedError("fill modifiers are not supported")
        both_vectors = lhs.type is rhs.type is ValueType.VECTOR
        return Binary(
            op=op,
            lhs=lhs,
            rhs=rhs,
            bool_modifier=bool(modifier and modifier.return_bool),
            matching=matching_of(op, modifier) if both_vectors else None,
        )

    def call(self, node: Any, depth: int) -> Expr:
        """Return a function call; experimental and native-histogram functions are refused."""
        function, name = node.func, str(node.func.name)
        if name in NATIVE_HISTOGRAM_FUNCTIONS:
            raise UnsupportedError(f"{name}() needs native histograms, which are not supported")
        if name in UNSUPPORTED_FUNCTIONS:
            raise UnsupportedError(f"{name}() is not supported")
        if function.experimental and not self.experimental:
            raise UnsupportedError(f"{name}() is experimental in Prometheus and not supported")
        returns = VALUE_TYPES[str(function.return_type).rsplit(".", 1)[-1]]
        places = self.places.arguments(name)
        args = tuple(self.convert(arg, depth) for arg in node.args)
        return Call(name, args, returns, places)

    def aggregate(self, node: Any, depth: int) -> Expr:
        """Return an aggregation."""
        op, modifier = str(node.op), node.modifier
        if op in UNSUPPORTED_AGGREGATIONS:
            raise UnsupportedError(f"{op}() is experimental in Prometheus and not supported")
        places = self.places.arguments(op)
        return Aggregate(
            op=op,
            param=None if node.param is None else self.convert(node.param, depth),
            expr=self.convert(node.expr, depth),
            grouping=tuple(modifier.labels) if modifier else (),
            without=bool(modifier and str(modifier.type).endswith("Without")),
            places=places,
        )


def matching_of(op: str, modifier: Any) -> Matching:
    """Return how two vectors are paired; without a modifier, one to one on all labels."""
    if modifier is None:
        set_operator = op in ("and", "or", "unless")
        return Matching(Cardinality.MANY_TO_MANY if set_operator else Cardinality.ONE_TO_ONE)
    labels = modifier.matching
    return Matching(
        cardinality=CARDINALITIES[str(modifier.card).rsplit(".", 1)[-1]],
        on=labels is not None and str(labels.type).endswith("Include"),
        labels=tuple(labels.labels) if labels is not None else (),
        include=tuple(modifier.group_labels or ()),
    )


def milliseconds(duration: timedelta | None) -> int:
    """Return a duration in whole milliseconds; None is zero."""
    return 0 if duration is None else duration // timedelta(milliseconds=1)


def positive(duration: timedelta) -> int:
    """Return a duration in milliseconds.

    Raises:
        PromqlSyntaxError: it is shorter than a millisecond.
    """
    if (value := milliseconds(duration)) < 1:
        raise PromqlSyntaxError("duration must be at least a millisecond")
    return value
