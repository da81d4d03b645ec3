"""What the sample store says of itself; somebody else turns it into metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class StoreStats:
    """What the store holds now, and what it has done since it was opened."""

    series: int = 0
    series_limit: int = 0
    series_refused: int = 0  # counted each time one is offered
    writers: int = 0
    samples_written: int = 0
    stale_markers: int = 0
    out_of_order: int = 0
    hot_bytes: int = 0
    cold_bytes: int = 0
    chunks: int = 0
    oldest_seconds: float | None = None  # Unix time of the oldest row held
    newest_seconds: float | None = None  # and of the newest
    recovered_rows: int = 0
    log_bytes: int = 0
    log_segments: int = 0
    log_syncs: int = 0
    log_sync_seconds: float = 0.0
    log_errors: int = 0
    log_damaged_segments: int = 0
