"""The evaluator: walks an expression once, for all steps together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from monitor.promql.ast import Expr, ValueType
from monitor.promql.calls import evaluate_string, vector_of
from monitor.promql.context import Budget, Context, RemarkList
from monitor.promql.errors import PromqlError, QueryLimitError
from monitor.promql.evaluator import TreeWalker
from monitor.promql.grid import Grid, finish_names
from monitor.promql.options import DEFAULT_OPTIONS, Options
from monitor.promql.result import Matrix, Result, Scalar, Series, String, Vector, matrix_of
from monitor.promql.selection import Ranges
from monitor.promql.source import Source

WALKER = TreeWalker()
MAX_TIME_SECONDS = 9_007_199_254_740.0  # whole milliseconds stay exact beyond this no more


def evaluate_instant(
    expr: Expr, source: Source, at: float, *, options: Options = DEFAULT_OPTIONS
) -> Result:
    """Return the value of an expression at `at`, Unix seconds.

    Raises:
        PromqlError: series cannot be matched, or two results have the same labels.
        QueryLimitError: the options' bounds would be exceeded.
    """
    at_ms = to_milliseconds(at)
    context = make_context(source, at_ms, at_ms, 0, options)
    with bounded():
        return instant_result(expr, context, at)


def evaluate_range(
    expr: Expr,
    source: Source,
    start: float,
    end: float,
    step: float,
    *,
    options: Options = DEFAULT_OPTIONS,
) -> Matrix:
    """Return the value of an expression at start, start + step, … up to and including end.

    Times are Unix seconds.

    Raises:
        PromqlError: the expression is a range vector or string, or cannot be evaluated.
        QueryLimitError: the options' bounds would be exceeded.
    """
    if expr.type not in (ValueType.SCALAR, ValueType.VECTOR):
        raise PromqlError(f"invalid expression type {expr.type} for range query")
    start_ms, end_ms, step_ms = (to_milliseconds(t) for t in (start, end, step))
    if step_ms < 1 or end_ms < start_ms:
        raise PromqlError("a range query needs a positive step and an end not before its start")
    context = make_context(source, start_ms, end_ms, step_ms, options)
    with bounded():
        grid = as_grid(expr, context)
    return matrix_of(grid.block, context.times, grid.values, grid.mask, context.remarks.freeze())


@contextmanager
def bounded() -> Iterator[None]:
    """Let numbers overflow as IEEE 754 has it, and an expression nest only so deep."""
    try:
        with np.errstate(all="ignore"):
            yield
    except RecursionError as error:
        raise QueryLimitError("expression is nested too deep to be evaluated") from error


def to_milliseconds(seconds: float) -> int:
    """Return Unix seconds as whole milliseconds.

    Raises:
        QueryLimitError: the time is not finite, or too far away to be exact.
    """
    if not abs(seconds) <= MAX_TIME_SECONDS:
        raise QueryLimitError(f"time out of range: {seconds}")
    return round(seconds * 1000)


def make_context(
    source: Source, start_ms: int, end_ms: int, step_ms: int, options: Options
) -> Context:
    """Return the context of a query, its number of steps checked first."""
    budget = Budget.start(options)
    budget.check_steps((end_ms - start_ms) // max(step_ms, 1) + 1)
    times = np.arange(start_ms, end_ms + 1, max(step_ms, 1), dtype=np.int64)
    return Context(source, times, start_ms, end_ms, step_ms, options, budget, RemarkList(), WALKER)


def as_grid(expr: Expr, context: Context) -> Grid:
    """Return a vector or scalar expression as a vector, names removed that were marked."""
    if expr.type is ValueType.SCALAR:
        return vector_of(context.scalar(expr))
    return finish_names(context.vector(expr))


def instant_result(expr: Expr, context: Context, at: float) -> Result:
    """Return the value of an expression at the context's only time, by its type."""
    if expr.type is ValueType.SCALAR:
        number = float(context.scalar(expr)[0])
        return Scalar(at, number, context.remarks.freeze())
    if expr.type is ValueType.STRING:
        return String(at, evaluate_string(expr), context.remarks.freeze())
    if expr.type is ValueType.MATRIX:
        return series_of(context.ranges(expr), context)
    grid = finish_names(context.vector(expr))
    indices = np.flatnonzero(grid.mask[0]) if grid.order is None else grid.order
    return Vector(at, grid.block, indices, grid.values[0, indices], context.remarks.freeze())


def series_of(ranges: Ranges, context: Context) -> Matrix:
    """Return the samples of the first step's window, series by series."""
    window = ranges.window(0)
    counts = window.count()
    series = []
    for column in np.flatnonzero(counts).tolist():
        rows = slice(0, int(counts[column]))
        times = window.times[rows, 0 if window.times.shape[1] == 1 else column]
        series.append(Series(ranges.block.labels(column), times, window.values[rows, column]))
    return Matrix(tuple(series), context.remarks.freeze())
