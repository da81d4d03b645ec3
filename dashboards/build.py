"""Writes every dashboard as JSON for Grafana: `python -m dashboards.build`.

The files are checked in, so that Grafana can be pointed at this folder as it is; a test sees to it
that they are up to date.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.overview import overview

FOLDER = Path(__file__).parent
DASHBOARDS: Mapping[str, Callable[[], Dashboard]] = {"overview.json": overview}


def render(make: Callable[[], Dashboard]) -> str:
    """Return a dashboard as JSON, the same text every time."""
    document = json.loads(JSONEncoder().encode(make().build()))
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all dashboards into `folder` and return the files."""
    written = []
    for name, make in DASHBOARDS.items():
        path = folder / name
        path.write_text(render(make), "utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    for file in write():
        print(file)
