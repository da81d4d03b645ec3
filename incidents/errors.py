"""What our rules refuse, with the facts of each refusal as attributes.

A message says what was refused, on which object, and what would be allowed.
"""

from __future__ import annotations


class IncidentError(Exception):
    """A request that our rules refuse; `http_status` is how the web says so."""

    http_status = 409


class UnknownObjectError(IncidentError):
    """There is nothing of that name."""

    http_status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no {name}")
        self.name = name


class InvalidInputError(IncidentError):
    """What was given cannot be used; the message says what would be."""

    http_status = 422
