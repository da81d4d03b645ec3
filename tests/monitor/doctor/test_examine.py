"""`monitor doctor` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.config.init import write_starter


def doctor(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command and return its exit code and everything it said."""
    given = ["--config", str(folder / "config"), "--data", str(folder / "data"), *words]
    result = CliRunner().invoke(app, ["doctor", *given])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A valid configuration and an empty data folder."""
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)
    list(write_starter("https://shop.test", tmp_path / "config"))
    (tmp_path / "data").mkdir(mode=0o700)


def test_warnings_alone_do_not_fail(tmp_path: Path) -> None:
    """There is no database yet, which is no fault."""
    code, said = doctor(tmp_path, "--offline")
    assert code == 0
    assert "warn  database: there is no database" in said
    assert "0 fail." in said


def test_a_failure_ends_with_1_and_says_what_to_do(tmp_path: Path) -> None:
    """In words, and for programs."""
    (tmp_path / "data").chmod(0o755)
    code, said = doctor(tmp_path, "--offline")
    assert code == 1
    assert f"chmod 700 {tmp_path / 'data'}" in said
    code, said = doctor(tmp_path, "--offline", "--json")
    told = json.loads(said)
    assert (code, told["well"]) == (1, False)
    failed = [f for f in told["findings"] if f["level"] == "fail"]
    assert [f["area"] for f in failed] == ["permissions"]
    assert all(set(f) == {"area", "level", "text", "advice"} for f in told["findings"])
