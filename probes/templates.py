"""Text with `${…}` in it: which names it uses, and what it says once they have values.

Names are `word` (a variable or a saved value), `secret:NAME`, and the built-in ones of `BUILT_IN`.
`$${` stands for a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BUILT_IN = ("run.id", "run.date", "random", "journey", "location")
NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}$]*)\}|\$\{")
_VARIABLE = re.compile(NAME)
_SECRET = re.compile(rf"secret:({NAME})")


class UnknownName(Exception):  # noqa: N818 - says what happened
    """A name that has no value (yet)."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Reference:
    """One `${…}`: the text between the braces, and what kind of name it is."""

    text: str

    @property
    def secret(self) -> str | None:
        """The name of the secret it asks for, None where it asks for something else."""
        found = _SECRET.fullmatch(self.text)
        return found[1] if found else None

    @property
    def is_well_formed(self) -> bool:
        """Whether it could name anything at all."""
        return (
            self.text in BUILT_IN
            or self.secret is not None
            or _VARIABLE.fullmatch(self.text) is not None
        )


def references(text: str) -> Iterator[Reference]:
    """Yield every reference in `text`; an unclosed `${` is one that is not well formed."""
    for match in _REFERENCE.finditer(text):
        if match[0] != "$${":
            yield Reference(match[1] if match[1] is not None else "")


def fill(
    text: str, values: Mapping[str, str], *, escape: Callable[[str], str] = lambda value: value
) -> str:
    """Return `text` with every reference replaced by its escaped value.

    Raises:
        UnknownName: a reference has no value.
    """

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1] or ""
        if name not in values:
            raise UnknownName(name)
        return escape(values[name])

    return _REFERENCE.sub(value, text) if "${" in text else text


def fill_all(data: Any, values: Mapping[str, str]) -> Any:
    """Return JSON-like data with every text in it filled, keys included."""
    if isinstance(data, str):
        return fill(data, values)
    if isinstance(data, Mapping):
        return {fill(str(key), values): fill_all(item, values) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [fill_all(item, values) for item in data]
    return data


def texts_in(data: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Yield every text in JSON-like data with the place where it stands, keys included."""
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, Mapping):
        for key, item in data.items():
            yield (*place, key), str(key)
            yield from texts_in(item, (*place, key))
    elif isinstance(data, list | tuple):
        for number, item in enumerate(data):
            yield from texts_in(item, (*place, number))
