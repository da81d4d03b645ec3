"""`monitor privacy …` on a data folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from incidents.reports.intake import NewReport
from monitor.cli import app
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.use_cases.reports import submit_report
from tests.monitor.use_cases.desk import START, configuration


def privacy(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command and return its exit code and everything it said."""
    result = CliRunner().invoke(app, ["privacy", *words, "--data", str(folder)])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def report(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One report in the data folder."""
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)
    store = Store(open_engine(sqlite_url))
    sent = NewReport(description="Paying fails", name="Ann", email="ann@shop.test")
    submit_report(store, configuration(), sent, public_url="http://monitor.test", now=START)
    yield
    store.close()


def test_what_would_be_erased_is_listed_and_nothing_is(tmp_path: Path) -> None:
    """Only --yes erases; after it there is nobody of that address."""
    code, said = privacy(tmp_path, "erase", "ann@shop.test")
    assert code == 0
    assert "RPT-1" in said
    assert "add --yes" in said
    assert privacy(tmp_path, "erase", "ann@shop.test", "--yes")[0] == 0
    code, said = privacy(tmp_path, "erase", "ann@shop.test")
    assert code == 1
    assert "Refused: there is no report of ann@shop.test." in said


def test_an_export_is_json(tmp_path: Path) -> None:
    """With reports, messages and mails."""
    code, said = privacy(tmp_path, "export", "RPT-1")
    assert code == 0
    held = json.loads(said)
    assert held["reports"][0]["reporter_email"] == "ann@shop.test"
    assert len(held["reports"][0]["messages"]) == len(held["mails"]) == 1
