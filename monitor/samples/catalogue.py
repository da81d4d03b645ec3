"""Which series there are and where their samples are; selections are remembered per metric name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.promql.ast import Matcher
from monitor.promql.labels import METRIC_NAME, Flags, LabelBlock, appended
from monitor.promql.matchers import compile_matcher
from monitor.samples.chunks import Ids
from monitor.samples.table import Places

MAX_SELECTIONS = 4096
Numbers = NDArray[np.int32]


@dataclass(slots=True)
class Family:
    """All series of one metric name: their labels, and the table and column of each."""

    block: LabelBlock
    tables: Numbers
    ids: Ids
    version: int = 0

    def extend(self, block: LabelBlock, table: int, ids: Ids) -> None:
        """Take up more series of the name."""
        self.block = appended(self.block, block)
        self.tables = np.concatenate((self.tables, np.full(ids.size, table, np.int32)))
        self.ids = np.concatenate((self.ids, ids))
        self.version += 1

    def keep(self, kept: Flags) -> None:
        """Forget the other series."""
        self.block, self.version = self.block.take(kept), self.version + 1
        self.tables, self.ids = self.tables[kept], self.ids[kept]

    def matching(self, matchers: Sequence[Matcher]) -> Flags:
        """Return which series satisfy every matcher; each distinct value is tested once."""
        found = np.ones(self.block.size, np.bool_)
        for matcher in matchers:
            test, column = compile_matcher(matcher), self.block.columns.get(matcher.name)
            if column is None:
                if not test(""):
                    found[:] = False
            else:
                found &= np.fromiter(map(test, column.values), np.bool_)[column.codes]
        return found


@dataclass(frozen=True, slots=True)
class Selection:
    """The answer to a selector: `tables[k]` has the columns `ids[k]`, in the block's order.

    `twins` are columns of series that several tables hold: samples of `block` series `twins[i][0]`
    are merged from the (table, id) pairs after it. Those series are the last of the block.
    """

    version: int
    block: LabelBlock
    parts: tuple[tuple[int, Ids, Places], ...]
    twins: tuple[tuple[tuple[int, int], ...], ...] = ()


@dataclass(slots=True)
class Catalogue:
    """Every series by metric name."""

    families: dict[str, Family] = field(default_factory=dict)
    selections: dict[tuple[Matcher, ...], Selection] = field(default_factory=dict)
    version: int = 0
    count: int = 0

    def add(self, table: int, ids: Ids, series: Iterable[Mapping[str, str]]) -> None:
        """Take up the series of a table's new columns."""
        by_name: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
        for column, labels in zip(ids.tolist(), series, strict=True):
            by_name.setdefault(labels.get(METRIC_NAME, ""), []).append((column, labels))
        for name, rows in by_name.items():
            block = LabelBlock.of(labels for _, labels in rows)
            own = np.array([column for column, _ in rows], np.int64)
            family = self.families.get(name)
            if family is None:
                empty = LabelBlock.of(())
                family = Family(empty, np.empty(0, np.int32), np.empty(0, np.int64))
                self.families[name] = family
            family.extend(block, table, own)
        self.count += ids.size
        self.version += 1

    def remove(self, table: int, ids: Ids) -> None:
        """Forget the series of a table's columns."""
        for name, family in list(self.families.items()):
            kept = ~((family.tables == table) & np.isin(family.ids, ids))
            if kept.all():
                continue
            self.count -= int((~kept).sum())
            family.keep(kept)
            if not family.ids.size:
                del self.families[name]
        self.version += 1

    def select(self, matchers: tuple[Matcher, ...]) -> Selection:
        """Return which series satisfy every matcher; the same answer until one is added or goes."""
        name = next((m.value for m in matchers if m.name == METRIC_NAME and m.op == "="), None)
        family = self.families.get(name) if name is not None else None
        version = self.version if name is None else family.version if family else -1
        found = self.selections.get(matchers)
        if found is not None and found.version == version:
            return found
        families = list(self.families.values()) if name is None else [family] if family else []
        selection = build_selection(families, matchers, version)
        if len(self.selections) >= MAX_SELECTIONS:
            self.selections.clear()
        self.selections[matchers] = selection
        return selection


def build_selection(
    families: Sequence[Family], matchers: Sequence[Matcher], version: int
) -> Selection:
    """Return the matching series of several metric names, table by table."""
    block = LabelBlock.of(())
    tables, ids = np.empty(0, np.int32), np.empty(0, np.int64)
    for family in families:
        found = family.matching(matchers)
        if not found.any():
            continue
        own = family.block if found.all() else family.block.take(found)
        block = appended(block, own) if block.size else own
        tables = np.concatenate((tables, family.tables[found]))
        ids = np.concatenate((ids, family.ids[found]))
    order = np.lexsort((ids, tables))
    block, tables, ids = block.take(order), tables[order], ids[order]
    if block.is_unique:
        return Selection(version, block, split(tables, ids))
    return with_twins(version, block, tables, ids)


def split(tables: Numbers, ids: Ids) -> tuple[tuple[int, Ids, Places], ...]:
    """Return sorted (table, id) pairs as one entry a table."""
    if not tables.size:
        return ()
    numbers, starts = np.unique(tables, return_index=True)
    if not ids.size:
        return ()
    pieces = np.split(ids, starts[1:])
    return tuple((n, own, Places()) for n, own in zip(numbers.tolist(), pieces, strict=True))


def with_twins(version: int, block: LabelBlock, tables: Numbers, ids: Ids) -> Selection:
    """Return a selection in which series held by several tables are one, at the end."""
    codes, first = block.row_codes
    shared = np.bincount(codes) > 1
    single = np.flatnonzero(~shared[codes])
    order = np.concatenate((single, first[shared]))
    pairs = list(zip(tables.tolist(), ids.tolist(), strict=True))
    twins = tuple(
        tuple(pairs[index] for index in np.flatnonzero(codes == code).tolist())
        for code in np.flatnonzero(shared).tolist()
    )
    return Selection(version, block.take(order), split(tables[single], ids[single]), twins)
