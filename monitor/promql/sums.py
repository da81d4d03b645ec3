"""Sums that do not lose small terms beside large ones, along an axis or within groups.

The error of every addition is carried along exactly (Knuth's two-sum) in a tree, so that
`2 + 8 + 1e100 - 1e100` is 10, as Prometheus's compensated sums have it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.promql.labels import Grouping
from monitor.promql.source import Floats


def exact_sum(values: Floats) -> Floats:
    """Return the compensated sum along the first axis; of nothing, zero."""
    if not values.shape[0]:
        return np.zeros(values.shape[1:])
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
