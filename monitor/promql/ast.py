"""The expression tree: what `parse` returns, what the evaluator runs and the rule lint inspects.

Every node is immutable and hashable. Durations and times are whole milliseconds, as in
Prometheus; `str` of a node is an expression that parses to an equal node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

MILLISECOND_UNITS = (
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
)


class ValueType(StrEnum):
    """The four kinds of value an expression can have."""

    SCALAR = "scalar"
    VECTOR = "instant vector"
    MATRIX = "range vector"
    STRING = "string"


class Anchor(StrEnum):
    """A symbolic time of the `@` modifier: the first or last step of the query."""

    START = "start"
    END = "end"


class Cardinality(StrEnum):
    """How many series of each side may share one match group."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"  # group_left
    ONE_TO_MANY = "one-to-many"  # group_right
    MANY_TO_MANY = "many-to-many"  # and, or, unless


class Expr:
    """One node of an expression tree."""

    __slots__ = ()

    @property
    def type(self) -> ValueType:
        """The kind of value this expression evaluates to."""
        raise NotImplementedError

    def children(self) -> tuple[Expr, ...]:
        """The direct sub-expressions, in source order."""
        return ()

    def walk(self) -> Iterator[Expr]:
        """Yield this node and everything below it, parents first."""
        yield self
        for child in self.children():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class NumberLiteral(Expr):
    """A number."""

    value: float

    @property
    def type(self) -> ValueType:
        return ValueType.SCALAR

    def __str__(self) -> str:
        return format_number(self.value)


@dataclass(frozen=True, slots=True)
class StringLiteral(Expr):
    """A string."""

    value: str

    @property
    def type(self) -> ValueType:
        return ValueType.STRING

    def __str__(self) -> str:
        return quote(self.value)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: `op` is `=`, `!=`, `=~` or `!~`; regexes are anchored."""

    name: str
    op: str
    value: str

    def __str__(self) -> str:
        name = self.name if is_plain_label(self.name) else quote(self.name)
        return f"{name}{self.op}{quote(self.value)}"


@dataclass(frozen=True, slots=True)
class VectorSelector(Expr):
    """The series that satisfy every matcher; a metric name is the matcher `__name__="…"`.

    `at` is a Unix time in milliseconds, an anchor, or None; `offset_ms` may be negative.
    """

    matchers: tuple[Matcher, ...]
    offset_ms: int = 0
    at: int | Anchor | None = None

    @property
    def type(self) -> ValueType:
        return ValueType.VECTOR

    @property
    def metric_name(self) -> str | None:
        """The metric name, where the selector fixes exactly one."""
        return next((m.value for m in self.matchers if m.name == "__name__" and m.op == "="), None)

    def __str__(self) -> str:
        return self.render("")

    def render(self, window: str) -> str:
        """Return the selector with `window` (such as `[5m]`) before its modifiers."""
        name, rest = self.metric_name, self.matchers
        if name is not None and is_plain_metric(name):
            rest = tuple(m for m in rest if not (m.name == "__name__" and m.op == "="))
        else:
            name = None
        inside = ",".join(map(str, rest))
        text = (name or "") + (f"{{{inside}}}" if inside or not name else "")
        return text + window + modifiers(self.offset_ms, self.at)


@dataclass(frozen=True, slots=True)
class MatrixSelector(Expr):
    """The samples of a selector within `(t - range, t]`."""

    selector: VectorSelector
    range_ms: int

    @property
    def type(self) -> ValueType:
        return ValueType.MATRIX

    def children(self) -> tuple[Expr, ...]:
        return (self.selector,)

    def __str__(self) -> str:
        return self.selector.render(f"[{format_duration(self.range_ms)}]")


@dataclass(frozen=True, slots=True)
class Subquery(Expr):
    """An expression evaluated at the multiples of `step_ms` within `(t - range, t]`.

    `step_ms` None means the evaluation's default step.
    """

    expr: Expr
    range_ms: int
    step_ms: int | None = None
    offset_ms: int = 0
    at: int | Anchor | None = None

    @property
    def type(self) -> ValueType:
        return ValueType.MATRIX

    def children(self) -> tuple[Expr, ...]:
        return (self.expr,)

    def __str__(self) -> str:
        step = "" if self.step_ms is None else format_duration(self.step_ms)
        window = f"[{format_duration(self.range_ms)}:{step}]"
        return f"{self.expr}{window}{modifiers(self.offset_ms, self.at)}"


@dataclass(frozen=True, slots=True)
class Paren(Expr):
    """An expression in parentheses."""

    expr: Expr

    @property
    def type(self) -> ValueType:
        return self.expr.type

    def children(self) -> tuple[Expr, ...]:
        return (self.expr,)

    def __str__(self) -> str:
        return f"({self.expr})"


@dataclass(frozen=True, slots=True)
class Negation(Expr):
    """The unary minus."""

    expr: Expr

    @property
    def type(self) -> ValueType:
        return self.expr.type

    def children(self) -> tuple[Expr, ...]:
        return (self.expr,)

    def __str__(self) -> str:
        return f"-{self.expr}"


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of a vector operation are paired.

    `on` True compares only `labels`, False all labels but those. `include` are copied from the
    "one" side of a grouped match.
    """

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = []
        grouped = self.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
        if self.on or self.labels or grouped:
            parts.append(f"{'on' if self.on else 'ignoring'} {names(self.labels)}")
        if grouped:
            side = "left" if self.cardinality is Cardinality.MANY_TO_ONE else "right"
            parts.append(f"group_{side} {names(self.include)}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """An operation between two expressions; `matching` is set where both are vectors."""

    op: str
    lhs: Expr
    rhs: Expr
    bool_modifier: bool = False
    matching: Matching | None = None

    @property
    def type(self) -> ValueType:
        both = {self.lhs.type, self.rhs.type}
        return ValueType.SCALAR if both == {ValueType.SCALAR} else ValueType.VECTOR

    def children(self) -> tuple[Expr, ...]:
        return (self.lhs, self.rhs)

    def __str__(self) -> str:
        words = [self.op, "bool" if self.bool_modifier else "", str(self.matching or "")]
        return f"{self.lhs} {' '.join(filter(None, words))} {self.rhs}"


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A function applied to its arguments; `places` are theirs in the text, `line:column`."""

    function: str
    args: tuple[Expr, ...]
    returns: ValueType = ValueType.VECTOR
    places: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def type(self) -> ValueType:
        return self.returns

    def children(self) -> tuple[Expr, ...]:
        return self.args

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.args))})"


