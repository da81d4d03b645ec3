"""A writer: one origin of samples (a probe, a target, a rule group), with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from monitor.promql.labels import Indices, LabelBlock
from monitor.promql.source import MISSING, STALE, Floats
from monitor.samples.chunks import Ids
from monitor.samples.errors import SeriesLimitError
from monitor.samples.exposition import Scrape, SeriesBook
from monitor.samples.table import Table

if TYPE_CHECKING:
    from monitor.samples.store import SampleStore

LabelKey = tuple[tuple[str, str], ...]
MAX_KNOWN_BLOCKS = 64


def key_of(labels: Mapping[str, str]) -> LabelKey:
    """Return labels in a form that is equal for equal series; empty values are absent labels."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


class Writer:
    """The series of one origin; made by `SampleStore.writer`, one for each name.

    All its samples of one moment are written together, and moments only go forward: a row that is
    not after the last one is dropped and counted. Use either `append` (fixed series) or `ingest`
    and its kin (series that come and go), not both.
    """

    def __init__(self, store: SampleStore, number: int, name: str, table: Table) -> None:
        self.store = store
        self.number = number
        self.name = name
        self.table = table
        self.known: dict[LabelKey, int] = {}
        self.fixed: Ids = np.empty(0, np.int64)
        self._blocks: dict[int, Ids] = {}
        self._books: WeakKeyDictionary[SeriesBook, Ids] = WeakKeyDictionary()

    def register(self, series: Sequence[Mapping[str, str]]) -> None:
        """Have exactly these series, in this order, as the columns of `append`.

        Series this writer already has keep their samples. Those it had and are not among them end.

        Raises:
            SeriesLimitError: the store cannot hold them; none is registered.
            ValueError: two of them have the same labels.
        """
        keys = [key_of(labels) for labels in series]
        if len(set(keys)) != len(keys):
            raise ValueError(f"writer {self.name}: the same series is registered twice")
        with self.store.lock:
            self.store.check_room(sum(key not in self.known for key in keys))
            self.fixed = self._ids(keys)
            self.table.pinned = self.fixed

    def append(self, timestamp: float, values: Floats | Sequence[float]) -> bool:
        """Write one sample of every registered series, in order; MISSING leaves one out.

        `timestamp` is Unix seconds. False if it was not after the writer's last row.

        Raises:
            ValueError: there are not as many values as series.
        """
        row = np.asarray(values, np.float64)
        if row.shape != self.fixed.shape:
            raise ValueError(
                f"writer {self.name}: {self.fixed.size} values expected, not {row.size}"
            )
        return self.write(timestamp, self.fixed, row)

    def ingest(self, timestamp: float, samples: Iterable[tuple[Mapping[str, str], float]]) -> bool:
        """Write these samples, and a stale marker for each series that is no longer among them.

        Raises:
            SeriesLimitError: new series beyond the store's limit were left out, all else written.
        """
        pairs = {key_of(labels): value for labels, value in samples}
        ids, refused = self.resolve(list(pairs))
        values = np.fromiter(pairs.values(), np.float64, len(pairs))
        return self._write_all(timestamp, ids, values, refused)

    def ingest_block(
        self, timestamp: float, block: LabelBlock, indices: Indices, values: Floats
    ) -> bool:
        """Write the series `indices` of a block, as `ingest` does but without looking at labels.

        The block's labels are looked up once; hand in the same block each time.
        """
        ids = self._blocks.get(block.number)
        if ids is None:
            if len(self._blocks) >= MAX_KNOWN_BLOCKS:
                self._blocks.clear()
            ids = self._blocks.setdefault(block.number, np.full(block.size, -1, np.int64))
        unknown = np.unique(indices[ids[indices] < 0])
        refused = 0
        if unknown.size:
            keys = [key_of(block.labels(index)) for index in unknown.tolist()]
            ids[unknown], refused = self.resolve(keys)
        return self._write_all(timestamp, ids[indices], values, refused)

    def ingest_scrape(self, timestamp: float, scrape: Scrape) -> bool:
        """Write what a target sent, as `ingest` does; series of earlier scrapes cost no look-up."""
        book = scrape.book
        ids = self._books.get(book, np.empty(0, np.int64))
        refused = 0
        if ids.size < len(book.keys) or (ids < 0).any():
            ids, refused = self.resolve(book.keys)
            self._books[book] = ids
        return self._write_all(timestamp, ids[scrape.numbers], scrape.values, refused)

    def resolve(self, keys: Sequence[LabelKey]) -> tuple[Ids, int]:
        """Return the columns of series, -1 for new ones refused, and how many were refused."""
        with self.store.lock:
            new = [key for key in keys if key not in self.known]
            room = self.store.room()
            self._take_up(new[:room])
            refused = max(len(new) - room, 0)
            self.store.stats_now.series_refused += refused
            ids = np.fromiter((self.known.get(key, -1) for key in keys), np.int64, len(keys))
            return ids, refused

    def end(self, timestamp: float) -> bool:
        """Mark all current series as ended: the target is gone, or its scrape failed."""
        return self.write(timestamp, np.empty(0, np.int64), np.empty(0), vanish=True)

    def write(self, timestamp: float, ids: Ids, values: Floats, *, vanish: bool = False) -> bool:
        """Write a row: these columns' samples, and with `vanish` stale markers for the rest."""
        with self.store.lock:
            table = self.table
            time_ms = round(timestamp * 1000)
            last = table.last_ms
            if last is not None and time_ms <= last:
                self.store.stats_now.out_of_order += int(values.size)
                return False
            row = np.full(table.width, MISSING)
            place = np.searchsorted(table.ids, ids)
            row[place] = values
            if vanish:
                now = np.zeros(table.width, np.bool_)
                now[place] = True
                gone = table.live & ~now
                row[gone] = STALE
                table.live = now
                self.store.stats_now.stale_markers += int(gone.sum())
            table.append(time_ms, row)
            self.store.log_row(self, time_ms, row, int(values.size))
            return True

    def _write_all(self, timestamp: float, ids: Ids, values: Floats, refused: int) -> bool:
        """Write the samples whose series were taken up, then complain of the others."""
        taken = ids >= 0
        written = self.write(timestamp, ids[taken], values[taken], vanish=True)
        if refused:
            raise SeriesLimitError(refused, self.store.series_limit)
        return written

    def _ids(self, keys: Sequence[LabelKey]) -> Ids:
        self._take_up([key for key in keys if key not in self.known])
        return np.fromiter((self.known[key] for key in keys), np.int64, len(keys))

    def _take_up(self, keys: Sequence[LabelKey]) -> None:
        """Add columns for new series."""
        if not keys:
            return
        keys = sorted(dict.fromkeys(keys), key=lambda key: dict(key).get("__name__", ""))
        ids = self.table.add_columns(len(keys))
        self.known.update(zip(keys, ids.tolist(), strict=True))
        self.store.took_up(self, ids, [dict(key) for key in keys])

    def forget(self, ids: Ids) -> None:
        """Drop columns that have expired."""
        gone = set(ids.tolist())
        self.known = {key: column for key, column in self.known.items() if column not in gone}
        self._blocks.clear()
        self._books.clear()
