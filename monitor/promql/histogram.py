"""Quantiles and fractions of classic histograms: all histograms of all steps at once.

Formulas are Prometheus 3's (promql/quantile.go), for buckets given by upper bounds and
cumulative counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.promql.grid import Grid
from monitor.promql.labels import METRIC_NAME, Flags, Indices, LabelBlock
from monitor.promql.source import Floats

SMALL_DELTA = 1e-12  # relative; a smaller fall between buckets is rounding, not an error
SMALLEST_NORMAL = 2.2250738585072014e-308
BUCKET = "le"


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the buckets of every histogram are: static, cached on the block.

    `members[d, b, h]` is the series of bucket b of histogram h, or -1; d counts series that spell
    the same bound differently. `bounds[b, h]` ascend; padding is NaN.
    """

    block: LabelBlock
    members: Indices
    bounds: Floats
    bad: tuple[tuple[int, str, str], ...]  # series, metric name, unreadable bound


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets present at each step, closed up: bucket × (step · histogram)."""

    bounds: Floats
    counts: Floats
    number: Indices

    def last(self, back: int = 0) -> tuple[Floats, Floats]:
        """Return bound and count of every histogram's last bucket, or of one before it."""
        row = np.maximum(self.number - 1 - back, 0)
        column = np.arange(row.size)
        return self.bounds[row, column], self.counts[row, column]


def parse_bound(text: str) -> float | None:
    """Return an upper bound as a number, None where it is not one."""
    if "_" in text or not text.isascii() or text != text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def layout_of(block: LabelBlock) -> Layout:
    """Return the layout of a block's histograms; the same one each time."""
    return block.cached("histograms", lambda: build_layout(block))


def build_layout(block: LabelBlock) -> Layout:
    """Work out which series are the buckets of which histogram."""
    names, texts = block.values_of(METRIC_NAME), block.values_of(BUCKET)
    bounds = {text: parse_bound(text) for text in set(texts)}
    kept = block.without((BUCKET,))
    codes, first = kept.row_codes
    found: list[dict[float, list[int]]] = [{} for _ in range(first.size)]
    bad = []
    for index, text in enumerate(texts):
        bound = bounds[text]
        if bound is None:
            bad.append((index, names[index], text))
        else:
            found[codes[index]].setdefault(bound, []).append(index)
    used = [histogram for histogram, buckets in enumerate(found) if buckets]
    width = max((len(found[h]) for h in used), default=0)
    depth = max((len(same) for h in used for same in found[h].values()), default=0)
    members = np.full((depth, width, len(used)), -1, np.intp)
    table = np.full((width, len(used)), np.nan)
    for place, histogram in enumerate(used):
        for row, bound in enumerate(sorted(found[histogram])):
            table[row, place] = bound
            for layer, index in enumerate(found[histogram][bound]):
                members[layer, row, place] = index
    return Layout(kept.take(first[np.array(used, np.intp)]), members, table, tuple(bad))


def gather(layout: Layout, grid: Grid) -> Buckets:
    """Return the buckets that are present at each step, the gaps closed."""
    steps = grid.steps
    rows = layout.bounds.shape[0]
    cube = np.zeros((rows, steps, layout.block.size))
    found = np.zeros(cube.shape, np.bool_)
    for members in layout.members:
        there = grid.mask[:, members] & (members >= 0)
        cube += np.moveaxis(np.where(there, grid.values[:, members], 0.0), 0, 1)
        found |= np.moveaxis(there, 0, 1)
    bounds = np.repeat(layout.bounds[:, None, :], steps, axis=1).reshape(rows, -1)
    counts, present = cube.reshape(rows, -1), found.reshape(rows, -1)
    number = present.sum(axis=0)
    if not present.all():
        order = np.argsort(~present, axis=0, kind="stable")
        bounds = np.take_along_axis(bounds, order, axis=0)
        counts = np.take_along_axis(counts, order, axis=0)
    return Buckets(bounds, counts, number)


def nearly_equal(a: Floats, b: Floats) -> Flags:
    """Whether two counts differ by rounding only."""
    gap, size = np.abs(a - b), np.abs(a) + np.abs(b)
    tiny = (a == 0) | (b == 0) | (size < SMALLEST_NORMAL)
    limit = np.where(tiny, SMALL_DELTA * SMALLEST_NORMAL, SMALL_DELTA * size)
    return np.asarray((a == b) | (gap < limit) | (np.isnan(a) & np.isnan(b)))


