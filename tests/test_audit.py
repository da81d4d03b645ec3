"""The audit of libraries: a known hole fails, silence of the index does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

AUDIT = Path(__file__).parents[1] / ".ci" / "audit.py"
SOUND = {"name": "jinja2", "version": "3.1.6", "vulns": []}
HOLED = {
    "name": "urllib3",
    "version": "1.24",
    "vulns": [{"id": "PYSEC-2020-148", "fix_versions": ["1.25.9"]}],
}
UNASKED = {"name": "re2", "skip_reason": "not found on PyPI"}


def audit(folder: Path, *libraries: dict[str, Any]) -> tuple[int, str]:
    """Return the exit code and the words about a report."""
    report = folder / "report.json"
    report.write_text(json.dumps({"dependencies": libraries}), "utf-8")
    done = subprocess.run(
        [sys.executable, str(AUDIT), str(report)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_a_known_hole_fails_and_says_what_mends_it(tmp_path: Path) -> None:
    """The version and the way out are named."""
    code, said = audit(tmp_path, SOUND, HOLED)
    assert code == 1
    assert "urllib3 1.24: known hole PYSEC-2020-148, update to 1.25.9" in said


def test_sound_libraries_pass_and_unasked_ones_are_counted(tmp_path: Path) -> None:
    """It never claims to have asked about what it has not."""
    assert audit(tmp_path, SOUND, UNASKED) == (
        0,
        "audit: 1 of 2 libraries could be asked about\n",
    )


def test_an_index_that_knows_nothing_is_no_clean_bill(tmp_path: Path) -> None:
    """Offline, it says that nothing was checked."""
    code, said = audit(tmp_path, UNASKED)
    assert (code, said.startswith("audit: not checked")) == (0, True)
