"""Aggregations over the series of a vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.promql.errors import PromqlError
from monitor.promql.grid import Grid
from monitor.promql.labels import Flags, Grouping, LabelBlock
from monitor.promql.rangefuncs import quantiles
from monitor.promql.source import Floats
from monitor.promql.sums import reduce_groups, sum_groups

MAX_INT64 = 9.223372036854775e18


def counts_of(grouping: Grouping, mask: Flags) -> Floats:
    """Return how many series of each group are present at each step."""
    if mask.all():
        own = np.bincount(grouping.codes, minlength=grouping.count).astype(np.float64)
        return np.repeat(own[None, :], mask.shape[0], axis=0)
    steps, columns = np.nonzero(mask)
    cells = steps * grouping.count + grouping.codes[columns]
    found = np.bincount(cells, minlength=mask.shape[0] * grouping.count)
    return found.reshape(mask.shape[0], grouping.count).astype(np.float64)


def present(grid: Grid, fill: float) -> Floats:
    """Return the values with `fill` where a series is absent."""
    return grid.values if grid.mask.all() else np.where(grid.mask, grid.values, fill)


@dataclass(frozen=True, slots=True)
class Members:
    """A vector with its groups and how many series of each are present at each step."""

    grouping: Grouping
    grid: Grid
    counts: Floats

    def sum(self, values: Floats) -> Floats:
        """Return the compensated sum of these values over every group."""
        return sum_groups(self.grouping, values)

    def extreme(self, reduce: np.ufunc) -> Floats:
        """Return the largest or smallest value of every group; NaN only where all are NaN."""
        values = present(self.grid, np.nan)
        return reduce_groups(
            self.grouping, values, np.nan, lambda v: np.asarray(reduce.reduce(v, axis=0))
        )

    def mean(self) -> Floats:
        """Return the mean of every group; it does not overflow where the sum would."""
        values = present(self.grid, 0.0)
        total = self.sum(values)
        over = np.isinf(total)
        if not over.any():
            return total / self.counts
        scaled = self.sum(values / self.counts[:, self.grouping.codes])
        return np.where(over, scaled, total / self.counts)

    def variance(self) -> Floats:
        """Return the population variance of every group."""
        codes, mask = self.grouping.codes, self.grid.mask
        shift = self.extreme(np.fmin)[:, codes]
        centred = np.where(mask, self.grid.values - shift, 0.0)
        centre = self.sum(centred) / self.counts
        deviation = np.where(mask, centred - centre[:, codes], 0.0)
        return self.sum(deviation * deviation) / self.counts


REDUCTIONS: dict[str, Callable[[Members], Floats]] = {
    "sum": lambda members: members.sum(present(members.grid, 0.0)),
    "avg": Members.mean,
    "count": lambda members: members.counts,
    "group": lambda members: np.ones(members.counts.shape),
    "min": lambda members: members.extreme(np.fmin),
    "max": lambda members: members.extreme(np.fmax),
    "stdvar": Members.variance,
    "stddev": lambda members: np.sqrt(members.variance()),
}


def group_marks(grouping: Grouping, grid: Grid) -> Flags | None:
    """Return which groups lose their metric name at the end: those of series that do."""
    if grid.nameless is None:
        return None
    return np.asarray(np.bincount(grouping.codes, grid.nameless, grouping.count) > 0)


def reduced(op: str, grouping: Grouping, grid: Grid) -> Grid:
    """Return one series a group; groups without a present series are absent."""
    counts = counts_of(grouping, grid.mask)
    values = REDUCTIONS[op](Members(grouping, grid, counts))
    return Grid(grouping.block, values, counts > 0, group_marks(grouping, grid))


def quantile(grouping: Grouping, grid: Grid, q: Floats) -> Grid:
    """Return the q-quantile of every group; q may differ between steps."""
    counts = counts_of(grouping, grid.mask)
    values = present(grid, np.nan)
    found = np.empty(counts.shape)
    for step in range(grid.steps):
        row = slice(step, step + 1)
        found[row] = quantile_step(grouping, values[row], counts[row], float(q[step]))
    return Grid(grouping.block, found, counts > 0, group_marks(grouping, grid))


def quantile_step(grouping: Grouping, values: Floats, counts: Floats, q: float) -> Floats:
    """Return the q-quantile of every group at one step."""
    out = np.empty(counts.shape)
    for groups, members, used in grouping.layout:
        gathered = np.where(used, values[0, members], np.nan)
        out[0, groups] = quantiles(gathered, counts[0, groups], q)
    return out


def limit_of(values: Floats) -> Floats:
    """Return `k` of topk and bottomk for every step as whole numbers.

    Raises:
        PromqlError: k is NaN or beyond 64 bits.
    """
    if np.isnan(values).any():
        raise PromqlError("Parameter value is NaN")
    if (np.abs(values) > MAX_INT64).any():
        raise PromqlError("Scalar value overflows int64")
    return np.trunc(values)


def top(grouping: Grouping, grid: Grid, limit: Floats, *, largest: bool) -> Grid:
    """Return the k largest or smallest series of every group; NaN comes last."""
    mask = np.zeros(grid.mask.shape, np.bool_)
    order = np.empty(0, np.intp)
    for step in range(grid.steps):
        found = np.flatnonzero(grid.mask[step])
        values, codes = grid.values[step, found], grouping.codes[found]
        keys = -values if largest else values
        ranked = np.lexsort((keys, np.isnan(values), codes))
        sorted_codes = codes[ranked]
        starts = np.searchsorted(sorted_codes, sorted_codes, "left")
        chosen = ranked[np.arange(ranked.size) - starts < limit[step]]
        order = found[chosen]
        mask[step, order] = True
    return Grid(grid.block, grid.values, mask, grid.nameless, order if grid.steps == 1 else None)


def format_value(value: float) -> str:
    """Return a number as `count_values` writes it into a label: never with an exponent."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


def count_values(
    grid: Grid,
    label: str,
    names: Sequence[str],
    *,
    without: bool,
    check: Callable[[int], None],
) -> Grid:
    """Return how many series of each group have each value; the value becomes a label.

    Every value at any step is a series of the result: `check` hears of its size before it is made.
    """
    steps, columns = np.nonzero(grid.mask)
    cells = grid.values[steps, columns]
    distinct, codes = np.unique(cells, return_inverse=True)
    codes = codes.reshape(-1)
    if without:
        kept = grid.block.without((*names, "__name__", label))
    else:
        kept = grid.block.keeping(set(names) - {label})
    groups, first = kept.row_codes
    pairs, places = np.unique(groups[columns] * distinct.size + codes, return_inverse=True)
    places = places.reshape(-1)
    check(grid.steps * pairs.size)
    texts = [format_value(v) for v in distinct[pairs % max(distinct.size, 1)].tolist()]
    block: LabelBlock = kept.take(first[pairs // max(distinct.size, 1)]).replacing(label, texts)
    counts = np.bincount(steps * pairs.size + places, minlength=grid.steps * pairs.size)
    counts = counts.reshape(grid.steps, pairs.size)
    return Grid(block, counts.astype(np.float64), counts > 0)