def monotonic(buckets: Buckets) -> tuple[Buckets, Flags]:
    """Return the buckets with falls in the counts repaired, and where a fall was no rounding."""
    counts = buckets.counts.copy()
    repaired = np.zeros(counts.shape[1], np.bool_)
    if not counts.shape[0]:
        return buckets, repaired
    before = counts[0]
    for row in range(1, counts.shape[0]):
        here = counts[row]
        used = row < buckets.number
        near = nearly_equal(before, here)
        fell = used & ~near & (here < before)
        repaired |= fell
        counts[row] = np.where(near | fell, before, here)
        before = counts[row]
    return Buckets(buckets.bounds, counts, buckets.number), repaired


def quantile(buckets: Buckets, q: Floats) -> Floats:
    """Return the q-quantile of every histogram by linear interpolation within its bucket."""
    columns = np.arange(buckets.number.size)
    top, total = buckets.last()
    below_top, _ = buckets.last(back=1)
    rank = q * total
    row = search(buckets, rank)
    end, count = buckets.bounds[row, columns], buckets.counts[row, columns]
    previous = np.maximum(row - 1, 0)
    start = np.where(row > 0, buckets.bounds[previous, columns], 0.0)
    before = np.where(row > 0, buckets.counts[previous, columns], 0.0)
    inside = start + (end - start) * ((rank - before) / (count - before))
    value = np.where((row == 0) & (end <= 0), end, inside)
    value = np.where(row == buckets.number - 1, below_top, value)
    unknown = ~(top == np.inf) | (buckets.number < 2) | (total == 0)
    value = np.where(unknown, np.nan, value)
    value = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, value))
    return np.where(np.isnan(q), np.nan, value)


def search(buckets: Buckets, rank: Floats) -> Indices:
    """Return the first bucket whose count reaches the rank, found as a binary search finds it.

    With NaN counts a binary search and a scan differ, and Prometheus searches.
    """
    columns = np.arange(rank.size)
    low = np.zeros(rank.size, np.intp)
    high = np.maximum(buckets.number - 1, 0)
    while (open_ := low < high).any():
        middle = (low + high) // 2
        reached = buckets.counts[middle, columns] >= rank
        low = np.where(open_ & ~reached, middle + 1, low)
        high = np.where(open_ & reached, middle, high)
    return low


def fraction(buckets: Buckets, lower: Floats, upper: Floats) -> Floats:
    """Return the share of observations between two bounds, interpolated linearly."""
    top, total = buckets.last()
    share = (rank_of(buckets, upper, total) - rank_of(buckets, lower, total)) / total
    share = np.where(lower >= upper, 0.0, share)
    unknown = (top != np.inf) | (total == 0) | np.isnan(total) | np.isnan(lower) | np.isnan(upper)
    return np.where(unknown | (buckets.number < 1), np.nan, share)


def rank_of(buckets: Buckets, bound: Floats, total: Floats) -> Floats:
    """Return how many observations lie below a bound; infinite ones count at their finite end."""
    rank = np.zeros(bound.size)
    found = np.full(bound.size, np.nan)
    start = np.where(buckets.bounds[0] > 0, 0.0, -np.inf) if len(buckets.bounds) else rank
    for row in range(buckets.bounds.shape[0]):
        used = np.isnan(found) & (row < buckets.number)
        end, count = buckets.bounds[row], buckets.counts[row]
        inside = rank + (count - rank) * ((bound - start) / (end - start))
        inside = np.where(np.isneginf(start), count, np.where(np.isposinf(end), rank, inside))
        found = np.where(used & (start >= bound), rank, found)
        found = np.where(used & (start < bound) & (end > bound), inside, found)
        rank, start = np.where(row < buckets.number, count, rank), end
    return np.where(np.isnan(found) | (found > total), total, found)


def bad_bounds(layout: Layout, grid: Grid) -> list[str]:
    """Return complaints about series that are present but carry no readable bucket bound."""
    return [
        f'bucket label "le" is missing or has a malformed value of "{text}"'
        f' for metric name "{name}"'
        for series, name, text in layout.bad
        if grid.mask[:, series].any()
    ]
