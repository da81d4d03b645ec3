"""Matchers over labels as `amtool` and Grafana write them: `name="value"`, `!=`, `=~`, `!~`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import re2

from incidents.errors import InvalidInputError

_FORM = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{}]*))\s*'
)
_ESCAPED = re.compile(r"\\(.)")


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

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet the condition; expressions cover the whole value."""
        value = labels.get(self.name, "")
        if self.operator in (Operator.EQUAL, Operator.UNEQUAL):
            return (value == self.value) is (self.operator is Operator.EQUAL)
        found = re2.fullmatch(self.value, value) is not None
        return found is (self.operator is Operator.LIKE)


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
            re2.compile(value)
        except re2.error as error:
            raise BadMatcher(text) from error
    return matcher


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether every matcher holds; none at all do."""
    return all(matcher.holds(labels) for matcher in matchers)


def _unescape(found: re.Match[str]) -> str:
    return {"n": "\n"}.get(found[1], found[1])
