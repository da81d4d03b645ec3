"""Matchers over labels as `amtool` and Grafana write them: `name="value"`, `!=`, `=~`, `!~`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from incidents.errors import InvalidInputError

_FORM = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{}]*))\s*'
)
_PARTS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,\n"]|")+')
_ESCAPED = re.compile(r"\\(.)")


_QUIET = re2.Options()
_QUIET.log_errors = False  # what is wrong with a pattern is said to whoever wrote it
_GO_WORDS = {  # where RE2 for Go, which senders know, has other words than RE2 for C++
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
}


class Operator(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    UNEQUAL = "!="
    LIKE = "=~"
    UNLIKE = "!~"


class BadMatcher(InvalidInputError):  # noqa: N818 - a refusal, named for what was refused
    """A text is no matcher."""

    def __init__(self, text: str) -> None:
        super().__init__(f"bad matcher format: {text}")
        self.text = text


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a label that is missing counts as empty."""

    name: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        """Return the matcher as it is written."""
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.operator.value}"{escaped}"'

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet the condition; expressions cover the whole value."""
        value, operator = labels.get(self.name, ""), self.operator
        if operator is Operator.EQUAL:
            return value == self.value
        if operator is Operator.UNEQUAL:
            return value != self.value
        return _like(self.value, value) is (operator is Operator.LIKE)

    def test(self) -> Callable[[str], bool]:
        """Return the same as a test of the label's value, for many values that all differ."""
        wanted = self.value
        if self.operator is Operator.EQUAL:
            return lambda value: value == wanted
        if self.operator is Operator.UNEQUAL:
            return lambda value: value != wanted
        match, like = compiled(wanted).fullmatch, self.operator is Operator.LIKE
        return lambda value: (match(value) is not None) is like


@lru_cache(4096)  # alerts have few values of the labels that rules look at
def _like(expression: str, value: str) -> bool:
    return compiled(expression).fullmatch(value) is not None


def parse_matcher(text: str) -> Matcher:
    """Return the matcher that a text says.

    Raises:
        BadMatcher: it says none, or its expression is not one of RE2's.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadMatcher(text)
    name, operator, quoted, bare = found.groups()
    value = bare.strip() if quoted is None else _ESCAPED.sub(_unescape, quoted)
    matcher = Matcher(name, Operator(operator), value)
    if matcher.operator in (Operator.LIKE, Operator.UNLIKE):
        try:
            compiled(value)
        except re2.error as error:
            raise BadMatcher(text) from error
    return matcher


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers that a line says, separated by commas or line ends, in braces or not.

    Raises:
        BadMatcher: a part of it is none; the message names that part.
    """
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    parts = [found[0].strip() for found in _PARTS.finditer(inner)]
    return tuple(parse_matcher(part) for part in parts if part)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """Return the expression, ready to be matched.

    Raises:
        re2.error: it is none of RE2's; `complaint` says why.
    """
    return re2.compile(pattern, _QUIET)


def complaint(error: re2.error) -> str:
    """Return what is wrong with an expression, in the words of RE2 for Go."""
    said = error.args[0]
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    what, _, where = text.partition(": ")
    what = _GO_WORDS.get(what, what)
    return f"error parsing regexp: {what}: `{where}`" if where else f"error parsing regexp: {what}"


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether every matcher holds; none at all do."""
    for matcher in matchers:  # noqa: SIM110 - asked of every alert: a generator takes twice as long
        if not matcher.holds(labels):
            return False
    return True


def _unescape(found: re.Match[str]) -> str:
    return {"n": "\n"}.get(found[1], found[1])
