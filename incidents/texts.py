"""What people type: bounded, not empty, and only what a database can keep."""

from __future__ import annotations

import re

from incidents.errors import InvalidInputError

LONGEST_TEXT = 10_000  # characters of a note or an update
LONGEST_LINE = 200  # characters of a title
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return the text with what neither database keeps (NUL, half surrogates) replaced."""
    return _UNSTORABLE.sub("\ufffd", text)


def checked(text: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text without blank ends.

    Raises:
        InvalidInputError: it is empty, or longer than `longest` characters.
    """
    trimmed = storable(text).strip()
    if not trimmed:
        raise InvalidInputError(f"{what} is empty; write at least a word")
    if len(trimmed) > longest:
        raise InvalidInputError(
            f"{what} has {len(trimmed)} characters; at most {longest} are allowed"
        )
    return trimmed
