"""The records of the log: series taken up, rows of samples, packed chunks, series forgotten."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard

from monitor.promql.source import Floats
from monitor.samples.chunks import Chunk, Ids, decode_chunk, encode_chunk

SERIES, ROWS, CHUNK, FORGOTTEN = b"S", b"R", b"C", b"F"
ROW = struct.Struct("<IqIB")  # table, time in ms, number of cells, 1 if ids follow
NUMBER = struct.Struct("<I")
MAX_UNPACKED_BYTES = 1 << 30


UNFIT = (ValueError, KeyError, TypeError, OverflowError, RecursionError)  # of JSON and its values


class DamagedRecordError(ValueError):
    """A record passed its checksum but cannot be read: written by another version."""


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """Columns of a writer and what their series are called; `complete` if there are no others."""

    table: int
    name: str
    next_id: int
    ids: tuple[int, ...]
    series: tuple[Mapping[str, str], ...]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class RowRecord:
    """One row of a table; `ids` None means all its columns at that time."""

    table: int
    time_ms: int
    ids: Ids | None
    values: Floats


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """Old rows of a table, packed."""

    table: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class ForgottenRecord:
    """Columns of a table that are gone."""

    table: int
    ids: Ids


Record = SeriesRecord | RowRecord | ChunkRecord | ForgottenRecord


def encode_series(record: SeriesRecord) -> bytes:
    """Return a record of series as a payload."""
    body: dict[str, Any] = {
        "table": record.table,
        "name": record.name,
        "next": record.next_id,
        "ids": record.ids,
        "series": record.series,
        "complete": record.complete,
    }
    text = json.dumps(body, separators=(",", ":")).encode()
    return SERIES + zstandard.ZstdCompressor(level=3).compress(text)


def encode_row(table: int, time_ms: int, ids: Ids | None, values: Floats) -> bytes:
    """Return a row as a part of a payload for `encode_rows`."""
    head = ROW.pack(table, time_ms, values.size, ids is not None)
    return head + (b"" if ids is None else ids.astype("<u4").tobytes()) + values.tobytes()


def encode_rows(rows: Sequence[bytes]) -> bytes:
    """Return several rows as one payload."""
    return ROWS + zstandard.ZstdCompressor(level=1).compress(b"".join(rows))


def encode_chunk_record(table: int, chunk: Chunk) -> bytes:
    """Return a packed chunk as a payload."""
    return CHUNK + NUMBER.pack(table) + encode_chunk(chunk)


def encode_forgotten(table: int, ids: Ids) -> bytes:
    """Return forgotten columns as a payload."""
    return FORGOTTEN + NUMBER.pack(table) + ids.astype("<i8").tobytes()


def decode(payload: bytes) -> list[Record]:
    """Return what a payload records.

    Raises:
        DamagedRecordError: it is of an unknown kind or form.
    """
    kind, body = payload[:1], payload[1:]
    try:
        if kind == SERIES:
            return [decode_series(body)]
        if kind == ROWS:
            return list(decode_rows(unpack(body)))
        (table,) = NUMBER.unpack_from(body)
        if kind == CHUNK:
            return [ChunkRecord(table, decode_chunk(body[NUMBER.size :]))]
        if kind == FORGOTTEN:
            return [ForgottenRecord(table, np.frombuffer(body, "<i8", offset=NUMBER.size))]
    except (struct.error, zstandard.ZstdError, *UNFIT) as error:
        raise DamagedRecordError(f"unreadable record: {error}") from error
    raise DamagedRecordError(f"unknown kind of record: {kind!r}")


def unpack(body: bytes) -> bytes:
    """Return a compressed body in full."""
    return zstandard.ZstdDecompressor().decompress(body, max_output_size=MAX_UNPACKED_BYTES)


def decode_series(body: bytes) -> SeriesRecord:
    """Return a record of series."""
    found = json.loads(unpack(body))
    ids, series = tuple(map(int, found["ids"])), tuple(map(dict, found["series"]))
    if len(ids) != len(series):
        raise ValueError("as many ids as series expected")
    return SeriesRecord(
        table=int(found["table"]),
        name=str(found["name"]),
        next_id=int(found["next"]),
        ids=ids,
        series=series,
        complete=bool(found["complete"]),
    )


def decode_rows(data: bytes) -> list[Record]:
    """Return the rows of a payload."""
    rows: list[Record] = []
    place = 0
    while place < len(data):
        table, time_ms, count, has_ids = ROW.unpack_from(data, place)
        place += ROW.size
        ids = None
        if has_ids:
            ids = np.frombuffer(data, "<u4", count, place).astype(np.int64)
            place += 4 * count
        values = np.frombuffer(data, np.float64, count, place)
        place += 8 * count
        rows.append(RowRecord(table, time_ms, ids, values))
    return rows
