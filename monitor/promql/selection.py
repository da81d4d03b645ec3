"""Samples out of a frame: the current one of every series, or those of a window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitor.promql.labels import Flags, Indices
from monitor.promql.source import (
    Floats,
    Frame,
    Part,
    Times,
    is_missing,
    is_special,
    is_stale,
)


@dataclass(frozen=True, slots=True)
class Window:
    """The samples of every series within one range, oldest first, gaps closed.

    `values[k, i]` is the k-th sample of series i, its time is `times[k, i]`, or `times[k, 0]` where
    all series share their times. `counts[i]` samples are valid; None means all rows of all series.
    """

    values: Floats
    times: Times
    counts: Indices | None
    start_ms: int  # excluded
    end_ms: int  # included
    at_ms: int  # the evaluation time; differs from end_ms by offset and @

    @property
    def rows(self) -> int:
        """The most samples any series has."""
        return int(self.values.shape[0])

    @property
    def valid(self) -> Flags | None:
        """Which cells hold samples; None means all."""
        if self.counts is None:
            return None
        return np.asarray(np.arange(self.rows)[:, None] < self.counts)

    def count(self) -> Indices:
        """Return the number of samples of every series."""
        if self.counts is None:
            return np.full(self.values.shape[1], self.rows, np.intp)
        return self.counts

    def last(self, back: int = 0) -> tuple[Floats, Times]:
        """Return the value and time of every series' last sample, or of one `back` before it."""
        if self.counts is None:
            return self.values[self.rows - 1 - back], self.times[self.rows - 1 - back]
        row = np.maximum(self.counts - 1 - back, 0)
        columns = np.arange(self.counts.size)
        shared = self.times.shape[1] == 1
        return self.values[row, columns], self.times[row, 0 if shared else columns]


def sized(frame: Frame) -> Iterator[tuple[Part, int]]:
    """Yield every part of a frame with its number of columns."""
    for part in frame.parts:
        columns = part.columns
        if isinstance(columns, slice):
            yield part, len(range(*columns.indices(part.values.shape[1])))
        else:
            yield part, int(columns.size)


def current(part: Part, at: Times, lookback_ms: int) -> tuple[Floats, Flags, Times]:
    """Return value, presence and time of the newest sample in `(at - lookback, at]`."""
    if not part.times.size:
        width = part.values[:0, part.columns].shape[1]
        empty = np.zeros((at.size, width))
        return empty, empty.astype(np.bool_), empty.astype(np.int64)
    rows = part.times.searchsorted(at, "right") - 1
    found = (rows >= 0) & (part.times[rows] > at - lookback_ms)
    values = part.values[rows][:, part.columns]
    mask = np.repeat(found[:, None], values.shape[1], axis=1)
    times = np.broadcast_to(part.times[rows][:, None], values.shape)
    if not part.special[rows[found]].any():
        return values, mask, times
    gaps = np.flatnonzero((is_missing(values) & mask).any(axis=0))
    if gaps.size:
        times = times.copy()
        values[:, gaps], mask[:, gaps], times[:, gaps] = filled(part, gaps, at, lookback_ms)
    return values, mask & ~is_stale(values), times


def filled(part: Part, gaps: Indices, at: Times, lookback_ms: int) -> tuple[Floats, Flags, Times]:
    """Return what `current` does for the columns `gaps`, looking back past missing cells."""
    first = int(np.searchsorted(part.times, int(at.min()) - lookback_ms, "right"))
    last = int(np.searchsorted(part.times, int(at.max()), "right"))
    columns = np.arange(part.values.shape[1])[part.columns][gaps]
    values = part.values[first:last][:, columns]
    own = np.where(is_missing(values), -1, np.arange(last - first)[:, None])
    newest = np.vstack((np.full(gaps.size, -1), np.maximum.accumulate(own, axis=0)))
    row = newest[np.searchsorted(part.times[first:last], at, "right")]
    times = part.times[first:last][row]
    mask = (row >= 0) & (times > (at - lookback_ms)[:, None])
    return values[row, np.arange(gaps.size)], mask, times


class Ranges:
    """The windows of a range selector or subquery, one at every step."""

    def __init__(
        self,
        frame: Frame,
        at: Times,
        ends: Times,
        range_ms: int,
        nameless: Flags | None = None,
    ) -> None:
        self.block = frame.block
        self.nameless = nameless
        self.at = at
        self.ends = ends
        self.range_ms = range_ms
        edges = np.concatenate((ends - range_ms, ends))
        self.parts = []  # with, for every step, the rows inside its window: low, and high excluded
        for part, width in sized(frame):
            rows = part.times.searchsorted(edges, "right")
            self.parts.append((part, width, rows[: ends.size], rows[ends.size :]))

    @property
    def is_constant(self) -> bool:
        """Whether every step sees the same window."""
        return bool((self.ends == self.ends[0]).all())

    @property
    def cells(self) -> int:
        """The samples that all windows together read, each once."""
        first, last = int(self.ends.argmin()), int(self.ends.argmax())
        return sum(int(high[last] - low[first]) * width for _, width, low, high in self.parts)

    def window(self, step: int) -> Window:
        """Return the samples of one step's window."""
        pieces = [
            compacted(part, int(low[step]), int(high[step]), width)
            for part, width, low, high in self.parts
        ]
        values, times, counts = pieces[0] if len(pieces) == 1 else joined(pieces, self.block.size)
        end = int(self.ends[step])
        return Window(values, times, counts, end - self.range_ms, end, int(self.at[step]))


Piece = tuple[Floats, Times, Indices | None]


def compacted(part: Part, low: int, high: int, width: int) -> Piece:
    """Return a part's rows from low to high with missing and stale cells closed up."""
    columns = part.columns
    rows = part.values[low:high]
    values = rows[:, columns] if isinstance(columns, slice) else rows.take(columns, axis=1)
    times = part.times[low:high, None]
    if not part.special[low:high].any():
        return values, times, None
    return close_gaps(values, times, is_special(values), width)


def close_gaps(values: Floats, times: Times, gaps: Flags, width: int) -> Piece:
    """Return the columns with the cells in `gaps` left out, the others in order."""
    if not gaps.any():
        return values, times, None
    counts = gaps.shape[0] - gaps.sum(axis=0)
    rows = int(counts.max(initial=0))
    order = np.argsort(gaps, axis=0, kind="stable")[:rows]
    return values[order, np.arange(width)], times[order, 0], counts


def joined(pieces: list[Piece], width: int) -> Piece:
    """Return several pieces side by side; the shorter ones end early."""
    rows = max((values.shape[0] for values, _, _ in pieces), default=0)
    out, out_times = np.zeros((rows, width)), np.zeros((rows, width), np.int64)
    counts = np.empty(width, np.intp)
    start = 0
    for values, times, own in pieces:
        height, columns = values.shape
        inside = slice(start, start + columns)
        out[:height, inside] = values
        out_times[:height, inside] = times
        counts[inside] = height if own is None else own
        start += columns
    return out, out_times, None if (counts == rows).all() else counts
