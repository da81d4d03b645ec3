"""Walks a parsed template and puts its text together, within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.formatting import shown
from monitor.rules.templates.functions import LAZY, Function
from monitor.rules.templates.moments import call_method
from monitor.rules.templates.tree import (
    Block,
    Branch,
    Chain,
    Command,
    Dot,
    Field,
    Include,
    Jump,
    Literal,
    Node,
    Operand,
    Output,
    Pipeline,
    Range,
    Text,
    Tree,
    Variable,
    Word,
)
from monitor.rules.templates.values import Moment, is_true, kind_of, member

MAXIMUM_STEPS = 200_000  # nodes walked; a loop over a thousand samples takes about ten thousand
MAXIMUM_OUTPUT = 262_144  # characters
MAXIMUM_INCLUDES = 50  # templates within templates
NOTHING = object()  # no value comes in through a pipe


class _BreakSignal(Exception):  # noqa: N818 - a jump, no error
    """`break`, on its way to its loop."""


class _ContinueSignal(Exception):  # noqa: N818 - a jump, no error
    """`continue`, on its way to its loop."""


@dataclass(slots=True)
class Execution:
    """One expansion of one template."""

    tree: Tree
    functions: Mapping[str, Function]
    variables: list[tuple[str, object]]
    pieces: list[str] = field(default_factory=list)
    steps: int = 0
    length: int = 0
    depth: int = 0

    def run(self, root: object) -> str:
        """Return the text of the template with `root` as its cursor.

        Raises:
            TemplateError: a value does not fit, a function refuses, or a bound is reached.
        """
        self.variables.insert(0, ("$", root))
        self._block(self.tree.root, root)
        return "".join(self.pieces)

    # Nodes ------------------------------------------------------------------------------------

    def _block(self, nodes: Block, dot: object) -> None:
        for node in nodes:
            self._count()
            self._node(node, dot)

    def _count(self) -> None:
        self.steps += 1
        if self.steps > MAXIMUM_STEPS:
            raise TemplateError(f"template took more than {MAXIMUM_STEPS} steps")

    def _node(self, node: Node, dot: object) -> None:
        match node:
            case Text(text):
                self._put(text)
            case Output(pipeline):
                value = self._pipeline(pipeline, dot)
                if not pipeline.variables:
                    self._put("<no value>" if value is None else shown(value))
            case Branch():
                self._branch(node, dot)
            case Range():
                self._range(node, dot)
            case Jump(keyword):
                raise _BreakSignal if keyword == "break" else _ContinueSignal
            case Include():
                self._include(node, dot)

    def _put(self, text: str) -> None:
        self.length += len(text)
        if self.length > MAXIMUM_OUTPUT:
            raise TemplateError(f"template gives more than {MAXIMUM_OUTPUT} characters")
        self.pieces.append(text)

    def _branch(self, node: Branch, dot: object) -> None:
        scope = len(self.variables)
        value = self._pipeline(node.pipeline, dot)
        cursor = value if node.keyword == "with" and is_true(value) else dot
        self._block(node.then if is_true(value) else node.otherwise, cursor)
        del self.variables[scope:]

    def _range(self, node: Range, dot: object) -> None:
        scope = len(self.variables)
        value = self._pipeline(node.pipeline, dot, bind=False)
        items = _items(value)
        names = node.pipeline.variables
        for key, item in items:
            self._count()
            pairs = (key, item) if len(names) == 2 else (item,)
            for name, one in zip(names, pairs, strict=False):
                self._bind(name, one, declares=node.pipeline.declares)
            try:
                self._block(node.body, item)
            except _ContinueSignal:
                pass
            except _BreakSignal:
                break
            finally:
                del self.variables[scope:]
        if not items:
            self._block(node.otherwise, dot)
            del self.variables[scope:]

    def _include(self, node: Include, dot: object) -> None:
        self.depth += 1
        if self.depth > MAXIMUM_INCLUDES:
            raise TemplateError(f"templates nested deeper than {MAXIMUM_INCLUDES}", node.line)
        value = self._pipeline(node.pipeline, dot) if node.pipeline else None
        outer, self.variables = self.variables, [("$", value)]
        self._block(self.tree.defined[node.name], value)
        self.variables = outer
        self.depth -= 1

    # Values -----------------------------------------------------------------------------------

    def _pipeline(self, pipeline: Pipeline, dot: object, *, bind: bool = True) -> object:
        value: object = NOTHING
        try:
            for command in pipeline.commands:
                value = self._command(command, dot, value)
        except TemplateError as error:
            if error.line is None:
                raise TemplateError(error.message, pipeline.line) from error
            raise
        for name in pipeline.variables if bind else ():
            self._bind(name, value, declares=pipeline.declares)
        return value

    def _bind(self, name: str, value: object, *, declares: bool) -> None:
        if declares:
            self.variables.append((name, value))
            return
        for index in range(len(self.variables) - 1, -1, -1):
            if self.variables[index][0] == name:
                self.variables[index] = (name, value)
                return

    def _command(self, command: Command, dot: object, piped: object) -> object:
        self._count()
        head, rest = command.operands[0], command.operands[1:]
        if isinstance(head, Word):
            return self._call(head.name, rest, dot, piped)
        arguments = [self._operand(one, dot) for one in rest]
        if piped is not NOTHING:
            arguments.append(piped)
        return self._operand(head, dot, tuple(arguments), command=True)

    def _call(self, name: str, rest: Sequence[Operand], dot: object, piped: object) -> object:
        if name in LAZY:
            return self._lazily(name, rest, dot, piped)
        arguments = [self._operand(one, dot) for one in rest]
        if piped is not NOTHING:
            arguments.append(piped)
        return self.functions[name].apply(name, arguments)

    def _lazily(self, name: str, rest: Sequence[Operand], dot: object, piped: object) -> object:
        """Return the first argument that decides `and` or `or`, else the last one."""
        if not rest and piped is NOTHING:
            raise TemplateError(f"wrong number of args for {name}: want at least 1 got 0")
        value: object = None
        for operand in rest:
            value = self._operand(operand, dot)
            if is_true(value) is (name == "or"):
                return value
        return value if piped is NOTHING else piped

    def _operand(
        self,
        operand: Operand,
        dot: object,
        arguments: tuple[object, ...] = (),
        *,
        command: bool = False,
    ) -> object:
        match operand:
            case Literal(None) if command:
                raise TemplateError("nil is not a command")
            case Literal(constant):
                return _plain(constant, arguments)
            case Dot():
                return _plain(dot, arguments)
            case Field(names):
                return _path(dot, names, arguments)
            case Variable(name, names):
                value = next(one for key, one in reversed(self.variables) if key == name)
                return _path(value, names, arguments)
            case Chain(inner, names):
                return _path(self._pipeline(inner, dot), names, arguments)
            case Word(name):
                return self._call(name, (), dot, NOTHING)


def _plain(value: object, arguments: tuple[object, ...]) -> object:
    if arguments:
        raise TemplateError(f"can't give argument to non-function ({kind_of(value)})")
    return value


def _path(value: object, names: tuple[str, ...], arguments: tuple[object, ...]) -> object:
    """Return what lies at the end of `.a.b`; only the last name may be a method with arguments."""
    for index, name in enumerate(names):
        if isinstance(value, Moment):
            last = index == len(names) - 1
            value = call_method(value, name, arguments if last else ())
            arguments = () if last else arguments
        else:
            value = member(value, name)
    return _plain(value, arguments)


def _items(value: object) -> list[tuple[object, object]]:
    """Return what `range` walks: positions and elements, or keys in order and their values."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(enumerate(value))
    raise TemplateError(f"range can't iterate over {shown(value)}")
