"""Runs every bench (or those named) and writes what they printed to bench/RESULTS.md.

A bench that is named replaces its own section; the others keep theirs, each with its date.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
HEAD = """# Results

Written by `make bench`. Each peer ran in the same run, on the same machine; only ratios travel.
"""
HEADING = "## "
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
    day = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}"
    return f"{HEADING}{name}\n\n{day}\n\n```text\n{body}\n```\n\n{listed}{note}\n"


def kept_sections(text: str) -> dict[str, str]:
    """Return the sections of an earlier RESULTS.md by name, those of benches that still exist."""
    parts = re.split(rf"^(?={HEADING})", text, flags=re.MULTILINE)[1:]
    found = {part.splitlines()[0].removeprefix(HEADING): part.rstrip() + "\n" for part in parts}
    return {name: part for name, part in found.items() if name in names()}


def main() -> int:
    """Run the benches named on the command line, or all of them; 1 where any failed."""
    results = [(name, *run(name)) for name in sys.argv[1:] or names()]
    written = kept_sections(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    written |= {name: section(name, output, well) for name, output, well in results}
    ordered = [written[name] for name in sorted(written)]
    RESULTS.write_text("\n".join([HEAD, *ordered]), "utf-8")
    return 0 if all(ended_well for _, _, ended_well in results) else 1


if __name__ == "__main__":
    sys.exit(main())
