"""What an examination finds: one thing, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How something is; only `fail` makes the whole examination fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; `advice` is empty where nothing is to be done."""

    area: str
    level: Level
    text: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding for programs."""
        return {name: str(value) for name, value in asdict(self).items()}


def ok(area: str, text: str) -> Finding:
    """Return that something is well."""
    return Finding(area, Level.OK, text)


def warn(area: str, text: str, advice: str) -> Finding:
    """Return that something will be trouble, and what to do."""
    return Finding(area, Level.WARN, text, advice)


def fail(area: str, text: str, advice: str) -> Finding:
    """Return that something does not work, and what to do."""
    return Finding(area, Level.FAIL, text, advice)
