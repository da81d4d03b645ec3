"""What is wrong with a file a person wrote, said so that they can repair it in one go.

Answers for the shape of a fault and for the one error that carries all of them. Which input is
faulty is decided where the input is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong in one place of one file.

    `line` counts from 1 and is None where a line means nothing (a missing file, an environment
    variable). `place` is the dotted path to the value, empty for the whole file; `value` is what
    was found there as text, empty where nothing was found.
    """

    file: str
    line: int | None
    place: str
    value: str
    expected: str

    def __str__(self) -> str:
        """Return the fault as one line: where, what was found, what was expected."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        place = f" {self.place}:" if self.place else ""
        found = f" found {self.value};" if self.value else ""
        return f"{where}:{place}{found} expected {self.expected}"


class FaultyInput(Exception):  # noqa: N818 - the name says what happened, as the callers read it
    """Input that cannot be used, with every fault found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep all faults, in the order of their files and lines."""
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line or 0)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


def shown(value: object, *, limit: int = 80) -> str:
    """Return `value` as short text for a fault; at most `limit` characters."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
