"""Text checks made before the parser sees an expression.

The parser is native code: ten thousand nested parentheses end the process, and so do ten thousand
additions; a number too large for its duration type makes it panic (measured with promql-parser
0.12). So length, nesting and literal durations are bounded here, on the text.
"""

from __future__ import annotations

import re

from monitor.promql.errors import PromqlSyntaxError, UnsupportedError

MAX_LENGTH_BYTES = 32 * 1024
MAX_NESTING = 200
MAX_DURATION_SECONDS = 3.2e9  # a hundred years; Prometheus's own type ends at 292

TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    |(?P<comment>\#[^\n]*)
    |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
        (?P<unit>ms|[ywdhms])?)
    |(?P<word>[A-Za-z_:][\w:]*)
    |(?P<mark>[^\s\w])""",
    re.VERBOSE | re.DOTALL,
)
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
OPERATORS = frozenset("-+!=^*/%<>")
WORD_OPERATORS = frozenset({"and", "or", "unless", "atan2"})
EXPERIMENTAL_WORDS = {
    "anchored": "the anchored range modifier",
    "smoothed": "the smoothed range modifier",
}


def check_text(text: str) -> None:
    """Raise PromqlSyntaxError for text that is too long, nested too deep, or no Unicode."""
    if len(text.encode("utf-8", "replace")) > MAX_LENGTH_BYTES:
        raise PromqlSyntaxError(f"expression is longer than {MAX_LENGTH_BYTES} bytes")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PromqlSyntaxError("expression is not valid Unicode text")
    check_tokens(text)


def check_tokens(text: str) -> None:
    """Raise PromqlSyntaxError for nesting beyond MAX_NESTING and durations beyond a century.

    An operator is a level of the tree as a parenthesis is: `a + b + c` is `(a + b) + c`.
    """
    levels = [0]  # of each open bracket, the operators before this token
    before = ""
    for token in TOKEN.finditer(text):
        if token["comment"]:
            continue
        follow(token, levels)
        if sum(levels) + len(levels) > MAX_NESTING + 1:
            raise PromqlSyntaxError(f"expression is nested deeper than {MAX_NESTING} levels")
        if token["number"]:
            check_duration(token, before)
        if token["word"] in EXPERIMENTAL_WORDS and before == "]":
            raise UnsupportedError(f"{EXPERIMENTAL_WORDS[token['word']]} is not supported")
        before = before if token["mark"] in ("-", "+") else token[0]


def follow(token: re.Match[str], levels: list[int]) -> None:
    """Count one token into the levels."""
    mark, word = token["mark"] or "", (token["word"] or "").lower()
    if mark in OPENING:
        levels[-1] += mark == "["  # a subquery of a subquery is a level as well
        levels.append(0)
    elif mark in CLOSING and len(levels) > 1:
        levels.pop()
    elif mark == ",":
        levels[-1] = 0
    elif mark in OPERATORS or word in WORD_OPERATORS:
        levels[-1] += 1


def check_duration(token: re.Match[str], before: str) -> None:
    """Raise PromqlSyntaxError where a number that stands for a duration is beyond a century."""
    if before.lower() not in ("[", ":", "offset") or token["unit"]:
        return
    digits = token["number"].lower()
    seconds = int(digits, 16) if digits.startswith("0x") else float(digits)
    if not seconds <= MAX_DURATION_SECONDS:
        raise PromqlSyntaxError(f"duration out of range: {digits}")
