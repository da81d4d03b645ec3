"""Questions about an expression that need no samples: for loading and linting rule files."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.promql.ast import Anchor, Expr, MatrixSelector, Subquery, VectorSelector


def selectors_of(expr: Expr) -> tuple[VectorSelector, ...]:
    """Return every vector selector of an expression, those inside ranges included, in order."""
    return tuple(node for node in expr.walk() if isinstance(node, VectorSelector))


def metric_names_of(expr: Expr) -> frozenset[str]:
    """Return the metric names that an expression selects by equality."""
    return frozenset(s.metric_name for s in selectors_of(expr) if s.metric_name is not None)


def max_range_seconds(expr: Expr, *, lookback_seconds: float = 300.0) -> float:
    """Return how far before the evaluation time an expression reads samples, in seconds.

    Ranges, offsets and enclosing subqueries add up; an instant selector reaches back by the
    lookback. A selector with a fixed `@` time is left out: its reach depends on the clock.
    """
    lookback_ms = round(lookback_seconds * 1000)
    return max(reaches(expr, 0, lookback_ms), default=0) / 1000


def reaches(expr: Expr, before: int, lookback_ms: int) -> Iterator[int]:
    """Yield the reach of every selector in milliseconds; `before` is what encloses it."""
    if isinstance(expr, MatrixSelector):
        if not fixed(expr.selector.at):
            yield before + expr.range_ms + expr.selector.offset_ms
    elif isinstance(expr, VectorSelector):
        if not fixed(expr.at):
            yield before + lookback_ms + expr.offset_ms
    elif isinstance(expr, Subquery) and fixed(expr.at):
        return
    else:
        if isinstance(expr, Subquery):
            before += expr.range_ms + expr.offset_ms
        for child in expr.children():
            yield from reaches(child, before, lookback_ms)


def fixed(at: int | Anchor | None) -> bool:
    """Whether an `@` modifier names a time of its own."""
    return at is not None and not isinstance(at, Anchor)
