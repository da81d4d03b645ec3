"""Ask whether a pinned version of a library has a known hole; where nobody can be asked, say so.

    python .ci/audit.py              asks the package index about constraints.txt
    python .ci/audit.py REPORT.json  judges a report of pip-audit

Ends with 1 only where a hole is known. A hole that does not concern us is listed in ACCEPTED with
its reason; one that is listed and no longer found has to be taken off the list.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
SECONDS = 120
ACCEPTED: dict[str, str] = {}  # id of a hole → why it does not concern us


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    report = json.loads(Path(arguments[0]).read_text("utf-8")) if arguments else ask()
    if report is None:
        return unasked()
    found = report["dependencies"]
    asked = [one for one in found if "skip_reason" not in one]
    holes = {hole["id"]: one for one in asked for hole in one["vulns"]}
    for name, one in sorted(holes.items()):
        if name not in ACCEPTED:
            print(f"audit: {one['name']} {one['version']}: known hole {name}, {fixes(one, name)}")
    for name in sorted(ACCEPTED.keys() - holes.keys()) if len(asked) == len(found) else ():
        print(f"audit: {name} is accepted and not found any more; take it off the list")
    if not asked:
        return unasked()
    print(f"audit: {len(asked)} of {len(found)} libraries could be asked about")
    return 1 if holes.keys() - ACCEPTED.keys() else 0


def unasked() -> int:
    """Say that nothing is known, which is no reason to fail."""
    print("audit: not checked, no index that knows of holes can be asked from here")
    return 0


def fixes(library: dict[str, Any], name: str) -> str:
    """Return what to do about a hole."""
    versions = next(one["fix_versions"] for one in library["vulns"] if one["id"] == name)
    return f"update to {' or '.join(versions)}" if versions else "no version mends it yet"


def ask() -> dict[str, Any] | None:
    """Return the report on the pinned versions, or None where there is no answer."""
    command = ("-r", str(CONSTRAINTS), "--no-deps", "--disable-pip", "-f", "json")
    quiet = ("--progress-spinner", "off", "--timeout", "5")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *command, *quiet],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
