"""What the evaluator asks of a place where samples are: columns, never series one by one.

Samples are float64 columns that share a time axis. Three states have no number: a cell of a series
that had no sample at that time is MISSING, the end of a series is STALE, and NaN is an ordinary
value. The first two are NaNs with bits of their own, so they are told apart as uint64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.promql.ast import Matcher
from monitor.promql.labels import Flags, Indices, LabelBlock

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

STALE_BITS = np.uint64(0x7FF0000000000002)  # Prometheus's stale marker
MISSING_BITS = np.uint64(0x7FF0000000000003)  # ours, never stored on disk or sent
STALE = float(np.array([STALE_BITS]).view(np.float64)[0])
MISSING = float(np.array([MISSING_BITS]).view(np.float64)[0])


@dataclass(frozen=True, slots=True)
class Part:
    """Columns that share one time axis.

    `times` are Unix milliseconds, strictly ascending; `values[r, columns]` are the samples at
    `times[r]`, in the order of the block. `special[r]` is False only where no cell of row r is
    MISSING or STALE.
    """

    times: Times
    values: Floats
    columns: slice | Indices
    special: Flags


@dataclass(frozen=True, slots=True)
class Frame:
    """The series that satisfy a selector: their labels, and their samples part by part.

    The parts' columns, one part after the other, are the series of `block`.
    """

    block: LabelBlock
    parts: tuple[Part, ...]


class Source(Protocol):
    """Where samples come from."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Frame:
        """Return the series that satisfy every matcher, with their samples in `(start, end]`.

        Samples outside the interval may be returned too. The block must be the same object for
        as long as the same series are selected: everything that is cached hangs on it.
        """
        ...


def is_missing(values: Floats) -> Flags:
    """Return where a cell holds no sample at all."""
    return np.asarray(values.view(np.uint64) == MISSING_BITS)


def is_stale(values: Floats) -> Flags:
    """Return where a cell marks the end of its series."""
    return np.asarray(values.view(np.uint64) == STALE_BITS)


def is_special(values: Floats) -> Flags:
    """Return where a cell is MISSING or STALE."""
    bits = values.view(np.uint64)
    return np.asarray((bits == STALE_BITS) | (bits == MISSING_BITS))
