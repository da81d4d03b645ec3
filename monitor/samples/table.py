"""The samples of one writer: rows of one time each, columns of one series each.

The newest rows are plain float64, time-major, so that a window is a slice. Cells that have been
written never change: a reader keeps what it was handed while the writer goes on. Rows that have
grown old are packed into chunks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.promql.labels import Flags, Indices
from monitor.promql.source import MISSING, Floats, Part, Times, is_missing, is_special
from monitor.samples.chunks import CHUNK_ROWS, Chunk, ChunkCache, Ids, pack

FIRST_ROWS = 16
SPARE_COLUMNS = 8  # a wider table is made with an eighth more columns than asked for


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table held at one moment: a stable view, for as long as it is kept."""

    times: Times
    values: Floats
    special: Flags
    ids: Ids
    cold: tuple[Chunk, ...]

    def part(self, ids: Ids, places: Places, after_ms: int, cache: ChunkCache) -> Part:
        """Return some columns with at least the samples after a time."""
        columns = places.get(self.ids, ids)
        chunks = [chunk for chunk in self.cold if chunk.times[-1] > after_ms]
        if not chunks or (self.times.size and self.times[0] <= after_ms):
            return Part(self.times, self.values, columns, self.special)
        return self.gathered(ids, columns, chunks, cache)

    def gathered(
        self, ids: Ids, columns: slice | Indices, chunks: list[Chunk], cache: ChunkCache
    ) -> Part:
        """Return columns put together from chunks and the hot rows."""
        cold = [cache.columns(chunk, ids) for chunk in chunks]
        values = np.concatenate([*cold, self.values[:, columns]])
        times = np.concatenate([*(chunk.times for chunk in chunks), self.times])
        return Part(times, values, slice(None), np.any(is_special(values), axis=1))


@dataclass(slots=True)
class Places:
    """Where some columns stand in a table: remembered for as long as its columns are the same."""

    found: tuple[Ids, slice | Indices] | None = None  # in one piece: readers share it

    def get(self, all_ids: Ids, ids: Ids) -> slice | Indices:
        """Return the places of `ids`, all of which are among `all_ids`."""
        found = self.found
        if found is None or found[0] is not all_ids:
            found = self.found = (all_ids, as_slice(np.searchsorted(all_ids, ids)))
        return found[1]


def as_slice(columns: Indices) -> slice | Indices:
    """Return neighbouring ascending columns as a slice, which is read without copying."""
    if not columns.size or columns[-1] - columns[0] != columns.size - 1:
        return columns
    first = int(columns[0])
    return slice(first, first + columns.size) if (np.diff(columns) == 1).all() else columns


