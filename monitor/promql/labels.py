"""Label blocks: the labels of many series as columns, immutable, with every answer remembered.

All label work of an evaluation (grouping, joining, dropping names) depends on labels alone, not on
samples. A block therefore caches it, and the next evaluation over the same series costs only the
arithmetic. Blocks are compared by identity; a source hands out the same block for as long as the
set of series is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

METRIC_NAME = "__name__"
MAX_CACHED_ANSWERS = 256  # a block; joins with short-lived blocks would otherwise pile up

Codes = NDArray[np.signedinteger[Any]]  # 32 bits where they are kept, 64 where combined
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]
T = TypeVar("T")
block_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """One label of every series: `values[codes[i]]`; code 0 is the empty value, an absent label."""

    codes: Codes
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Series in groups: `codes[i]` is the group of series i, `block` has the groups' labels."""

    codes: Codes
    block: LabelBlock

    @property
    def count(self) -> int:
        """The number of groups."""
        return self.block.size

    @cached_property
    def layout(self) -> list[tuple[Indices, Indices, Flags]]:
        """The series of every group as padded columns: `(groups, members, used)` by size class.

        Groups of similar size (within a factor of two) share a class, so padding at most doubles
        the work. `members[k, g]` is the k-th series of the class's g-th group, where `used`.
        """
        order = np.argsort(self.codes, kind="stable")
        counts = np.bincount(self.codes, minlength=self.count)
        starts = np.cumsum(counts) - counts
        classes = np.ceil(np.log2(np.maximum(counts, 1))).astype(np.intp)
        found = []
        for size_class in np.unique(classes).tolist():
            groups: Indices = np.flatnonzero(classes == size_class)
            row = np.arange(int(counts[groups].max()))[:, None]
            used: Flags = row < counts[groups]
            members: Indices = order[np.minimum(starts[groups] + row, order.size - 1)]
            found.append((groups, members, used))
        return found


