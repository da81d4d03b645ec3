"""`monitor audit …` on a data folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from monitor.cli import app
from monitor.storage.audit import record
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.use_cases.audit import HEAD_FILE, seal_audit

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def audit(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command and return its exit code and everything it said."""
    result = CliRunner().invoke(app, ["audit", *words, "--data", str(folder)])
    return result.exit_code, result.output


@pytest.fixture
def store(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Two sealed changes in the data folder `tmp_path`."""
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)
    store = Store(open_engine(sqlite_url))
    with store.begin() as tx:
        for name in ("bob", "zoé"):
            record(tx, actor="ann", action="user.added", target=name, at=AT, detail={"name": name})
    seal_audit(store, tmp_path, AT)
    yield store
    store.close()


def forge(store: Store) -> None:
    """Edit a sealed row as whoever owns the database can."""
    with store.begin() as tx:
        tx.connection.execute(text("DROP TRIGGER audit_is_not_changed"))
        tx.connection.execute(text("UPDATE audit SET actor = 'eve' WHERE position = 1"))


@pytest.mark.usefixtures("store")
def test_a_whole_log_verifies_against_the_noted_head(tmp_path: Path) -> None:
    """Exit code 0, and the head that may be noted elsewhere."""
    head = audit(tmp_path, "head")[1].strip()
    assert audit(tmp_path, "verify", "--head", head) == (
        0,
        f"2 rows sealed, 0 waiting for their seal.\nHead {head}\n",
    )


def test_an_edited_row_is_named(store: Store, tmp_path: Path) -> None:
    """Exit code 1, with the place."""
    forge(store)
    code, said = audit(tmp_path, "verify")
    assert code == 1
    assert "Fault: position 1: was changed after it was sealed." in said


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("head", [f"2:{'0' * 64}", f"3:{'0' * 64}"])
def test_a_head_that_is_not_in_the_chain_is_a_fault(tmp_path: Path, head: str) -> None:
    """Another hash at its place, or no such place."""
    code, said = audit(tmp_path, "verify", "--head", head)
    assert code == 1
    assert "noted" in said


@pytest.mark.usefixtures("store")
def test_a_head_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    """Said before anything is checked."""
    assert audit(tmp_path, "verify", "--head", "latest")[0] == 2


@pytest.mark.usefixtures("store")
def test_a_missing_or_damaged_head_file_is_told(tmp_path: Path) -> None:
    """Without it there is less to compare with; damaged it is a fault."""
    (tmp_path / HEAD_FILE).write_text("x")
    assert audit(tmp_path, "verify")[0] == 1
    (tmp_path / HEAD_FILE).unlink()
    code, said = audit(tmp_path, "verify")
    assert (code, "No noted head was found" in said) == (0, True)


@pytest.mark.usefixtures("store")
def test_the_export_can_be_checked_with_nothing_but_the_documentation(tmp_path: Path) -> None:
    """The recipe of docs/audit.md gives the hashes."""
    before = "0" * 64
    for line in audit(tmp_path, "export")[1].splitlines():
        row = json.loads(line)
        names = ("position", "previous_hash", "at", "actor", "action", "target", "detail")
        held = json.dumps([row[name] for name in names], separators=(",", ":"))
        assert row["hash"] == hashlib.sha256(held.encode("ascii")).hexdigest()
        assert row["previous_hash"] == before
        before = row["hash"]
