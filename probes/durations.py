"""Lengths of time as people write them in configuration files: `5s`, `1m30s`, `30d`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")


def parse_duration(text: str) -> float:
    """Return the seconds that `text` stands for, such as 90.0 for `1m30s`.

    Raises:
        ValueError: `text` is not a sequence of numbers with units ms, s, m, h, d or w.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError("expected a duration such as 500ms, 5s, 1m30s, 2h or 30d")
    return sum(float(number) * UNIT_SECONDS[unit] for number, unit in _PART.findall(text))


def _from_yaml(value: object) -> object:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"expected a duration with its unit, such as {value}s")  # noqa: TRY004 - pydantic turns ValueError into a fault
    return value


def format_duration(seconds: float) -> str:
    """Return `seconds` in the shortest exact form a file would use, such as `1m30s`."""
    if seconds <= 0:
        return "0s"
    left = round(seconds * 1000)
    words = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words)


Duration = Annotated[float, BeforeValidator(_from_yaml)]
"""Seconds, written with a unit in files. A pydantic field type; defaults are plain seconds."""