class LabelBlock:
    """The labels of `size` series, as columns."""

    __slots__ = ("__dict__", "_answers", "columns", "number", "size")

    def __init__(self, size: int, columns: Mapping[str, LabelColumn]) -> None:
        self.size = size
        self.columns = {name: columns[name] for name in sorted(columns)}
        self.number = next(block_numbers)
        self._answers: dict[Hashable, Any] = {}

    @classmethod
    def of(cls, series: Iterable[Mapping[str, str]]) -> LabelBlock:
        """Return the block of these label sets, in order; empty values are absent labels."""
        rows = list(series)
        names = sorted({name for row in rows for name in row})
        return cls(len(rows), {n: encode([row.get(n, "") for row in rows]) for n in names})

    def cached(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the remembered answer to `key`, computing it the first time."""
        if key not in self._answers:
            if len(self._answers) >= MAX_CACHED_ANSWERS:
                self._answers.clear()
            self._answers[key] = compute()
        answer: T = self._answers[key]
        return answer

    def labels(self, index: int) -> dict[str, str]:
        """Return the labels of one series as a new dictionary, sorted by name."""
        return {
            name: column.values[code]
            for name, column in self.columns.items()
            if (code := column.codes[index])
        }

    @cached_property
    def all_labels(self) -> tuple[dict[str, str], ...]:
        """The labels of every series; shared, not to be changed."""
        texts = {n: [c.values[k] for k in c.codes.tolist()] for n, c in self.columns.items()}
        return tuple(
            {name: values[i] for name, values in texts.items() if values[i]}
            for i in range(self.size)
        )

    def values_of(self, name: str) -> list[str]:
        """Return the value of one label for every series; the empty string where it is absent."""
        column = self.columns.get(name)
        return [column.values[c] for c in column.codes.tolist()] if column else [""] * self.size

    def take(self, indices: Sequence[int] | Indices | Flags) -> LabelBlock:
        """Return the block of the series at `indices`, in that order."""
        picked = {n: LabelColumn(c.codes[indices], c.values) for n, c in self.columns.items()}
        size = int(np.arange(self.size)[indices].size)
        return LabelBlock(size, picked)

    def without(self, names: Iterable[str]) -> LabelBlock:
        """Return the block with these labels gone; the same one each time."""
        gone = frozenset(names).intersection(self.columns)
        if not gone:
            return self
        return self.cached(
            ("without", gone),
            lambda: LabelBlock(self.size, {n: c for n, c in self.columns.items() if n not in gone}),
        )

    def keeping(self, names: Iterable[str]) -> LabelBlock:
        """Return the block with only these labels left; the same one each time."""
        return self.without(self.columns.keys() - set(names))

    @property
    def nameless(self) -> LabelBlock:
        """The block without metric names."""
        return self.without((METRIC_NAME,))

    def replacing(self, name: str, values: Sequence[str]) -> LabelBlock:
        """Return a new block in which label `name` has these values."""
        return LabelBlock(self.size, {**self.columns, name: encode(values)})

    def grouping(self, names: Sequence[str], *, without: bool) -> Grouping:
        """Return the series grouped by these labels, or by all others but the metric name."""

        def compute() -> Grouping:
            kept = self.without((*names, METRIC_NAME)) if without else self.keeping(names)
            codes, first = kept.row_codes
            return Grouping(codes, kept.take(first))

        return self.cached(("grouping", tuple(names), without), compute)

    @cached_property
    def row_codes(self) -> tuple[Codes, Indices]:
        """A number per distinct label set, by first appearance, and where each first appears."""
        return number_rows([c.codes for c in self.columns.values()], self.size)

    @cached_property
    def is_unique(self) -> bool:
        """Whether no two series have the same labels."""
        return self.row_codes[1].size == self.size


def encode(values: Sequence[str]) -> LabelColumn:
    """Return a column of these values, each distinct one stored once."""
    numbers: dict[str, int] = {"": 0}
    codes = np.fromiter(
        (numbers.setdefault(value, len(numbers)) for value in values), np.int32, len(values)
    )
    return LabelColumn(codes, tuple(numbers))


def number_rows(columns: Sequence[Codes], size: int) -> tuple[Codes, Indices]:
    """Return the number of each distinct row of codes, by first appearance, and its first index."""
    combined = np.zeros(size, np.int64)
    for codes in columns:
        width = int(codes.max(initial=0)) + 1
        if int(combined.max(initial=0)) > (1 << 62) // width:
            combined = np.unique(combined, return_inverse=True)[1].reshape(-1)
        combined = combined * width + codes
    _, first, inverse = np.unique(combined, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return rank[inverse.reshape(-1)], first[order]


def shared_codes(a: LabelBlock, b: LabelBlock, names: Iterable[str]) -> tuple[Codes, Codes, int]:
    """Return the match groups of two blocks by these labels, as one numbering, and their count."""
    columns = [np.concatenate(column_pair(a, b, name)[:2]) for name in names]
    codes, first = number_rows(columns, a.size + b.size)
    return codes[: a.size], codes[a.size :], int(first.size)


def concatenate(a: LabelBlock, b: LabelBlock) -> LabelBlock:
    """Return the block of a's series followed by b's; the same one each time."""
    return a.cached(("concatenate", b.number), lambda: appended(a, b))


def appended(a: LabelBlock, b: LabelBlock) -> LabelBlock:
    """Return a new block of a's series followed by b's."""
    columns = {}
    for name in a.columns.keys() | b.columns.keys():
        left, right, values = column_pair(a, b, name)
        columns[name] = LabelColumn(np.concatenate((left, right)), values)
    return LabelBlock(a.size + b.size, columns)


def column_pair(a: LabelBlock, b: LabelBlock, name: str) -> tuple[Codes, Codes, tuple[str, ...]]:
    """Return one label of two blocks in one numbering of values."""
    left, right = a.columns.get(name), b.columns.get(name)
    numbers = {v: code for code, v in enumerate(left.values if left else ("",))}
    renamed = [numbers.setdefault(v, len(numbers)) for v in (right.values if right else ())]
    return (
        left.codes if left else np.zeros(a.size, np.int32),
        np.array(renamed, np.int32)[right.codes] if right else np.zeros(b.size, np.int32),
        tuple(numbers),
    )
