"""A vector at every step of an evaluation: one matrix of values, one of presence, one block."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from monitor.promql.errors import PromqlError
from monitor.promql.labels import METRIC_NAME, Flags, Indices, LabelBlock
from monitor.promql.source import Floats

SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True, slots=True)
class Grid:
    """`values[t, i]` is series i of the block at step t, where `mask[t, i]`; elsewhere anything.

    `nameless[i]` marks series that lose their metric name at the end (delayed name removal only);
    `order` is the order of an instant result, where a function has set one.
    """

    block: LabelBlock
    values: Floats
    mask: Flags
    nameless: Flags | None = None
    order: Indices | None = None

    @property
    def steps(self) -> int:
        """The number of evaluation times."""
        return int(self.values.shape[0])


def empty_grid(steps: int) -> Grid:
    """Return a vector without series."""
    return Grid(LabelBlock.of(()), np.empty((steps, 0)), np.empty((steps, 0), np.bool_))


def drop_names(grid: Grid, *, delayed: bool) -> Grid:
    """Return the vector without metric names, or marked to lose them if removal is delayed.

    Raises:
        PromqlError: two series of one step then have the same labels.
    """
    if delayed:
        return replace(grid, nameless=np.ones(grid.block.size, np.bool_))
    return merge_same_labels(replace(grid, block=grid.block.nameless))


def finish_names(grid: Grid) -> Grid:
    """Return the vector with the names removed that were marked."""
    if grid.nameless is None or METRIC_NAME not in grid.block.columns:
        return grid
    names = grid.block.values_of(METRIC_NAME)
    kept = ["" if gone else name for name, gone in zip(names, grid.nameless, strict=True)]
    return merge_same_labels(
        replace(grid, block=grid.block.replacing(METRIC_NAME, kept), nameless=None)
    )


def merge_same_labels(grid: Grid) -> Grid:
    """Return the vector with series of the same labels made one; each step may have only one.

    Raises:
        PromqlError: two of them are present at the same step.
    """
    block = grid.block
    if block.is_unique:
        return grid
    codes, first = block.row_codes
    steps, columns = np.nonzero(grid.mask)
    cells = steps * first.size + codes[columns]
    if cells.size and np.bincount(cells).max() > 1:
        raise PromqlError(SAME_LABELS)
    values = np.zeros((grid.steps, first.size))
    mask = np.zeros(values.shape, np.bool_)
    values.reshape(-1)[cells] = grid.values[steps, columns]
    mask.reshape(-1)[cells] = True
    return Grid(
        block=block.cached("merged", lambda: block.take(first)),
        values=values,
        mask=mask,
        nameless=None if grid.nameless is None else grid.nameless[first],
    )
