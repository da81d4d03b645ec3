"""Cold samples: 120 rows of a table, compressed to about 1.2 bytes a sample.

A chunk is cut into stripes of 64 columns, each packed by itself, so that reading a few series
unpacks little. Within a stripe the bytes of equal weight stand together (a byte shuffle), which is
what lets zstd find that neighbouring samples are alike.
"""

from __future__ import annotations

import itertools
import struct
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
import zstandard
from numpy.typing import NDArray

from monitor.promql.source import MISSING, Floats, Times, is_special

Ids = NDArray[np.int64]

CHUNK_ROWS = 120
STRIPE_COLUMNS = 64
COMPRESSION_LEVEL = 3
HEADER = struct.Struct("<IIqq")  # rows, columns, first and last time in ms
chunk_numbers = itertools.count()


@dataclass(frozen=True, eq=False)
class Chunk:
    """Rows of a table, packed; `ids` are its columns, ascending."""

    number: int
    times: Times
    ids: Ids
    stripes: tuple[bytes, ...]
    special: bool

    @property
    def size_bytes(self) -> int:
        """The memory its packed samples take."""
        return sum(map(len, self.stripes)) + self.times.nbytes


def pack(times: Times, values: Floats, ids: Ids) -> Chunk:
    """Return rows of samples as a chunk."""
    stripes = tuple(
        squeeze(values[:, start : start + STRIPE_COLUMNS])
        for start in range(0, values.shape[1], STRIPE_COLUMNS)
    )
    special = bool(is_special(np.ascontiguousarray(values)).any())
    return Chunk(next(chunk_numbers), times.copy(), ids, stripes, special)


def squeeze(values: Floats) -> bytes:
    """Return samples series by series, byte-shuffled and compressed."""
    series_major = np.ascontiguousarray(values.T)
    shuffled = series_major.reshape(-1).view(np.uint8).reshape(-1, 8).T
    data = np.ascontiguousarray(shuffled).tobytes()
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(data)


def expand(data: bytes, rows: int, columns: int) -> Floats:
    """Return the samples of a stripe: rows × columns.

    Raises:
        ValueError: the data is damaged.
    """
    size = rows * columns * 8
    try:
        raw = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged chunk: {error}") from error
    if len(raw) != size:
        raise ValueError("damaged chunk: wrong size")
    lanes = np.frombuffer(raw, np.uint8).reshape(8, -1)
    series_major = np.ascontiguousarray(lanes.T).view(np.float64).reshape(columns, rows)
    return np.ascontiguousarray(series_major.T)


class ChunkCache:
    """Unpacked stripes, the least recently used dropped first; safe to share between threads."""

    def __init__(self, limit_bytes: int = 64 << 20) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._stripes: OrderedDict[tuple[int, int], Floats] = OrderedDict()
        self._lock = Lock()

    def stripe(self, chunk: Chunk, index: int) -> Floats:
        """Return one stripe of a chunk, unpacked; not to be changed."""
        key = (chunk.number, index)
        with self._lock:
            if (found := self._stripes.get(key)) is not None:
                self._stripes.move_to_end(key)
                return found
        columns = min(STRIPE_COLUMNS, chunk.ids.size - index * STRIPE_COLUMNS)
        values = expand(chunk.stripes[index], chunk.times.size, columns)
        with self._lock:
            if key not in self._stripes:
                self._stripes[key] = values
                self.used_bytes += values.nbytes
            while self.used_bytes > self.limit_bytes and len(self._stripes) > 1:
                self.used_bytes -= self._stripes.popitem(last=False)[1].nbytes
        return values

    def columns(self, chunk: Chunk, ids: Ids) -> Floats:
        """Return the samples of some columns; those the chunk does not have are MISSING."""
        out = np.full((chunk.times.size, ids.size), MISSING)
        place = np.searchsorted(chunk.ids, ids)
        known = np.flatnonzero(place < chunk.ids.size)
        known = known[chunk.ids[place[known]] == ids[known]]
        stripes = place[known] // STRIPE_COLUMNS
        for index in np.unique(stripes).tolist():
            here = known[stripes == index]
            out[:, here] = self.stripe(chunk, index)[:, place[here] % STRIPE_COLUMNS]
        return out


def encode_chunk(chunk: Chunk) -> bytes:
    """Return a chunk as bytes for the log."""
    header = HEADER.pack(
        chunk.times.size, chunk.ids.size, int(chunk.times[0]), int(chunk.times[-1])
    )
    parts = [header, bytes([chunk.special]), chunk.times.tobytes(), chunk.ids.tobytes()]
    for stripe in chunk.stripes:
        parts += [struct.pack("<I", len(stripe)), stripe]
    return b"".join(parts)


def decode_chunk(data: bytes) -> Chunk:
    """Return the chunk that `encode_chunk` wrote.

    Raises:
        ValueError: the bytes are no chunk.
    """
    try:
        rows, columns, _, _ = HEADER.unpack_from(data)
        place = HEADER.size
        special = bool(data[place])
        place += 1
        times = np.frombuffer(data, np.int64, rows, place)
        ids = np.frombuffer(data, np.int64, columns, place + times.nbytes)
        place += times.nbytes + ids.nbytes
        stripes = []
        for _ in range(0, columns, STRIPE_COLUMNS):
            (length,) = struct.unpack_from("<I", data, place)
            stripes.append(data[place + 4 : place + 4 + length])
            place += 4 + length
    except (struct.error, IndexError) as error:
        raise ValueError(f"damaged chunk: {error}") from error
    return Chunk(next(chunk_numbers), times, ids, tuple(stripes), special)
