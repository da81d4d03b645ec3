"""The log on disk: append-only segments of checked records, synced at most once a second.

A segment starts with everything needed to read it alone, so older ones can be deleted and a
damaged one costs no other. What was not yet synced when the process died is lost: at most the last
second. A record that was cut short ends its segment.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Lock, Thread

from monitor.samples.records import encode_rows

HEADER = struct.Struct("<II")  # payload length, CRC-32 of the payload
MAX_RECORD_BYTES = 256 << 20
SUFFIX = ".segment"
ROW_SHRINKS_BY = 3  # roughly, by compression; only decides when a segment is full


@dataclass(slots=True)
class LogStats:
    """What the log has done since it was opened."""

    written_bytes: int = 0
    syncs: int = 0
    sync_seconds: float = 0.0
    errors: int = 0
    damaged_segments: int = 0


@dataclass(slots=True)
class Log:
    """One folder of numbered segments; several threads may append.

    With `sync_interval_seconds` None nothing is synced unless `sync` is called: for tests.
    """

    folder: Path
    sync_interval_seconds: float | None = 1.0
    stats: LogStats = field(default_factory=LogStats)
    number: int = 0
    _buffer: list[bytes | list[bytes]] = field(default_factory=list)
    _file: int = -1
    _lock: Lock = field(default_factory=Lock)
    _io: Lock = field(default_factory=Lock)
    _wake: Condition = field(init=False)
    _closing: bool = False
    _thread: Thread | None = None
    size_bytes: int = 0

    def __post_init__(self) -> None:
        self._wake = Condition(self._lock)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.number = max(self.segments(), default=0)

    def segments(self) -> list[int]:
        """Return the numbers of the segments on disk, ascending."""
        names = [path.stem for path in self.folder.glob(f"*{SUFFIX}")]
        return sorted(int(name) for name in names if name.isdigit())

    def path(self, number: int) -> Path:
        """Return where a segment is."""
        return self.folder / f"{number:010d}{SUFFIX}"

    def start_segment(self) -> int:
        """Begin a new segment, the one before it synced and closed; return its number."""
        self.sync()
        with self._io:
            if self._file >= 0:
                os.close(self._file)
            self.number += 1
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL
            self._file = os.open(self.path(self.number), flags, 0o640)
            self.size_bytes = 0
        sync_folder(self.folder)
        if self._thread is None and self.sync_interval_seconds is not None:
            self._thread = Thread(target=self._run, name="sample-log", daemon=True)
            self._thread.start()
        return self.number

    def append(self, payload: bytes) -> None:
        """Queue a record; it is on disk after the next sync."""
        with self._wake:
            self._buffer.append(framed(payload))
            self.size_bytes += HEADER.size + len(payload)
            self._wake.notify()

    def append_row(self, row: bytes) -> None:
        """Queue an encoded row; those queued between two syncs become one record."""
        with self._wake:
            if self._buffer and isinstance(self._buffer[-1], list):
                self._buffer[-1].append(row)
            else:
                self._buffer.append([row])
                self._wake.notify()
            self.size_bytes += len(row) // ROW_SHRINKS_BY

    def sync(self) -> None:
        """Have everything queued so far on disk, or counted as an error."""
        with self._io:
            with self._lock:
                queued, self._buffer = self._buffer, []
            data = b"".join(
                entry if isinstance(entry, bytes) else framed(encode_rows(entry))
                for entry in queued
            )
            if not data or self._file < 0:
                return
            started = time.monotonic()
            try:
                write_all(self._file, data)
                os.fsync(self._file)
            except OSError:
                self.stats.errors += 1  # a full disk must not stop the evaluation of rules
                return
            self.stats.written_bytes += len(data)
            self.stats.syncs += 1
            self.stats.sync_seconds += time.monotonic() - started

    def _run(self) -> None:
        """Sync once an interval for as long as anything is queued."""
        while True:
            with self._wake:
                while not self._buffer and not self._closing:
                    self._wake.wait()
                if not self._closing:
                    self._wake.wait_for(lambda: self._closing, self.sync_interval_seconds)
                closing = self._closing
            self.sync()
            if closing:
                return

    def delete(self, number: int) -> None:
        """Remove a segment that is no longer needed."""
        self.path(number).unlink(missing_ok=True)

    def close(self) -> None:
        """Sync what is left and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.sync()
        with self._io:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    def records(self, number: int) -> Iterator[bytes]:
        """Yield the payloads of a segment up to its end or its first damaged record."""
        try:
            data = self.path(number).read_bytes()
        except FileNotFoundError:
            return
        place = 0
        while place + HEADER.size <= len(data):
            length, crc = HEADER.unpack_from(data, place)
            payload = data[place + HEADER.size : place + HEADER.size + length]
            if length > MAX_RECORD_BYTES or len(payload) < length or zlib.crc32(payload) != crc:
                break
            yield payload
            place += HEADER.size + length
        if place < len(data):
            self.stats.damaged_segments += 1


def framed(payload: bytes) -> bytes:
    """Return a payload with its length and checksum before it."""
    return HEADER.pack(len(payload), zlib.crc32(payload)) + payload


def write_all(file: int, data: bytes) -> None:
    """Write every byte."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def sync_folder(folder: Path) -> None:
    """Have the names of new files on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