@dataclass(frozen=True, slots=True)
class Aggregate(Expr):
    """An aggregation; `without` True groups by all labels but `grouping`."""

    op: str
    expr: Expr
    param: Expr | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False
    places: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def type(self) -> ValueType:
        return ValueType.VECTOR

    def children(self) -> tuple[Expr, ...]:
        return (self.expr,) if self.param is None else (self.param, self.expr)

    def __str__(self) -> str:
        how = ""
        if self.without or self.grouping:
            how = f" {'without' if self.without else 'by'} {names(self.grouping)} "
        return f"{self.op}{how}({', '.join(map(str, self.children()))})"


def modifiers(offset_ms: int, at: int | Anchor | None) -> str:
    """Return the `@` and `offset` modifiers as text, each with a leading space."""
    text = ""
    if isinstance(at, Anchor):
        text += f" @ {at}()"
    elif at is not None:
        text += f" @ {at / 1000:.3f}"
    if offset_ms:
        text += f" offset {'-' if offset_ms < 0 else ''}{format_duration(abs(offset_ms))}"
    return text


def format_duration(milliseconds: int) -> str:
    """Return a duration as PromQL writes it: `90000` is `1m30s`; zero is `0s`."""
    text = ""
    for unit, size in MILLISECOND_UNITS:
        count, milliseconds = divmod(milliseconds, size)
        if count:
            text += f"{count}{unit}"
    return text or "0s"


def format_number(value: float) -> str:
    """Return a number as PromQL reads it back without loss."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def quote(text: str) -> str:
    """Return `text` as a double-quoted string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def names(labels: tuple[str, ...]) -> str:
    """Return label names as a list in parentheses, quoted unless they are plain."""
    return f"({', '.join(name if is_plain_label(name) else quote(name) for name in labels)})"


def is_plain_label(name: str) -> bool:
    """Whether a label name needs no quotes: ASCII letters, digits and `_`."""
    return name.isascii() and name.replace("_", "a").isalnum() and not name[:1].isdigit()


def is_plain_metric(name: str) -> bool:
    """Whether a metric name needs no quotes: a plain label that may also contain `:`."""
    return is_plain_label(name.replace(":", "_")) and name not in RESERVED


RESERVED = frozenset(
    ["on", "ignoring", "group_left", "group_right", "bool", "offset", "inf", "nan"]
)
