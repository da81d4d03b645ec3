"""Captured data that lies beside the project; its tests are skipped by name where it is absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def shared_path(name: str) -> Path:
    """Return a file of the shared data, or skip the test that asks for it."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the shared data has no {name} here")
    return path


def shared_json(name: str) -> Any:
    """Return what a JSON file of the shared data holds."""
    return json.loads(shared_path(name).read_text(encoding="utf-8"))