class Table:
    """The columns of one writer. One thread writes; any may read `state()`."""

    def __init__(self, hot_ms: int) -> None:
        self.hot_ms = hot_ms
        self.rows = 0
        self.ids: Ids = np.empty(0, np.int64)
        self.next_id = 0
        self.cold: tuple[Chunk, ...] = ()
        self._times: Times = np.empty(FIRST_ROWS, np.int64)
        self._values: Floats = np.empty((FIRST_ROWS, 0))
        self._special: Flags = np.zeros(FIRST_ROWS, np.bool_)
        self.pinned: Ids = self.ids  # columns that stay, however long they are empty
        self.live: Flags = np.zeros(0, np.bool_)
        self.seen_ms: Times = np.empty(0, np.int64)

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.ids.size)

    @property
    def last_ms(self) -> int | None:
        """The time of the newest row."""
        if self.rows:
            return int(self._times[self.rows - 1])
        return int(self.cold[-1].times[-1]) if self.cold else None

    @property
    def first_ms(self) -> int | None:
        """The time of the oldest row."""
        if self.cold:
            return int(self.cold[0].times[0])
        return int(self._times[0]) if self.rows else None

    @property
    def sealed_ms(self) -> int | None:
        """The time of the newest row that is packed."""
        return int(self.cold[-1].times[-1]) if self.cold else None

    @property
    def hot_bytes(self) -> int:
        """The memory of the rows that are not packed, spare room included."""
        return self._values.nbytes + self._times.nbytes + self._special.nbytes

    @property
    def cold_bytes(self) -> int:
        """The memory of the packed rows."""
        return sum(chunk.size_bytes for chunk in self.cold)

    def state(self) -> TableState:
        """Return a stable view of everything held now."""
        rows, width = self.rows, self.width
        return TableState(
            self._times[:rows],
            self._values[:rows, :width],
            self._special[:rows],
            self.ids,
            self.cold,
        )

    def add_columns(self, count: int) -> Ids:
        """Add columns, empty so far, and return their ids."""
        ids = np.arange(self.next_id, self.next_id + count, dtype=np.int64)
        self.next_id += count
        self.set_columns(np.concatenate((self.ids, ids)))
        return ids

    def set_columns(self, ids: Ids) -> None:
        """Have exactly the columns `ids` (ascending); new ones are empty, others are forgotten."""
        kept = np.isin(ids, self.ids)
        own = np.searchsorted(self.ids, ids[kept])
        room = self._values.shape[1]
        if not (kept[: self.width].all() and self.width <= ids.size <= room):
            room = ids.size + ids.size // SPARE_COLUMNS
            values = np.full((self._times.size, room), MISSING)
            values[: self.rows, : ids.size][:, kept] = self._values[: self.rows][:, own]
            self._values = values
        if not kept.all():
            self._special = self._special.copy()
            self._special[: self.rows] = True
        live, seen = np.zeros(ids.size, np.bool_), np.full(ids.size, -1, np.int64)
        live[kept], seen[kept] = self.live[own], self.seen_ms[own]
        self.live, self.seen_ms, self.ids = live, seen, ids

    def append(self, time_ms: int, row: Floats) -> None:
        """Add a row; its time must be after the last one's."""
        if self.rows == self._times.size:
            self._make_room()
        missing = is_missing(row)
        special = bool(is_special(row).any())
        self._values[self.rows, : row.size] = row
        self._times[self.rows] = time_ms
        self._special[self.rows] = special
        if special:
            self.seen_ms[~missing] = time_ms
        else:
            self.seen_ms[:] = time_ms
        self.rows += 1

    def _make_room(self) -> None:
        """Have space for at least one more row, in new arrays."""
        rows, width = self.rows, self.width
        size = rows * 2 if rows < CHUNK_ROWS else rows + max(CHUNK_ROWS, rows // 4)
        times, special = np.empty(size, np.int64), np.zeros(size, np.bool_)
        values = np.full((size, self._values.shape[1]), MISSING)
        times[:rows], special[:rows] = self._times[:rows], self._special[:rows]
        values[:rows, :width] = self._values[:rows, :width]
        self._times, self._values, self._special = times, values, special

    def seal(self, now_ms: int) -> list[Chunk]:
        """Pack the rows that have left the hot window, 120 at a time; return the new chunks."""
        done, sealed = 0, []
        oldest_hot = now_ms - self.hot_ms
        while self.rows - done > CHUNK_ROWS and self._times[done + CHUNK_ROWS - 1] < oldest_hot:
            inside = slice(done, done + CHUNK_ROWS)
            chunk = pack(self._times[inside], self._values[inside, : self.width], self.ids)
            sealed.append(chunk)
            done += CHUNK_ROWS
        if done:
            self._forget_rows(done)
            self.cold = (*self.cold, *sealed)
        return sealed

    def _forget_rows(self, count: int) -> None:
        """Drop the oldest hot rows, in new arrays; readers keep the old ones."""
        rest = self.rows - count
        size = max(rest + max(CHUNK_ROWS, rest // 4), FIRST_ROWS)
        times, special = np.empty(size, np.int64), np.zeros(size, np.bool_)
        values = np.full((size, self._values.shape[1]), MISSING)
        times[:rest] = self._times[count : self.rows]
        special[:rest] = self._special[count : self.rows]
        values[:rest] = self._values[count : self.rows]
        self._times, self._values, self._special = times, values, special
        self.rows = rest

    def expire(self, before_ms: int) -> Ids:
        """Drop rows older than a time, and the columns that are then empty; return the latter."""
        self.cold = tuple(chunk for chunk in self.cold if chunk.times[-1] >= before_ms)
        old = int(np.searchsorted(self._times[: self.rows], before_ms))
        if old and (old == self.rows or old > CHUNK_ROWS):
            self._forget_rows(old)
        gone = (self.seen_ms < before_ms) & (self.seen_ms >= 0) & ~np.isin(self.ids, self.pinned)
        forgotten = self.ids[gone]
        if forgotten.size:
            self.set_columns(self.ids[~gone])
        return forgotten
