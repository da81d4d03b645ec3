"""Secrets: where their values come from, and which values are fit to be secrets.

Files hold references only (`${secret:NAME}`); a value is fetched when a run starts and is never
written anywhere. Taking values out of everything that leaves is `probes.redaction`'s.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from probes.redaction import MIN_LENGTH, Redactor

__all__ = [
    "EnvironmentSecrets",
    "MissingSecret",
    "Redactor",
    "SecretSource",
    "UnfitSecret",
    "check_secret",
]

PREFIX = "MONITOR_SECRET_"
MAX_LENGTH = 16_384
_COMMON = frozenset(
    {
        "password", "passwort", "password1", "password123", "passw0rd", "changeme", "changeit",
        "secret123", "letmein1", "welcome1", "iloveyou", "football", "baseball", "sunshine",
        "princess", "superman", "trustno1", "qwertyui", "qwertyuiop", "computer", "internet",
        "whatever", "administrator", "customer", "checkout", "products", "location", "username",
        "undefined", "document", "function", "shopping", "delivery", "category",
    }
)  # fmt: skip


class MissingSecret(LookupError):  # noqa: N818 - says what happened
    """A secret that is not configured."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"secret {name} is not set; set {where}")
        self.name = name


class UnfitSecret(Exception):  # noqa: N818 - says what happened
    """A secret whose value could not be kept out of records without shredding them."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"secret {name} {problem}")
        self.name = name


class SecretSource(Protocol):
    """Whatever knows secrets by name."""

    def get(self, name: str) -> str:
        """Return the secret's value.

        Raises:
            MissingSecret: there is none of that name.
            UnfitSecret: its value cannot be used as a secret.
        """
        ...


class EnvironmentSecrets:
    """Secrets from `MONITOR_SECRET_<NAME>`, or from the file named by `MONITOR_SECRET_<NAME>_FILE`.

    The file form is what Docker and systemd credentials give; one newline at its end is dropped.
    Files are read on every use, so that a rotated secret counts from the next run on.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """Look in `environ`, by default the process's own environment."""
        self._environ = os.environ if environ is None else environ

    def get(self, name: str) -> str:
        """Return the value; the variable wins over the file."""
        variable = PREFIX + name.upper()
        value = self._environ.get(variable)
        if value is None:
            value = self._from_file(name, variable + "_FILE")
        check_secret(name, value)
        return value

    def _from_file(self, name: str, variable: str) -> str:
        """Return the content of the secret's file."""
        path = self._environ.get(variable)
        if not path:
            raise MissingSecret(name, f"{variable.removesuffix('_FILE')} or {variable}")
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MissingSecret(name, f"{variable} to a readable file") from error
        return text.removesuffix("\n").removesuffix("\r")


def check_secret(name: str, value: str) -> None:
    """Refuse a value that is too short, or too ordinary, to be searched for in everything.

    Redaction replaces every occurrence of the value; `123` would shred every page and number.

    Raises:
        UnfitSecret: the message says what would do.
    """
    if len(value) < MIN_LENGTH:
        raise UnfitSecret(name, f"has {len(value)} characters; at least {MIN_LENGTH} are needed")
    if len(value) > MAX_LENGTH:
        raise UnfitSecret(name, f"has {len(value)} characters; at most {MAX_LENGTH} are taken")
    if value.casefold() in _COMMON or (value.isdigit() and len(value) < 12):
        raise UnfitSecret(name, "is a common word or a short number; use a longer random value")
    if len(set(value)) < 4:
        raise UnfitSecret(name, "has fewer than four different characters; use a random value")
