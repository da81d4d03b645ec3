"""Template text to tokens.

Spaces inside actions are tokens too, because `.a .b` and `.a.b` mean different things.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum

from monitor.rules.templates.errors import TemplateError


class Kind(StrEnum):
    """What a token is; the value names it in messages."""

    TEXT = "text"
    OPEN = "{{"
    CLOSE = "}}"
    SPACE = "space"
    STRING = "string"
    NUMBER = "number"
    CHARACTER = "character"
    FIELD = "field"
    VARIABLE = "variable"
    WORD = "word"
    DOT = "."
    LEFT = "("
    RIGHT = ")"
    PIPE = "|"
    DECLARE = ":="
    ASSIGN = "="
    COMMA = ","
    END = "end of template"


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a template; `line` counts from 1."""

    kind: Kind
    text: str
    line: int


# The order matters: a longer form stands before the shorter one it begins with.
_INSIDE = (
    (Kind.SPACE, re.compile(r"[ \t\r\n]+")),
    (Kind.STRING, re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')),
    (Kind.CHARACTER, re.compile(r"'(?:[^'\\\n]|\\[^\n])+'")),
    (
        Kind.NUMBER,
        re.compile(
            r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+"
            r"|(?:[0-9][0-9_]*)?\.?[0-9][0-9_]*\.?(?:[eE][+-]?[0-9_]+)?)(?![\w.])"
        ),
    ),
    (Kind.VARIABLE, re.compile(r"\$\w*")),
    (Kind.FIELD, re.compile(r"\.[^\W\d]\w*")),
    (Kind.WORD, re.compile(r"[^\W\d]\w*")),
    (Kind.DECLARE, re.compile(r":=")),
    (Kind.ASSIGN, re.compile(r"=")),
    (Kind.PIPE, re.compile(r"\|")),
    (Kind.LEFT, re.compile(r"\(")),
    (Kind.RIGHT, re.compile(r"\)")),
    (Kind.COMMA, re.compile(r",")),
    (Kind.DOT, re.compile(r"\.(?![\w.])")),
)
_CLOSING = re.compile(r"[ \t\r\n]-\}\}|\}\}")
_COMMENT = re.compile(r"\{\{(-[ \t\r\n]+)?/\*.*?\*/(?:\}\}|[ \t\r\n]+-\}\})", re.DOTALL)
_BLANKS = " \t\r\n"


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of `text`, the last one of kind END.

    Raises:
        TemplateError: an action is not closed, or holds a character that begins nothing.
    """
    position, trim = 0, False
    while True:
        opening = text.find("{{", position)
        plain = text[position:] if opening < 0 else text[position:opening]
        line = _line(text, position)
        trim_right = opening >= 0 and text[opening + 2 : opening + 3] == "-"
        trim_right = trim_right and text[opening + 3 : opening + 4] in tuple(_BLANKS)
        plain = plain.lstrip(_BLANKS) if trim else plain
        plain = plain.rstrip(_BLANKS) if trim_right else plain
        if plain:
            yield Token(Kind.TEXT, plain, line)
        if opening < 0:
            yield Token(Kind.END, "", _line(text, len(text)))
            return
        comment = _COMMENT.match(text, opening)
        if comment:
            position, trim = comment.end(), text[comment.end() - 3] == "-"
            continue
        position = opening + (3 if trim_right else 2)
        yield Token(Kind.OPEN, "{{", _line(text, opening))
        closing = yield from _action(text, position)
        position, trim = closing.end(), closing.group() != "}}"
        yield Token(Kind.CLOSE, "}}", _line(text, closing.start()))


def _action(text: str, position: int) -> Generator[Token, None, re.Match[str]]:
    """Yield what stands inside one action and return the match of its closing braces."""
    while True:
        closing = _CLOSING.match(text, position)
        if closing:
            return closing
        line = _line(text, position)
        if position >= len(text):
            raise TemplateError("unclosed action", line)
        kind, end = _inside(text, position, line)
        if kind is Kind.SPACE and text.startswith("-}}", end):
            end -= 1  # the last blank belongs to the closing ` -}}`
            if end == position:
                continue
        yield Token(kind, text[position:end], line)
        position = end


def _inside(text: str, position: int, line: int) -> tuple[Kind, int]:
    """Return the kind and the end of the token that begins at `position`."""
    for kind, pattern in _INSIDE:
        found = pattern.match(text, position)
        if found and found.end() > position:
            return kind, found.end()
    raise TemplateError(_unexpected(text, position), line)


def _unexpected(text: str, position: int) -> str:
    character = text[position]
    if character in "\"'`":
        return "unterminated quoted string"
    return f"unexpected {character!r} in action"


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
