"""Tokens to a tree; every function and variable must be known."""

from __future__ import annotations

from collections.abc import Collection

from monitor.rules.templates.constants import character_value, number_value, string_value
from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.lex import Kind, Token, tokens
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

MAXIMUM_LENGTH = 65_536  # characters; annotations are a few hundred
MAXIMUM_DEPTH = 50  # nested blocks and parentheses, far below Python's own limit
CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}
KEYWORDS = frozenset(
    {"if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"}
)


def parse_tree(text: str, functions: Collection[str], variables: Collection[str]) -> Tree:
    """Return the tree of `text`, in which `functions` and `variables` (with dollar) are known.

    Raises:
        TemplateError: the first fault, with its line.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise TemplateError(f"longer than {MAXIMUM_LENGTH} characters")
    parser = _Parser(list(tokens(text)), functions, variables)
    root, _ = parser.block(top=True)
    for name, line in parser.included:
        if name not in parser.defined:
            raise TemplateError(f'template "{name}" is not defined', line)
    return Tree(root, parser.defined)


class _Parser:
    """A recursive descent over the tokens of one template."""

    def __init__(
        self, stream: list[Token], functions: Collection[str], variables: Collection[str]
    ) -> None:
        self._stream = stream
        self._position = 0
        self._functions = functions
        self._variables = ["$", *variables]
        self._depth = 0
        self._loops = 0
        self.defined: dict[str, Block] = {}
        self.included: list[tuple[str, int]] = []

    # Tokens -----------------------------------------------------------------------------------

    def _peek(self) -> Token:
        return self._stream[self._position]

    def _next(self) -> Token:
        token = self._stream[self._position]
        self._position += token.kind is not Kind.END
        return token

    def _skip_space(self) -> Token:
        while self._peek().kind is Kind.SPACE:
            self._next()
        return self._peek()

    def _close(self, context: str) -> None:
        token = self._skip_space()
        if token.kind is not Kind.CLOSE:
            raise TemplateError(f"unexpected {token.text!r} in {context}", token.line)
        self._next()

    # Blocks -----------------------------------------------------------------------------------

    def block(self, *, top: bool = False) -> tuple[Block, Token]:
        """Return nodes up to the `end` or `else` that closes the block, and that word."""
        nodes: list[Node] = []
        self._deeper()
        while True:
            token = self._next()
            if token.kind is Kind.TEXT:
                nodes.append(Text(token.text))
                continue
            if token.kind is Kind.END:
                if not top:
                    raise TemplateError("a block is not closed: expected {{end}}", token.line)
                self._depth -= 1
                return tuple(nodes), token
            word = self._skip_space()
            if word.kind is Kind.WORD and word.text in ("end", "else"):
                if top:
                    raise TemplateError(f"unexpected {{{{{word.text}}}}}", word.line)
                self._next()
                self._depth -= 1
                return tuple(nodes), word
            node = self._action(word)
            if node is not None:
                nodes.append(node)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise TemplateError(f"nested deeper than {MAXIMUM_DEPTH}", self._peek().line)

    def _action(self, word: Token) -> Node | None:
        if word.kind is not Kind.WORD or word.text not in KEYWORDS:
            pipeline = self._pipeline("command")
            self._close("command")
            return Output(pipeline)
        self._next()
        if word.text in ("if", "with"):
            return self._branch(word.text)
        if word.text == "range":
            return self._range()
        if word.text in ("break", "continue"):
            if not self._loops:
                raise TemplateError(f"{{{{{word.text}}}}} outside {{{{range}}}}", word.line)
            self._close(word.text)
            return Jump(word.text)
        if word.text == "template":
            return self._include(word.line)
        return self._define(word)

    def _branch(self, keyword: str) -> Branch:
        scope = len(self._variables)
        pipeline = self._pipeline(keyword)
        self._close(keyword)
        then, ending = self.block()
        otherwise = self._otherwise(ending, keyword)
        del self._variables[scope:]
        return Branch(keyword, pipeline, then, otherwise)

    def _otherwise(self, ending: Token, keyword: str) -> Block:
        """Return what follows `else`; `else if` nests without an `end` of its own."""
        if ending.text == "end":
            self._close("end")
            return ()
        following = self._skip_space()
        if following.kind is Kind.WORD and following.text == keyword != "range":
            self._next()
            return (self._branch(keyword),)
        self._close("else")
        nodes, last = self.block()
        if last.text != "end":
            raise TemplateError("expected {{end}}; found {{else}}", last.line)
        self._close("end")
        return nodes

    def _range(self) -> Range:
        scope = len(self._variables)
        pipeline = self._pipeline("range")
        self._close("range")
        self._loops += 1
        body, ending = self.block()
        self._loops -= 1
        otherwise = self._otherwise(ending, "range")
        del self._variables[scope:]
        return Range(pipeline, body, otherwise)

    def _include(self, line: int) -> Include:
        name = self._name("template")
        self.included.append((name, line))
        pipeline = None
        if self._skip_space().kind is not Kind.CLOSE:
            pipeline = self._pipeline("template")
        self._close("template")
        return Include(name, pipeline, line)

    def _define(self, word: Token) -> Node | None:
        name = self._name(word.text)
        pipeline = self._pipeline("block") if word.text == "block" else None
        self._close(word.text)
        outer, loops = self._variables, self._loops
        self._variables, self._loops = ["$"], 0
        nodes, last = self.block()
        if last.text != "end":
            raise TemplateError(f"unexpected {{{{else}}}} in {word.text}", last.line)
        self._close("end")
        self._variables, self._loops = outer, loops
        self.defined[name] = nodes
        return Include(name, pipeline, word.line) if pipeline else None

    def _name(self, context: str) -> str:
        token = self._skip_space()
        if token.kind is not Kind.STRING:
            raise TemplateError(f"{context} wants a quoted name", token.line)
        self._next()
        return string_value(token)

    # Pipelines --------------------------------------------------------------------------------

    def _pipeline(self, context: str) -> Pipeline:
        """Return the pipeline that ends at `}}` or `)`, which is left standing."""
        self._deeper()
        line = self._skip_space().line
        variables, declares = self._binding(context)
        commands: list[Command] = []
        while True:
            token = self._skip_space()
            if token.kind in (Kind.CLOSE, Kind.RIGHT):
                break
            if commands:
                if token.kind is not Kind.PIPE:
                    raise TemplateError(f"unexpected {token.text!r} in {context}", token.line)
                self._next()
            commands.append(self._command(context, stage=len(commands) + 1))
        if not commands:
            raise TemplateError(f"missing value for {context}", line)
        if declares:
            self._variables += variables
        self._depth -= 1
        return Pipeline(tuple(commands), line, variables, declares)

    def _binding(self, context: str) -> tuple[tuple[str, ...], bool]:
        """Return the variables a pipeline sets, and whether it declares them."""
        start, names = self._position, []
        while self._skip_space().kind is Kind.VARIABLE:
            names.append(self._next().text)
            token = self._skip_space()
            if token.kind in (Kind.DECLARE, Kind.ASSIGN):
                self._next()
                if len(names) > 1 and context != "range":
                    raise TemplateError("too many variables", token.line)
                for name in names if token.kind is Kind.ASSIGN else []:
                    self._known(name, token.line)
                return tuple(names), token.kind is Kind.DECLARE
            if token.kind is not Kind.COMMA or context != "range" or len(names) > 1:
                break
            self._next()
        self._position = start
        return (), True

    def _known(self, name: str, line: int) -> None:
        if name not in self._variables:
            raise TemplateError(f'undefined variable "{name}"', line)

    def _command(self, context: str, stage: int) -> Command:
        operands: list[Operand] = []
        while self._skip_space().kind not in (Kind.CLOSE, Kind.RIGHT, Kind.PIPE):
            first = self._peek()
            operands.append(self._operand(context))
            after = self._peek().kind
            if after not in (Kind.SPACE, Kind.CLOSE, Kind.RIGHT, Kind.PIPE):
                raise TemplateError(f"unexpected {self._peek().text!r} in operand", first.line)
        line = self._peek().line
        if not operands:
            raise TemplateError(f"empty command in {context}", line)
        head = operands[0]
        if stage > 1 and isinstance(head, Literal | Dot):
            raise TemplateError(f"non executable command in pipeline stage {stage}", line)
        if len(operands) > 1 and isinstance(head, Literal | Dot):
            raise TemplateError("can't give argument to non-function", line)
        return Command(tuple(operands))

    def _operand(self, context: str) -> Operand:
        token = self._next()
        if token.kind is Kind.STRING:
            return Literal(string_value(token))
        if token.kind is Kind.NUMBER:
            return Literal(number_value(token))
        if token.kind is Kind.CHARACTER:
            return Literal(character_value(token))
        if token.kind is Kind.DOT:
            return Dot()
        if token.kind is Kind.FIELD:
            return Field((token.text[1:], *self._fields()))
        if token.kind is Kind.VARIABLE:
            self._known(token.text, token.line)
            return Variable(token.text, self._fields())
        if token.kind is Kind.LEFT:
            return self._parenthesis(context)
        if token.kind is Kind.WORD and token.text not in KEYWORDS:
            return self._word(token)
        raise TemplateError(f"unexpected {token.text!r} in {context}", token.line)

    def _parenthesis(self, context: str) -> Chain:
        inner = self._pipeline(context)
        token = self._skip_space()
        if token.kind is not Kind.RIGHT:
            raise TemplateError("unclosed left parenthesis", token.line)
        self._next()
        return Chain(inner, self._fields())

    def _fields(self) -> tuple[str, ...]:
        names = []
        while self._peek().kind is Kind.FIELD:
            names.append(self._next().text[1:])
        return tuple(names)

    def _word(self, token: Token) -> Operand:
        if token.text in CONSTANTS:
            return Literal(CONSTANTS[token.text])
        if token.text not in self._functions:
            raise TemplateError(f'function "{token.text}" not defined', token.line)
        return Word(token.text)
