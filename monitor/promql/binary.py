"""Operators between numbers and between matched vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.promql.ast import Cardinality, Matching, quote
from monitor.promql.errors import PromqlError
from monitor.promql.grid import Grid, merge_same_labels
from monitor.promql.labels import METRIC_NAME, Codes, Flags, Indices, LabelBlock, shared_codes
from monitor.promql.source import Floats

Arithmetic = Callable[[Floats, Floats], Floats]
ARITHMETIC: dict[str, Arithmetic] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
COMPARISON: dict[str, Callable[[Floats, Floats], Flags]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def scalars(op: str, lhs: Floats, rhs: Floats) -> Floats:
    """Return the result of an operator between numbers; a comparison gives 0 or 1."""
    if op in ARITHMETIC:
        return ARITHMETIC[op](lhs, rhs)
    return COMPARISON[op](lhs, rhs).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which series of two vectors belong together at a step, and what the results are called.

    `many[i]` is paired with `one[i]`; `result` is the block of results in that order.
    """

    many: Indices
    one: Indices
    result: LabelBlock


@dataclass(frozen=True, eq=False)
class Join:
    """The match groups of two blocks: static, cached on the first."""

    many: LabelBlock
    one: LabelBlock
    many_codes: Codes
    one_codes: Codes
    groups: int

    @property
    def one_is_unique(self) -> bool:
        """Whether each group has at most one series on the "one" side."""
        return bool(np.bincount(self.one_codes, minlength=self.groups).max(initial=0) <= 1)

    @property
    def many_is_unique(self) -> bool:
        """Whether each group has at most one series on the "many" side."""
        return bool(np.bincount(self.many_codes, minlength=self.groups).max(initial=0) <= 1)


def signature_labels(a: LabelBlock, b: LabelBlock, matching: Matching) -> list[str]:
    """Return the labels that two series must share to match."""
    if matching.on:
        return sorted(matching.labels)
    return sorted((a.columns.keys() | b.columns.keys()) - {*matching.labels, METRIC_NAME})


def join_of(many: LabelBlock, one: LabelBlock, matching: Matching) -> Join:
    """Return the match groups of two blocks; the same ones each time."""

    def compute() -> Join:
        names = signature_labels(many, one, matching)
        return Join(many, one, *shared_codes(many, one, names))

    return many.cached(("join", one.number, matching.on, matching.labels), compute)


