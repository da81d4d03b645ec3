"""docker-compose.yml as plain data, read the way Compose reads it as far as we use it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@cache
def compose() -> dict[str, Any]:
    """Return the file with merge keys applied and every variable at its default."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    filled = VARIABLE.sub(lambda match: match[2], text)
    document = yaml.safe_load(filled)
    assert isinstance(document, dict)
    return document


def services() -> dict[str, dict[str, Any]]:
    """Return the services that `docker compose up` starts, and the tools."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def mounts(service: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (source, target, mode) of every volume of a service."""
    out = []
    for text in service.get("volumes", []):
        source, target, *mode = text.split(":")
        out.append((source, target, mode[0] if mode else "rw"))
    return out


def host_path(service: str, target: str) -> Path:
    """Return the file of the project that a path inside a container comes from."""
    for source, inside, _ in mounts(services()[service]):
        if target == inside or target.startswith(inside + "/"):
            return ROOT / source / target.removeprefix(inside).lstrip("/")
    raise LookupError(f"{service} has nothing mounted at {target}")


def place(service: str, text: str, replacements: dict[str, str]) -> str:
    """Return a server's configuration with its paths and addresses as they are on this machine.

    Paths inside the service's container become those of the project; `replacements` come first.
    """
    for there, here in replacements.items():
        text = text.replace(there, here)
    for source, target, _ in mounts(services()[service]):
        if source.startswith("."):
            text = text.replace(target, str(ROOT / source))
    return text
