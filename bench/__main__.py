"""Runs every bench (or those named) and writes what they printed to bench/RESULTS.md."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
NOT_A_BENCH = {"__init__", "__main__", "peers", "prometheus_peer"}


def names() -> list[str]:
    """Return the names of all benches, in alphabetical order."""
    return sorted({path.stem for path in HERE.glob("*.py")} - NOT_A_BENCH)


def run(name: str) -> tuple[str, bool]:
    """Run one bench, echo its output and return it with whether it ended well."""
    print(f"== {name}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout, flush=True)
    return done.stdout, done.returncode == 0


def section(name: str, output: str, ended_well: bool) -> str:
    """Return a bench's part of RESULTS.md: its table as printed, its ratios as a list."""
    lines = output.strip().splitlines()
    try:
        ratios = json.loads(lines[-1]) if ended_well and lines else {}
    except ValueError:
        ratios = {}
    body = "\n".join(lines[:-1] if ratios else lines)
    listed = "\n".join(f"- `{key}`: {value}" for key, value in ratios.items())
    note = "" if ended_well else "\n\n**This bench did not finish.**"
    return f"## {name}\n\n```text\n{body}\n```\n\n{listed}{note}\n"


def main() -> int:
    """Run the benches named on the command line, or all of them; 1 where any failed."""
    chosen = sys.argv[1:] or names()
    results = [(name, *run(name)) for name in chosen]
    head = (
        "# Results\n\n"
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: Python "
        f"{platform.python_version()}, {platform.machine()}. Each peer ran in the same run, on the "
        "same machine; only ratios travel.\n"
    )
    if not sys.argv[1:]:
        sections = [section(*result) for result in results]
        (HERE / "RESULTS.md").write_text("\n".join([head, *sections]), "utf-8")
    return 0 if all(ended_well for _, _, ended_well in results) else 1


if __name__ == "__main__":
    sys.exit(main())