class VectorOperation:
    """An arithmetic or comparison operator between two vectors, `lhs op rhs`."""

    def __init__(self, op: str, matching: Matching, *, bool_modifier: bool, delayed: bool) -> None:
        self.op = op
        self.matching = matching
        self.bool_modifier = bool_modifier
        self.delayed = delayed
        self.swapped = matching.cardinality is Cardinality.ONE_TO_MANY
        self.one_to_one = matching.cardinality is Cardinality.ONE_TO_ONE
        # Delayed removal only delays what `bool` removes; arithmetic drops names at once.
        self.drops_name = op in ARITHMETIC or (bool_modifier and not delayed)

    def apply(self, lhs: Grid, rhs: Grid) -> Grid:
        """Return the result of the operator at every step.

        Raises:
            PromqlError: a match group has several series where only one may be.
        """
        many, one = (rhs, lhs) if self.swapped else (lhs, rhs)
        if not many.block.size or not one.block.size:
            return self.nothing(many)
        join = join_of(many.block, one.block, self.matching)
        if join.one_is_unique:
            return self.combine(many, one, self.static_pairs(join), join)
        return self.apply_stepwise(many, one, join)

    def nothing(self, many: Grid) -> Grid:
        """Return a vector without series."""
        return Grid(many.block.take([]), many.values[:, :0], many.mask[:, :0])

    def static_pairs(self, join: Join) -> Pairs:
        """Return the pairs of a join whose "one" side is unique; the same ones each time."""

        def compute() -> Pairs:
            partner = np.full(join.groups, -1, np.intp)
            partner[join.one_codes] = np.arange(join.one.size)
            one = partner[join.many_codes]
            many = np.flatnonzero(one >= 0)
            return Pairs(many, one[many], self.result_labels(join, many, one[many]))

        key = ("pairs", join.one.number, self.matching, self.drops_name)
        return join.many.cached(key, compute)

    def result_labels(self, join: Join, many: Indices, one: Indices) -> LabelBlock:
        """Return the labels of the results: the "many" side's, changed as the operator says."""
        block = join.many.take(many)
        if self.drops_name:
            block = block.nameless
        if self.one_to_one:
            names = self.matching.labels
            return block.keeping(names) if self.matching.on else block.without(names)
        for name in self.matching.include:
            values = join.one.values_of(name)
            block = block.replacing(name, [values[index] for index in one.tolist()])
        return block

    def combine(self, many: Grid, one: Grid, pairs: Pairs, join: Join) -> Grid:
        """Return the operator applied to the pairs, after the checks that depend on presence."""
        present = many.mask[:, pairs.many] & one.mask[:, pairs.one]
        return self.combine_present(many, one, pairs, join, present)

    def operate(self, grid: Grid, left: Floats, right: Floats) -> Grid:
        """Return the grid with the operator's values, or filtered by its comparison."""
        values, mask = grid.values, grid.mask
        nameless = grid.nameless
        if self.op in ARITHMETIC:
            values = ARITHMETIC[self.op](left, right)
        else:
            holds = COMPARISON[self.op](left, right)
            if self.bool_modifier:
                values = holds.astype(np.float64)
                nameless = np.ones(grid.block.size, np.bool_) if self.delayed else None
            else:
                self.refuse_same_labels(grid)
                values, mask = left, mask & holds
        result = Grid(grid.block, values, mask, nameless)
        if not self.one_to_one:
            self.refuse_same_labels(result)
        return merge_same_labels(result)

    def refuse_same_labels(self, grid: Grid) -> None:
        """Raise PromqlError where grouping labels make two results of a step the same."""
        if self.one_to_one or grid.block.is_unique:
            return
        codes, first = grid.block.row_codes
        steps, columns = np.nonzero(grid.mask)
        cells = steps * first.size + codes[columns]
        if cells.size and np.bincount(cells).max() > 1:
            raise PromqlError(
                "multiple matches for labels: grouping labels must ensure unique matches"
            )

    def refuse_many_to_one(self, join: Join, many: Indices, present: Flags) -> None:
        """Raise PromqlError where several series of a one-to-one match found a partner."""
        steps, columns = np.nonzero(present)
        cells = steps * join.groups + join.many_codes[many[columns]]
        if cells.size and np.bincount(cells).max() > 1:
            raise PromqlError(
                "multiple matches for labels: many-to-one matching must be explicit "
                "(group_left/group_right)"
            )

    def apply_stepwise(self, many: Grid, one: Grid, join: Join) -> Grid:
        """Return what `apply` does where presence decides which series of a group is the one."""
        present = [np.flatnonzero(row) for row in one.mask]
        for step, found in enumerate(present):
            if many.mask[step].any():
                self.refuse_duplicates(join, found)
        partner = np.full((one.steps, join.groups), -1, np.intp)
        for step, found in enumerate(present):
            partner[step, join.one_codes[found]] = found
        chosen = partner[:, join.many_codes]
        matched = many.mask & (chosen >= 0)
        _, columns = np.nonzero(matched)
        pairs = np.unique(np.stack((columns, chosen[matched])), axis=1)
        own, other = pairs[0], pairs[1]
        present_pair = (chosen[:, own] == other) & many.mask[:, own]
        found_pairs = Pairs(own, other, self.result_labels(join, own, other))
        return self.combine_present(many, one, found_pairs, join, present_pair)

    def combine_present(
        self, many: Grid, one: Grid, pairs: Pairs, join: Join, present: Flags
    ) -> Grid:
        """Return the operator applied to pairs whose presence is already known."""
        if self.one_to_one and not join.many_is_unique:
            self.refuse_many_to_one(join, pairs.many, present)
        values, other = many.values[:, pairs.many], one.values[:, pairs.one]
        nameless = None if many.nameless is None else many.nameless[pairs.many]
        left, right = (other, values) if self.swapped else (values, other)
        return self.operate(Grid(pairs.result, values, present, nameless), left, right)

    def refuse_duplicates(self, join: Join, found: Indices) -> None:
        """Raise PromqlError where a match group has two present series on the "one" side."""
        codes = join.one_codes[found]
        order = np.argsort(codes, kind="stable")
        same = np.flatnonzero(np.diff(codes[order]) == 0)
        if not same.size:
            return
        side = "left" if self.swapped else "right"
        twins = sorted(render(join.one.labels(int(found[order[same[0] + k]]))) for k in (0, 1))
        first = join.one.labels(int(found[order[same[0]]]))
        kept = {n: v for n, v in first.items() if (n in self.matching.labels) == self.matching.on}
        kept = kept if self.matching.on else {n: v for n, v in kept.items() if n != METRIC_NAME}
        raise PromqlError(
            f"found duplicate series for the match group {render(kept)} on the {side} hand-side "
            f"of the operation: [{', '.join(twins)}];many-to-many matching not allowed: "
            "matching labels must be unique on one side"
        )


def render(labels: dict[str, str]) -> str:
    """Return labels as Prometheus prints them in errors."""
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels.items()) + "}"
