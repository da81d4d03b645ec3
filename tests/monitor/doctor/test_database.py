"""Databases that are away, old, locked, damaged, behind, or were tampered with."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.doctor import database
from monitor.doctor.clock import clock_finding
from monitor.doctor.database import examine_database
from monitor.doctor.finding import Finding, Level
from monitor.settings import Settings
from monitor.storage.audit import record
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.use_cases.audit import seal_audit
from tests.monitor.web.seeds import add_notification

NOW = datetime.now(UTC)


def examine(folder: Path, url: str | None = None) -> list[Finding]:
    settings = Settings.model_validate({"data": folder, "database_url": url})
    return list(examine_database(settings, datetime.now(UTC)))


def troubles(findings: list[Finding]) -> list[tuple[str, Level]]:
    return [(f.area, f.level) for f in findings if f.level is not Level.OK]


def test_a_database_in_use_is_well(database_url: str, tmp_path: Path) -> None:
    """On SQLite and on PostgreSQL, whose clock is compared as well."""
    found = examine(tmp_path, database_url)
    assert troubles(found) == []
    areas = {f.area for f in found}
    assert areas >= {"database", "audit", "outbox"}
    assert ("clock" in areas) is database_url.startswith("postgresql")


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    """Looking changes nothing."""
    assert troubles(examine(tmp_path)) == [("database", Level.WARN)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "nosuchdb://host/name"])
def test_a_server_that_does_not_answer_fails(tmp_path: Path, url: str) -> None:
    """With the variable that names it, and no traceback."""
    (found,) = examine(tmp_path, url)
    assert found.level is Level.FAIL
    assert "MONITOR_DATABASE_URL" in found.advice


def test_a_database_that_another_process_holds_fails(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing could be written now."""
    monkeypatch.setattr(database, "LOCKED_SECONDS", 0.05)
    holder = sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    found = examine(tmp_path)
    holder.close()
    assert ("database", Level.FAIL) in troubles(found)
    assert any("fuser" in f.advice for f in found)


@pytest.mark.parametrize(("revision", "level"), [("0001", Level.WARN), ("9999", Level.FAIL)])
def test_another_schema_than_ours_is_told(
    sqlite_url: str, tmp_path: Path, revision: str, level: Level
) -> None:
    """An older one is brought up to date by a start; a newer one is not ours to touch."""
    with Store(open_engine(sqlite_url)).begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
    assert troubles(examine(tmp_path)) == [("database", level)]


def test_a_damaged_file_fails(sqlite_url: str, tmp_path: Path) -> None:
    """A page in the middle is garbage."""
    path = tmp_path / "monitor.db"
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 20)
    assert ("database", Level.FAIL) in troubles(examine(tmp_path))


def test_a_tampered_audit_log_fails(sqlite_url: str, tmp_path: Path) -> None:
    """A sealed row was edited, or the end was cut off behind the noted head."""
    store = Store(open_engine(sqlite_url))
    with store.begin() as tx:
        record(tx, actor="ann", action="user.added", at=NOW)
    seal_audit(store, tmp_path, NOW)
    with store.begin() as tx:
        tx.connection.execute(text("DROP TRIGGER audit_is_not_changed"))
        tx.connection.execute(text("UPDATE audit SET actor = 'eve'"))
    store.close()
    assert troubles(examine(tmp_path)) == [("audit", Level.FAIL)]


def test_notifications_that_wait_long_are_told(sqlite_url: str, tmp_path: Path) -> None:
    """A channel has been failing, or nothing runs."""
    store, now = Store(open_engine(sqlite_url)), datetime.now(UTC)
    with store.begin() as tx:
        add_notification(tx, "a", "queued", created_at=now - timedelta(minutes=14))
    assert troubles(examine(tmp_path)) == []
    with store.begin() as tx:
        add_notification(tx, "b", "queued", created_at=now - timedelta(minutes=16))
    store.close()
    assert troubles(examine(tmp_path)) == [("outbox", Level.WARN)]


@pytest.mark.parametrize(
    ("seconds", "level"),
    [(0, "ok"), (4.9, "ok"), (5, "warn"), (-59.9, "warn"), (60, "fail"), (-3600, "fail")],
)
def test_a_clock_is_judged_by_how_far_it_is_off(seconds: float, level: str) -> None:
    """Five seconds are noticed, a minute is wrong, either way."""
    found = clock_finding("shop", NOW, NOW + timedelta(seconds=seconds))
    assert found.level == level
