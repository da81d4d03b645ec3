"""Go's constants as they stand in a template: strings, numbers and characters."""

from __future__ import annotations

import re

from monitor.rules.templates.errors import TemplateError
from monitor.rules.templates.lex import Token

_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)


def string_value(token: Token) -> str:
    """Return the text that a quoted or raw string stands for.

    Raises:
        TemplateError: an escape that Go does not know.
    """
    if token.text[0] == "`":
        return token.text[1:-1].replace("\r", "")
    return _unescape(token.text[1:-1], token.line)


def character_value(token: Token) -> int:
    """Return the code point of a quoted character.

    Raises:
        TemplateError: not exactly one character.
    """
    text = _unescape(token.text[1:-1], token.line)
    if len(text) != 1:
        raise TemplateError(f"malformed character constant: {token.text}", token.line)
    return ord(text)


def number_value(token: Token) -> int | float:
    """Return the number: a float when it is written with a point or an exponent, else an int.

    Go makes the same difference, and comparing an int with a float is an error there.

    Raises:
        TemplateError: not a number, or an int of more than 64 bits.
    """
    text = token.text.replace("_", "")
    try:
        if re.fullmatch(r"[+-]?0[0-7]+", text):
            value: int | float = int(text, 8)  # Go's old octal form
        elif re.fullmatch(r"[+-]?(\d+|0[xXbBoO][0-9a-fA-F]+)", text):
            value = int(text, 0)
        else:
            value = float(text)
    except ValueError as error:
        raise TemplateError(f"bad number syntax: {token.text!r}", token.line) from error
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise TemplateError(f"integer overflow: {token.text!r}", token.line)
    return value


def _unescape(text: str, line: int) -> str:
    def one(found: re.Match[str]) -> str:
        if found[5] is not None:
            if found[5] not in _SIMPLE:
                raise TemplateError(f"invalid escape in string: {found[0]}", line)
            return _SIMPLE[found[5]]
        if found[4] is not None:
            return chr(int(found[4], 8) & 0xFF)
        code = int(found[1] or found[2] or found[3], 16)
        if code > 0x10FFFF:
            raise TemplateError(f"invalid escape in string: {found[0]}", line)
        return chr(code)

    return _ESCAPE.sub(one, text)
