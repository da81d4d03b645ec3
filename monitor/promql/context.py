"""What an evaluation carries with it: its times, its source, its bounds and its remarks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from monitor.promql.ast import Expr
from monitor.promql.errors import QueryLimitError
from monitor.promql.grid import Grid
from monitor.promql.options import Options
from monitor.promql.result import Remarks
from monitor.promql.selection import Ranges
from monitor.promql.source import Floats, Source, Times


@dataclass(slots=True)
class Budget:
    """What is left of an evaluation's bounds; shared by its subqueries."""

    options: Options
    cells: int = 0
    deadline: float | None = None

    @classmethod
    def start(cls, options: Options) -> Budget:
        """Return a fresh budget, its time counted from now."""
        limit = options.timeout_seconds
        return cls(options, deadline=None if limit is None else time.monotonic() + limit)

    def spend(self, cells: int) -> None:
        """Count samples read or made.

        Raises:
            QueryLimitError: they exceed the bound, or the time is up.
        """
        self.check(cells)
        self.cells += cells
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise QueryLimitError(f"query took longer than {self.options.timeout_seconds} s")

    def check(self, cells: int) -> None:
        """Raise QueryLimitError where so many samples more would exceed the bound."""
        if self.cells + cells > self.options.max_samples:
            limit = self.options.max_samples
            raise QueryLimitError(f"query would load or make more than {limit} samples")

    def check_steps(self, steps: int) -> None:
        """Raise QueryLimitError for more steps than an evaluation or subquery may have."""
        if steps > self.options.max_steps:
            limit = self.options.max_steps
            raise QueryLimitError(f"query would have {steps} steps, more than {limit}")


@dataclass(slots=True)
class RemarkList:
    """Remarks in the order they first came up."""

    warnings: dict[str, None] = field(default_factory=dict)
    infos: dict[str, None] = field(default_factory=dict)

    def warn(self, text: str) -> None:
        """Add a warning once."""
        self.warnings[f"PromQL warning: {text}"] = None

    def inform(self, text: str) -> None:
        """Add an information once."""
        self.infos[f"PromQL info: {text}"] = None

    def freeze(self) -> Remarks:
        """Return what has come up so far."""
        return Remarks(tuple(self.warnings), tuple(self.infos))


class Walker(Protocol):
    """Evaluates sub-expressions; given to functions so that they need not know the evaluator."""

    def vector(self, expr: Expr, context: Context) -> Grid:
        """Return an instant vector at every step."""
        ...

    def scalar(self, expr: Expr, context: Context) -> Floats:
        """Return a number at every step."""
        ...

    def ranges(self, expr: Expr, context: Context) -> Ranges:
        """Return the windows of a range vector at every step."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One evaluation at `times` (Unix milliseconds); start, end and step are the whole query's."""

    source: Source
    times: Times
    start_ms: int
    end_ms: int
    step_ms: int
    options: Options
    budget: Budget
    remarks: RemarkList
    walker: Walker

    def vector(self, expr: Expr) -> Grid:
        """Return an instant-vector sub-expression at every step."""
        return self.walker.vector(expr, self)

    def scalar(self, expr: Expr) -> Floats:
        """Return a scalar sub-expression at every step."""
        return self.walker.scalar(expr, self)

    def ranges(self, expr: Expr) -> Ranges:
        """Return the windows of a range-vector sub-expression at every step."""
        return self.walker.ranges(expr, self)

    @property
    def steps(self) -> int:
        """The number of evaluation times."""
        return int(self.times.size)

    @property
    def lookback_ms(self) -> int:
        """How long an unmarked sample stays current."""
        return round(self.options.lookback_seconds * 1000)

    def at_times(self, times: Times) -> Context:
        """Return the same evaluation at other times, for a subquery."""
        return replace(self, times=times)

    def shifted(self, offset_ms: int, at: int | str | None) -> Times:
        """Return where a selector with these modifiers looks, for every step."""
        if at is None:
            return self.times - offset_ms
        fixed = {"start": self.start_ms, "end": self.end_ms}.get(str(at), at)
        return np.full(self.steps, int(fixed) - offset_ms, np.int64)
