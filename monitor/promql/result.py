"""What an evaluation returns: a vector, scalar, string or matrix, and what it has to remark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from monitor.promql.labels import Indices, LabelBlock
from monitor.promql.source import Floats, Times


class Sample(NamedTuple):
    """One element of a vector; `timestamp` is Unix seconds. Do not change the labels."""

    labels: Mapping[str, str]
    timestamp: float
    value: float


@dataclass(frozen=True, slots=True)
class Remarks:
    """What Prometheus would attach to the answer: neither changes a value."""

    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vector:
    """Samples of one moment, at most one a series; iterating gives `Sample`s in result order.

    `block` and `values` are the same in columns, for who can use them: sample i belongs to
    series `indices[i]` of the block.
    """

    timestamp: float
    block: LabelBlock
    indices: Indices
    values: Floats
    remarks: Remarks = field(default_factory=Remarks)

    def __len__(self) -> int:
        return int(self.indices.size)

    def __iter__(self) -> Iterator[Sample]:
        if not len(self):
            return
        labels = self.block.all_labels if len(self) * 8 > self.block.size else None
        for index, value in zip(self.indices.tolist(), self.values.tolist(), strict=True):
            found = labels[index] if labels is not None else self.block.labels(index)
            yield Sample(found, self.timestamp, value)

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """All samples, in order."""
        return tuple(self)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number without labels."""

    timestamp: float
    value: float
    remarks: Remarks = field(default_factory=Remarks)


@dataclass(frozen=True, slots=True)
class String:
    """One text."""

    timestamp: float
    value: str
    remarks: Remarks = field(default_factory=Remarks)


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one series; `times_ms` are Unix milliseconds, ascending."""

    labels: Mapping[str, str]
    times_ms: Times
    values: Floats

    def points(self) -> Iterator[tuple[float, float]]:
        """Yield (Unix seconds, value)."""
        return zip((self.times_ms / 1000).tolist(), self.values.tolist(), strict=True)


@dataclass(frozen=True)
class Matrix:
    """Series with their points; series without points are left out."""

    series: tuple[Series, ...]
    remarks: Remarks = field(default_factory=Remarks)

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[Series]:
        return iter(self.series)


Result = Vector | Scalar | String | Matrix


def matrix_of(
    block: LabelBlock, times: Times, values: Floats, mask: np.ndarray, remarks: Remarks
) -> Matrix:
    """Return the columns that have any point, as series."""
    series = []
    for column in np.flatnonzero(mask.any(axis=0)).tolist():
        rows = np.flatnonzero(mask[:, column])
        series.append(Series(block.labels(column), times[rows], values[rows, column]))
    return Matrix(tuple(series), remarks)
