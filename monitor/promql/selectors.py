"""Selectors and subqueries as nodes: what they read, at which times, against which bounds."""

from __future__ import annotations

import numpy as np

from monitor.promql.ast import MatrixSelector, Subquery, VectorSelector
from monitor.promql.context import Context
from monitor.promql.grid import Grid
from monitor.promql.labels import LabelBlock
from monitor.promql.selection import Ranges, current, sized
from monitor.promql.source import MISSING, Frame, Part, Times


def select_instant(context: Context, selector: VectorSelector) -> tuple[Grid, Times]:
    """Return the current sample of every series at every step, and its time (steps × series)."""
    at = context.shifted(selector.offset_ms, selector.at)
    low, high = int(at.min()) - context.lookback_ms, int(at.max())
    frame = context.source.select(selector.matchers, low, high)
    context.budget.spend(context.steps * frame.block.size)
    values = np.empty((context.steps, frame.block.size))
    mask = np.empty(values.shape, np.bool_)
    times = np.empty(values.shape, np.int64)
    start = 0
    for part, width in sized(frame):
        inside = slice(start, start + width)
        values[:, inside], mask[:, inside], times[:, inside] = current(
            part, at, context.lookback_ms
        )
        start += width
    return Grid(frame.block, values, mask), times


def select_range(context: Context, node: MatrixSelector) -> Ranges:
    """Return the windows of a range selector at every step."""
    selector = node.selector
    ends = context.shifted(selector.offset_ms, selector.at)
    frame = context.source.select(
        selector.matchers, int(ends.min()) - node.range_ms, int(ends.max())
    )
    ranges = Ranges(frame, context.times, ends, node.range_ms)
    context.budget.spend(ranges.cells)
    return ranges


def ranges_over(grid: Grid, times: Times, context: Context, ends: Times, range_ms: int) -> Ranges:
    """Return the windows of a subquery whose inner expression was evaluated at `times`."""
    values = np.where(grid.mask, grid.values, MISSING)
    part = Part(times, values, slice(None), np.logical_not(np.all(grid.mask, axis=1)))
    frame = Frame(grid.block, (part,))
    return Ranges(frame, context.times, ends, range_ms, grid.nameless)


def subquery_ranges(expr: Subquery, context: Context) -> Ranges:
    """Return the windows of a subquery, its inner steps at absolute multiples of its step."""
    default = round(context.options.subquery_step_seconds * 1000)
    step = expr.step_ms or default
    ends = context.shifted(expr.offset_ms, expr.at)
    times = aligned_times(int(ends.min()) - expr.range_ms, int(ends.max()), step, context)
    if not times.size:
        frame = Frame(LabelBlock.of(()), ())
        return Ranges(frame, context.times, ends, expr.range_ms)
    grid = context.at_times(times).vector(expr.expr)
    return ranges_over(grid, times, context, ends, expr.range_ms)


def aligned_times(after: int, until: int, step: int, context: Context) -> Times:
    """Return the multiples of `step` in `(after, until]`."""
    first = (after // step + 1) * step
    context.budget.check_steps(max((until - first) // step + 1, 0))
    return np.arange(first, until + 1, step, dtype=np.int64)
