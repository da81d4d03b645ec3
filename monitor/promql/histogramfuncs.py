"""The functions of classic histograms: quantiles and fractions of every histogram in a vector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.promql import histogram
from monitor.promql.ast import Call, Expr
from monitor.promql.calls import (
    evaluate_string,
    go_number,
    place_of,
    remark_quantiles,
    renamed,
)
from monitor.promql.context import Context, RemarkList
from monitor.promql.grid import Grid, empty_grid, merge_same_labels
from monitor.promql.labels import concatenate
from monitor.promql.source import Floats

Measure = Callable[[histogram.Buckets, list[Floats]], Floats]


def of_histograms(
    argument: Expr, place: str, numbers: list[Floats], context: Context, measure: Measure
) -> Grid:
    """Return one number for every classic histogram that is present."""
    grid = context.vector(argument)
    layout = histogram.layout_of(grid.block)
    for text in histogram.bad_bounds(layout, grid):
        context.remarks.warn(text + place)
    if not layout.block.size:
        return empty_grid(context.steps)
    buckets = histogram.gather(layout, grid)
    wide = [np.repeat(number, layout.block.size) for number in numbers]
    shape = (context.steps, layout.block.size)
    values = measure(buckets, wide).reshape(shape)
    return renamed(Grid(layout.block, values, (buckets.number > 0).reshape(shape)), context)


def repaired(buckets: histogram.Buckets, remarks: RemarkList, place: str) -> histogram.Buckets:
    """Return buckets whose counts no longer fall, with a remark where they did."""
    fixed, fell = histogram.monotonic(buckets)
    if fell.any():
        remarks.inform(
            "input to histogram_quantile needed to be fixed for monotonicity "
            f"(counts of a bucket fell below those of the bucket before it){place}"
        )
    return fixed


def histogram_quantile(call: Call, context: Context) -> Grid:
    """Return a quantile of every classic histogram."""
    q = context.scalar(call.args[0])
    remark_quantiles(q, context.remarks, place_of(call, 0))
    return one_quantile(call.args[1], place_of(call, 1), q, context)


def one_quantile(argument: Expr, place: str, q: Floats, context: Context) -> Grid:
    """Return a quantile of every classic histogram of a vector."""

    def measure(buckets: histogram.Buckets, wide: list[Floats]) -> Floats:
        return histogram.quantile(repaired(buckets, context.remarks, place), wide[0])

    return of_histograms(argument, place, [q], context, measure)


def histogram_quantiles(call: Call, context: Context) -> Grid:
    """Return several quantiles of every classic histogram, told apart by a label."""
    label = evaluate_string(call.args[1])
    grids = []
    for index, arg in enumerate(call.args[2:], start=2):
        q = context.scalar(arg)
        remark_quantiles(q, context.remarks, place_of(call, index))
        grid = one_quantile(call.args[0], place_of(call, 0), q, context)
        text = quantile_label(float(q[0]))
        block = grid.block.replacing(label, [text] * grid.block.size)
        grids.append(Grid(block, grid.values, grid.mask, grid.nameless))
    return merge_same_labels(side_by_side(grids, context.steps))


def quantile_label(q: float) -> str:
    """Return a quantile as a label value, in the form of an OpenMetrics float."""
    text = go_number(q)
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def side_by_side(grids: list[Grid], steps: int) -> Grid:
    """Return the series of several vectors as one."""
    if not grids:
        return empty_grid(steps)
    whole = grids[0]
    for grid in grids[1:]:
        marks = None
        if whole.nameless is not None and grid.nameless is not None:
            marks = np.concatenate((whole.nameless, grid.nameless))
        values = np.concatenate((whole.values, grid.values), axis=1)
        mask = np.concatenate((whole.mask, grid.mask), axis=1)
        whole = Grid(concatenate(whole.block, grid.block), values, mask, marks)
    return whole


def histogram_fraction(call: Call, context: Context) -> Grid:
    """Return the share of observations between two bounds for every classic histogram."""
    bounds, place = [context.scalar(arg) for arg in call.args[:2]], place_of(call, 2)

    def measure(buckets: histogram.Buckets, wide: list[Floats]) -> Floats:
        return histogram.fraction(repaired(buckets, context.remarks, place), *wide)

    return of_histograms(call.args[2], place, bounds, context, measure)
