"""The store's two logs: rows as they are written, and chunks of rows that were packed.

A segment of rows can go once all its rows are packed or expired; a segment of chunks once its
newest chunk has expired. So the disk holds what memory holds, and little more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor.promql.source import Floats
from monitor.samples.chunks import Chunk, Ids
from monitor.samples.log import Log
from monitor.samples.records import (
    ChunkRecord,
    DamagedRecordError,
    ForgottenRecord,
    Record,
    RowRecord,
    SeriesRecord,
    decode,
    encode_chunk_record,
    encode_forgotten,
    encode_row,
    encode_series,
)
from monitor.samples.stats import StoreStats

SEGMENT_BYTES = 16 << 20


@dataclass(slots=True)
class SegmentUse:
    """Until when a segment is needed: the newest row of each table, or the newest chunk."""

    rows: dict[int, int] = field(default_factory=dict)
    chunks_ms: int | None = None


class Journal:
    """Writes and reads back everything a store needs to start again."""

    def __init__(self, folder: Path, sync_interval_seconds: float | None) -> None:
        self.rows_log = Log(folder / "rows", sync_interval_seconds)
        self.chunk_log = Log(folder / "chunks", sync_interval_seconds)
        self.unreadable = 0
        self._rows: dict[int, SegmentUse] = {}
        self._chunks: dict[int, SegmentUse] = {}

    @property
    def is_full(self) -> bool:
        """Whether a segment has grown long enough to begin another."""
        return max(self.rows_log.size_bytes, self.chunk_log.size_bytes) > SEGMENT_BYTES

    def start_segment(self, everything: Sequence[SeriesRecord]) -> None:
        """Begin new segments; `everything` is all series held."""
        self._rows[self.rows_log.start_segment()] = SegmentUse()
        self._chunks[self.chunk_log.start_segment()] = SegmentUse()
        for record in everything:
            self.rows_log.append(encode_series(record))

    def series(self, record: SeriesRecord) -> None:
        """Record new series."""
        self.rows_log.append(encode_series(record))

    def forgotten(self, table: int, ids: Ids) -> None:
        """Record that columns are gone."""
        self.rows_log.append(encode_forgotten(table, ids))

    def row(self, table: int, time_ms: int, ids: Ids | None, values: Floats) -> None:
        """Record a row; ids None means all columns."""
        self._rows[self.rows_log.number].rows[table] = time_ms
        self.rows_log.append_row(encode_row(table, time_ms, ids, values))

    def chunk(self, table: int, chunk: Chunk) -> None:
        """Record packed rows."""
        use = self._chunks[self.chunk_log.number]
        use.chunks_ms = max(use.chunks_ms or 0, int(chunk.times[-1]))
        self.chunk_log.append(encode_chunk_record(table, chunk))

    def chunks(self) -> dict[int, list[Chunk]]:
        """Return all packed rows on disk by table, oldest first."""
        found: dict[int, list[Chunk]] = {}
        for number in self.chunk_log.segments():
            use = self._chunks.setdefault(number, SegmentUse())
            for record in self._decoded(self.chunk_log, number):
                if isinstance(record, ChunkRecord):
                    last = int(record.chunk.times[-1])
                    use.chunks_ms = max(use.chunks_ms or 0, last)
                    own = found.setdefault(record.table, [])
                    if not own or record.chunk.times[0] > own[-1].times[-1]:
                        own.append(record.chunk)
        return found

    def replay(self) -> Iterator[Record]:
        """Yield what happened to series and rows, oldest first."""
        for number in self.rows_log.segments():
            use = self._rows.setdefault(number, SegmentUse())
            for record in self._decoded(self.rows_log, number):
                if isinstance(record, RowRecord):
                    use.rows[record.table] = record.time_ms
                if isinstance(record, RowRecord | SeriesRecord | ForgottenRecord):
                    yield record

    def _decoded(self, log: Log, number: int) -> Iterator[Record]:
        """Yield the readable records of a segment."""
        for payload in log.records(number):
            try:
                yield from decode(payload)
            except DamagedRecordError:
                self.unreadable += 1

    def trim(self, sealed: Mapping[int, int | None], before_ms: int) -> None:
        """Delete segments of which nothing is needed; `sealed` is up to when tables are packed."""
        old = [n for n, use in self._rows.items() if rows_done(use, sealed, before_ms)]
        old = [n for n in old if n != self.rows_log.number]
        if old:
            self.chunk_log.sync()  # what replaces the rows must be on disk before they go
        for number in old:
            self.rows_log.delete(number)
            del self._rows[number]
        for number, use in list(self._chunks.items()):
            expired = use.chunks_ms is None or use.chunks_ms < before_ms
            if expired and number != self.chunk_log.number:
                self.chunk_log.delete(number)
                del self._chunks[number]

    def sync(self) -> None:
        """Have everything on disk."""
        self.chunk_log.sync()
        self.rows_log.sync()

    def close(self) -> None:
        """Sync and stop."""
        self.chunk_log.close()
        self.rows_log.close()

    def add_stats(self, stats: StoreStats) -> StoreStats:
        """Return the store's figures with the logs' added."""
        logs = (self.rows_log.stats, self.chunk_log.stats)
        return replace(
            stats,
            log_bytes=sum(log.written_bytes for log in logs),
            log_segments=len(self._rows) + len(self._chunks),
            log_syncs=sum(log.syncs for log in logs),
            log_sync_seconds=sum(log.sync_seconds for log in logs),
            log_errors=sum(log.errors for log in logs),
            log_damaged_segments=sum(log.damaged_segments for log in logs) + self.unreadable,
        )


def rows_done(use: SegmentUse, sealed: Mapping[int, int | None], before_ms: int) -> bool:
    """Whether every row of a segment is packed or expired."""
    return all(
        last < before_ms or last <= (sealed.get(table) or before_ms)
        for table, last in use.rows.items()
    )
