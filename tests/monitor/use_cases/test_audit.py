"""The audit log's upkeep: sealed soon, and its head noted beside the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.storage.audit import record
from monitor.storage.audit_chain import BATCH
from monitor.storage.store import Store
from monitor.use_cases.audit import HEAD_FILE, noted_head, seal_audit, verify_audit
from tests.monitor.use_cases.desk import START


def change(store: Store, count: int = 1) -> None:
    with store.begin() as tx:
        for _ in range(count):
            record(tx, actor="ann", action="user.added", at=START)


def test_everything_that_waits_is_sealed_and_the_head_is_noted(
    sqlite_store: Store, tmp_path: Path
) -> None:
    """However much it is; the file is for nobody else's eyes."""
    change(sqlite_store, BATCH + 1)
    head = seal_audit(sqlite_store, tmp_path, START)
    assert head is not None
    assert head.position == BATCH + 1
    assert noted_head(tmp_path) == head
    assert (tmp_path / HEAD_FILE).stat().st_mode & 0o077 == 0
    assert verify_audit(sqlite_store, head).faults == ()


def test_nothing_is_written_where_nothing_waits(sqlite_store: Store, tmp_path: Path) -> None:
    """The duty comes every second and costs one read."""
    assert seal_audit(sqlite_store, tmp_path, START) is None
    assert noted_head(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"position": "x", "hash": ""}'])
def test_a_noted_head_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    """A damaged file is no proof that all is well."""
    (tmp_path / HEAD_FILE).write_text(text)
    with pytest.raises(ValueError, match="holds no position and hash"):
        noted_head(tmp_path)
