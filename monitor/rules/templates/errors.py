"""The one error of templates."""

from __future__ import annotations


class TemplateError(Exception):
    """A template cannot be parsed, or cannot be filled in with the data given.

    `line` counts from 1 within the template's own text; None when the fault has no place.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
