"""The sample store: recent samples in memory as columns, logged to disk, selected for PromQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock

import numpy as np

from monitor.promql.ast import Matcher
from monitor.promql.labels import LabelBlock
from monitor.promql.source import MISSING, Floats, Frame, Part, is_missing, is_special
from monitor.samples.catalogue import Catalogue, Selection
from monitor.samples.chunks import Chunk, ChunkCache, Ids
from monitor.samples.errors import SeriesLimitError
from monitor.samples.journal import Journal
from monitor.samples.records import ForgottenRecord, Record, RowRecord, SeriesRecord
from monitor.samples.stats import StoreStats
from monitor.samples.table import Places, Table, TableState
from monitor.samples.writer import Writer, key_of

DEFAULT_RETENTION_SECONDS = 3 * 3600.0
DEFAULT_HOT_SECONDS = 3600.0  # 93 % of the ranges in 1,188 public rules are at most this long
DEFAULT_SERIES_LIMIT = 100_000


class SampleStore:
    """Samples of many writers, each with its own times; a `Source` for the evaluator.

    Any thread may read while others write. Without a folder nothing outlives the process.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        retention_seconds: float = DEFAULT_RETENTION_SECONDS,
        hot_seconds: float = DEFAULT_HOT_SECONDS,
        series_limit: int = DEFAULT_SERIES_LIMIT,
        sync_interval_seconds: float | None = 1.0,
    ) -> None:
        """Open the store; with a folder, everything its log still holds is read back first."""
        self.retention_seconds = retention_seconds
        self.series_limit = series_limit
        self.lock = RLock()
        self.stats_now = StoreStats(series_limit=series_limit)
        self._hot_ms = round(min(hot_seconds, retention_seconds) * 1000)
        self._catalogue = Catalogue()
        self._writers: dict[str, Writer] = {}
        self._by_number: dict[int, Writer] = {}
        self._cache = ChunkCache()
        self._journal = None if folder is None else Journal(folder, sync_interval_seconds)
        if self._journal is not None:
            self._recover(self._journal)
            self._journal.start_segment(self._all_series())

    def resize(self, *, retention_seconds: float, series_limit: int) -> None:
        """Keep samples that long and take so many series from now on."""
        with self.lock:
            self.retention_seconds = retention_seconds
            self.series_limit = self.stats_now.series_limit = series_limit

    def writer(self, name: str) -> Writer:
        """Return the writer of this name; after a restart it has its series and samples again."""
        with self.lock:
            if name not in self._writers:
                number = max(self._by_number, default=-1) + 1
                self._add_writer(number, name)
            return self._writers[name]

    def remove_writer(self, name: str, timestamp: float) -> None:
        """End a writer's series now; its samples stay until they expire."""
        with self.lock:
            if (writer := self._writers.get(name)) is not None:
                writer.table.pinned = np.empty(0, np.int64)
                writer.end(timestamp)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Frame:
        """Return the series that satisfy every matcher; see `Source.select`."""
        del end_ms  # newer rows cost nothing to hand out
        with self.lock:
            selection = self._catalogue.select(tuple(matchers))
            states = {number: self._by_number[number].table.state() for number in used(selection)}
        parts = [states[n].part(i, at, start_ms, self._cache) for n, i, at in selection.parts]
        for twins in selection.twins:
            parts.append(
                merged([(states[n], column) for n, column in twins], start_ms, self._cache)
            )
        return Frame(selection.block, tuple(parts))

    def matching(self, matchers: Sequence[Matcher]) -> LabelBlock:
        """Return the labels of all held series that satisfy every matcher."""
        with self.lock:
            return self._catalogue.select(tuple(matchers)).block

    def label_values(self) -> dict[str, set[str]]:
        """Return every label name with the values it has in any held series."""
        found: dict[str, set[str]] = {}
        with self.lock:
            for family in self._catalogue.families.values():
                for name, column in family.block.columns.items():
                    codes = np.unique(column.codes).tolist()
                    found.setdefault(name, set()).update(column.values[c] for c in codes if c)
        return found

    def maintain(self, now: float) -> None:
        """Pack old rows, drop expired ones and their log; call it every minute or so.

        `now` is Unix seconds.
        """
        now_ms = round(now * 1000)
        with self.lock:
            before_ms = now_ms - round(self.retention_seconds * 1000)
            for writer in self._by_number.values():
                self._maintain_writer(writer, now_ms, before_ms)
            if self._journal is not None:
                if self._journal.is_full:
                    self._journal.start_segment(self._all_series())
                sealed = {n: w.table.sealed_ms for n, w in self._by_number.items()}
                self._journal.trim(sealed, before_ms)

    def _maintain_writer(self, writer: Writer, now_ms: int, before_ms: int) -> None:
        """Pack and expire the rows of one writer."""
        for chunk in writer.table.seal(now_ms):
            if self._journal is not None:
                self._journal.chunk(writer.number, chunk)
        forgotten = writer.table.expire(before_ms)
        if not forgotten.size:
            return
        writer.forget(forgotten)
        self._catalogue.remove(writer.number, forgotten)
        if self._journal is not None:
            self._journal.forgotten(writer.number, forgotten)

    def sync(self) -> None:
        """Have every sample written so far on disk."""
        if self._journal is not None:
            self._journal.sync()

    def close(self) -> None:
        """Sync and stop; the store must not be used afterwards."""
        if self._journal is not None:
            self._journal.close()

    def stats(self) -> StoreStats:
        """Return what the store holds and has done."""
        with self.lock:
            tables = [writer.table for writer in self._writers.values()]
            oldest = [t.first_ms for t in tables if t.first_ms is not None]
            newest = [t.last_ms for t in tables if t.last_ms is not None]
            found = replace(
                self.stats_now,
                series=self._catalogue.count,
                writers=len(tables),
                hot_bytes=sum(table.hot_bytes for table in tables),
                cold_bytes=sum(table.cold_bytes for table in tables),
                chunks=sum(len(table.cold) for table in tables),
                oldest_seconds=min(oldest) / 1000 if oldest else None,
                newest_seconds=max(newest) / 1000 if newest else None,
            )
            if self._journal is not None:
                found = self._journal.add_stats(found)
            return found

    def room(self) -> int:
        """Return how many more series the store may hold."""
        return max(self.series_limit - self._catalogue.count, 0)

    def check_room(self, wanted: int) -> None:
        """Raise SeriesLimitError where so many new series would exceed the limit."""
        if wanted > self.room():
            self.stats_now.series_refused += wanted
            raise SeriesLimitError(wanted, self.series_limit)

    def took_up(self, writer: Writer, ids: Ids, series: Sequence[Mapping[str, str]]) -> None:
        """Record a writer's new series in the catalogue and the log; for `Writer` only."""
        self._catalogue.add(writer.number, ids, series)
        if self._journal is not None:
            self._journal.series(
                SeriesRecord(
                    table=writer.number,
                    name=writer.name,
                    next_id=writer.table.next_id,
                    ids=tuple(ids.tolist()),
                    series=tuple(series),
                )
            )

    def log_row(self, writer: Writer, time_ms: int, row: Floats, samples: int) -> None:
        """Record a row that was written; for `Writer` only."""
        self.stats_now.samples_written += samples
        if self._journal is None:
            return
        held = np.flatnonzero(~is_missing(row))
        if held.size == row.size:
            self._journal.row(writer.number, time_ms, None, row)
        else:
            self._journal.row(writer.number, time_ms, writer.table.ids[held], row[held])

    def _add_writer(self, number: int, name: str) -> Writer:
        """Make a writer."""
        writer = Writer(self, number, name, Table(self._hot_ms))
        self._writers[name] = self._by_number[number] = writer
        return writer

    def _all_series(self) -> list[SeriesRecord]:
        """Return every writer's columns, for the start of a segment."""
        found = []
        for writer in self._by_number.values():
            by_id = {column: dict(key) for key, column in writer.known.items()}
            ids = tuple(writer.table.ids.tolist())
            series = tuple(by_id[column] for column in ids)
            next_id = writer.table.next_id
            found.append(
                SeriesRecord(writer.number, writer.name, next_id, ids, series, complete=True)
            )
        return found

    def _recover(self, journal: Journal) -> None:
        """Read back what the log holds."""
        chunks = journal.chunks()
        for record in journal.replay():
            if isinstance(record, SeriesRecord):
                self._recover_series(record, chunks)
            elif (writer := self._by_number.get(record.table)) is None:
                continue  # its series were lost with a damaged segment
            elif isinstance(record, ForgottenRecord):
                kept = writer.table.ids[~np.isin(writer.table.ids, record.ids)]
                self._recover_columns(writer, kept)
            else:
                self.stats_now.recovered_rows += recover_row(writer, record)

    def _recover_series(self, record: SeriesRecord, chunks: dict[int, list[Chunk]]) -> None:
        """Take up a writer's series as they were."""
        writer = self._by_number.get(record.table) or self._add_writer(record.table, record.name)
        table = writer.table
        table.next_id = max(table.next_id, record.next_id)
        if not table.cold and not table.rows:
            table.cold = tuple(chunks.pop(record.table, ()))
        ids = np.array(record.ids, np.int64)
        if record.complete:
            self._recover_columns(writer, table.ids[np.isin(table.ids, ids)])
        new = ~np.isin(ids, table.ids)
        table.set_columns(np.union1d(table.ids, ids))
        series = [labels for labels, is_new in zip(record.series, new, strict=True) if is_new]
        table.seen_ms[np.isin(table.ids, ids[new])] = table.last_ms or -1
        writer.known.update((key_of(s), i) for s, i in zip(series, ids[new].tolist(), strict=True))
        self._catalogue.add(writer.number, ids[new], series)

    def _recover_columns(self, writer: Writer, kept: Ids) -> None:
        """Forget a writer's other columns."""
        gone = writer.table.ids[~np.isin(writer.table.ids, kept)]
        if gone.size:
            writer.table.set_columns(kept)
            writer.forget(gone)
            self._catalogue.remove(writer.number, gone)


