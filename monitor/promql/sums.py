"""Sums that do not lose small terms beside large ones, along an axis or within groups.

`2 + 8 + 1e100 - 1e100` is 10, as Prometheus's compensated sums have it. Where terms hardly cancel,
which is nearly always, one pass with 64 bits of mantissa says the same and costs a quarter; where
they do, or the processor has no such numbers, the error of every addition is carried along
exactly (Knuth's two-sum).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.promql.labels import Grouping
from monitor.promql.source import Floats

EXTENDED = np.finfo(np.longdouble).nmant >= 63
MAX_EXTENDED_TERMS = 4096
CANCELLATION = 2.0**-11  # of 64 bits, 53 remain if |sum| is at least this share of n · sum |terms|


def exact_sum(values: Floats) -> Floats:
    """Return the sum along the first axis as if its errors were compensated; of nothing, zero."""
    if values.shape[0] < 2:
        return values[0] if values.shape[0] else np.zeros(values.shape[1:])
    if EXTENDED and values.shape[0] <= MAX_EXTENDED_TERMS:
        total = np.add.reduce(values, axis=0, dtype=np.longdouble)
        if is_well_conditioned(values, total):
            return np.asarray(total, np.float64)
    return compensated_sum(values)


def is_well_conditioned(values: Floats, total: np.ndarray) -> bool:
    """Whether a sum in extended precision, rounded once, is as good as a compensated one."""
    if values.min(initial=np.inf) >= 0 or values.max(initial=-np.inf) <= 0:
        return True
    size = np.add.reduce(np.abs(values), axis=0)
    limit = size * (values.shape[0] * CANCELLATION)
    return bool(np.all((np.abs(total) >= limit) | ~np.isfinite(total)))


def compensated_sum(values: Floats) -> Floats:
    """Return the sum along the first axis, the error of every addition carried along in a tree."""
    total: Floats = values
    error: Floats | None = None
    while (rows := total.shape[0]) > 1:
        half = rows // 2
        a, b = total[:half], total[half : 2 * half]
        summed = a + b
        shadow = summed - a
        lost = (a - (summed - shadow)) + (b - shadow)
        if error is not None:
            lost += error[:half] + error[half : 2 * half]
        if rows % 2:
            summed = np.concatenate((summed, total[-1:]))
            rest = np.zeros_like(total[-1:]) if error is None else error[-1:]
            lost = np.concatenate((lost, rest))
        total, error = summed, lost
    if error is None:
        return np.asarray(total[0])
    return np.asarray(np.where(np.isfinite(total[0]), total[0] + error[0], total[0]))


def reduce_groups(
    grouping: Grouping, values: Floats, fill: float, reduce: Callable[[Floats], Floats]
) -> Floats:
    """Return `reduce` along the members of every group: steps × series in, steps × groups out.

    `fill` stands in for padding. `reduce` gets members × steps × groups.
    """
    out = np.empty((values.shape[0], grouping.count))
    for groups, members, used in grouping.layout:
        gathered = np.moveaxis(values[:, members], 0, 1)
        if not used.all():
            gathered = np.where(used[:, None, :], gathered, fill)
        out[:, groups] = reduce(gathered)
    return out


def sum_groups(grouping: Grouping, values: Floats) -> Floats:
    """Return the compensated sum of every group at every step."""
    return reduce_groups(grouping, values, 0.0, exact_sum)
