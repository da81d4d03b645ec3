"""A parsed template, as a tree of immutable nodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; Go's `nil` is None."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Dot:
    """The cursor, `.`."""


@dataclass(frozen=True, slots=True)
class Field:
    """`.a.b`: a path from the cursor."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name.a.b`; the name keeps its dollar."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """`(pipeline).a.b`."""

    inner: Pipeline
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """The name of a function."""

    name: str


Operand = Literal | Dot | Field | Variable | Chain | Word


@dataclass(frozen=True, slots=True)
class Command:
    """A function or value with its arguments."""

    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by `|`; its value may be bound to variables."""

    commands: tuple[Command, ...]
    line: int
    variables: tuple[str, ...] = ()
    declares: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is put out as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """A pipeline whose value is put out, unless it binds a variable."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch:
    """`if` or `with`, and what follows `else`."""

    keyword: str
    pipeline: Pipeline
    then: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Range:
    """A loop over a list or a map, and what is put out when that is empty."""

    pipeline: Pipeline
    body: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    keyword: str


@dataclass(frozen=True, slots=True)
class Include:
    """`template "name" pipeline`."""

    name: str
    pipeline: Pipeline | None
    line: int


Node = Text | Output | Branch | Range | Jump | Include
Block = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole template: its own nodes and those it defines by name."""

    root: Block
    defined: dict[str, Block]