def recover_row(writer: Writer, record: Record) -> bool:
    """Add a row that was read back; False if it cannot be placed or is packed already."""
    table = writer.table
    if not isinstance(record, RowRecord):
        return False
    if table.last_ms is not None and record.time_ms <= table.last_ms:
        return False
    ids = table.ids if record.ids is None else record.ids
    place = np.searchsorted(table.ids, ids)
    if ids.size != record.values.size or not np.isin(ids, table.ids).all():
        return False
    row = np.full(table.width, MISSING)
    row[place] = record.values
    table.append(record.time_ms, row)
    table.live = ~is_special(row)
    return True


def used(selection: Selection) -> set[int]:
    """Return the tables a selection reads."""
    twins = {number for group in selection.twins for number, _ in group}
    return twins | {number for number, _, _ in selection.parts}


def merged(columns: list[tuple[TableState, int]], after_ms: int, cache: ChunkCache) -> Part:
    """Return one series whose samples several tables hold; at equal times the last one's."""
    samples: dict[int, float] = {}
    for state, column in columns:
        part = state.part(np.array([column]), Places(), after_ms, cache)
        values = part.values[:, part.columns][:, 0]
        held = np.flatnonzero(~is_missing(values))
        samples.update(zip(part.times[held].tolist(), values[held].tolist(), strict=True))
    times = np.array(sorted(samples), np.int64)
    values = np.array([samples[t] for t in times.tolist()], np.float64).reshape(-1, 1)
    return Part(times, values, slice(None), is_special(values)[:, 0])
