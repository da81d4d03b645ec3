"""The chain over the audit log: whatever is done to sealed rows shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.storage.audit import AuditFilter, record, search_audit
from monitor.storage.audit_chain import (
    BATCH,
    GENESIS,
    Anchor,
    ChainReport,
    check_chain,
    hash_of_row,
    seal,
    trim,
)
from monitor.storage.store import Store

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GUARDS = ("audit_is_not_changed", "audit_is_not_removed")


def fill(store: Store, count: int = 5, actor: str = "ann") -> Anchor:
    """Record that many changes, a minute apart, and return the head."""
    for number in range(count):
        with store.begin() as tx:
            at = AT + timedelta(minutes=number)
            record(tx, actor=actor, action="user.added", target=f"user:{number}", at=at)
    with store.begin() as tx:
        return seal(tx, AT)


def check(store: Store, *noted: Anchor) -> ChainReport:
    with store.read() as connection:
        return check_chain(connection, *noted)


def forge(store: Store, *statements: str) -> None:
    """Do what an attacker does who owns the database: take the guards away, then write."""
    with store.begin() as tx:
        for guard in GUARDS:
            on = " ON audit" if store.engine.dialect.name == "postgresql" else ""
            tx.connection.execute(text(f"DROP TRIGGER {guard}{on}"))
        for statement in statements:
            tx.connection.execute(text(statement))


def test_an_untouched_chain_has_no_faults(store: Store) -> None:
    """Sealed rows count from 1 without a gap, and what waits is counted apart."""
    head = fill(store, 3)
    with store.begin() as tx:
        record(tx, actor="ann", action="user.added", at=AT)
    report = check(store, head)
    assert report.faults == ()
    assert (report.sealed, report.unsealed, report.head) == (3, 1, head)
    assert head.position == 3


def test_an_empty_log_is_whole(store: Store) -> None:
    """Nothing was ever recorded: nothing is missing."""
    assert check(store) == ChainReport(Anchor(), Anchor(), 0, 0, ())


FORGERIES = {
    "actor edited": ("UPDATE audit SET actor = 'eve' WHERE position = 3", "3: was changed"),
    "instant edited": (
        "UPDATE audit SET at = '2026-11-22 12:02:01.000000' WHERE position = 3",
        "3: was changed",
    ),
    "detail edited": ("UPDATE audit SET detail = '[]' WHERE position = 3", "3: was changed"),
    "row removed": ("DELETE FROM audit WHERE position = 3", "4: follows position 2"),
    "beginning removed": ("DELETE FROM audit WHERE position = 1", "2: follows position 0"),
    "end removed": ("DELETE FROM audit WHERE position = 5", "4: the chain ends here"),
    "everything removed": ("DELETE FROM audit", "0: the chain ends here"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_found_and_its_place_is_told(sqlite_store: Store, forgery: str) -> None:
    """Whoever owns the database can write to it, and is found out."""
    fill(sqlite_store)
    statement, told = FORGERIES[forgery]
    forge(sqlite_store, statement)
    faults = check(sqlite_store).faults
    assert faults
    assert str(faults[0]).startswith(f"position {told}")


def test_rows_that_changed_places_are_found(store: Store) -> None:
    """Swapping two rows' positions breaks the chain at both."""
    fill(store)
    forge(
        store,
        "UPDATE audit SET position = 99 WHERE position = 2",
        "UPDATE audit SET position = 2 WHERE position = 3",
        "UPDATE audit SET position = 3 WHERE position = 99",
    )
    assert {fault.position for fault in check(store).faults} >= {2, 3}


def test_a_chain_written_anew_is_found_by_a_head_noted_before(sqlite_store: Store) -> None:
    """Who recomputes every hash cannot recompute what was noted elsewhere."""
    noted = fill(sqlite_store, 2)
    forge(sqlite_store, "DELETE FROM audit", "DELETE FROM audit_anchors")
    fill(sqlite_store, 3, actor="eve")
    assert check(sqlite_store).faults == ()
    (fault,) = [f for f in check(sqlite_store, noted).faults if f.position == 2]
    assert "noted" in str(fault)


def test_a_cut_chain_is_found_by_a_head_noted_before(sqlite_store: Store) -> None:
    """The end and its anchor are gone, and the noted head says so."""
    noted = fill(sqlite_store, 3)
    forge(sqlite_store, "DELETE FROM audit", "DELETE FROM audit_anchors")
    (fault,) = check(sqlite_store, noted).faults
    assert str(fault) == "position 3: was noted as sealed and is missing"


def test_retention_takes_the_beginning_and_says_so(store: Store) -> None:
    """Rows older than the limit go; the rest is still one chain, and the log tells of it."""
    fill(store, 5)
    with store.begin() as tx:
        assert trim(tx, AT + timedelta(minutes=2), AT + timedelta(days=1)) == 2
    with store.begin() as tx:
        seal(tx, AT)
    report = check(store)
    assert report.faults == ()
    assert (report.start.position, report.sealed) == (2, 4)
    with store.read() as connection:
        (row,) = search_audit(connection, AuditFilter(action="audit.trimmed"))
    assert row.detail == {"rows": 2, "to_position": 2, "to_hash": report.start.hash}


def test_retention_removes_no_row_behind_a_younger_one(store: Store) -> None:
    """A row with a late clock in front keeps those behind it: only a beginning goes."""
    for minutes in (5, 0):
        with store.begin() as tx:
            at = AT + timedelta(minutes=minutes)
            record(tx, actor="ann", action="user.added", at=at)
    with store.begin() as tx:
        seal(tx, AT)
        assert trim(tx, AT + timedelta(minutes=1), AT) == 0


def test_what_was_noted_before_retention_took_it_is_no_fault(store: Store) -> None:
    """An old head lies in the part that was removed by rule."""
    noted = fill(store, 2)
    fill(store, 3)
    with store.begin() as tx:
        trim(tx, AT + timedelta(days=1), AT + timedelta(days=1))
    assert check(store, noted).faults == ()


def test_sealing_goes_on_in_batches(store: Store) -> None:
    """More rows than one transaction takes are sealed by the next."""
    with store.begin() as tx:
        for _ in range(BATCH + 1):
            record(tx, actor="ann", action="user.added", at=AT)
    with store.begin() as tx:
        assert seal(tx, AT).position == BATCH
    with store.begin() as tx:
        assert seal(tx, AT).position == BATCH + 1
    assert check(store).faults == ()


WORDS = st.fixed_dictionaries(
    {name: st.text(max_size=8) for name in ("actor", "action", "target", "detail")}
)


@settings(max_examples=100)
@given(WORDS, WORDS, st.integers(1, 5), st.integers(1, 5))
def test_two_rows_share_a_hash_only_if_they_are_the_same(
    one: dict[str, str], other: dict[str, str], position: int, elsewhere: int
) -> None:
    """No field's end can be taken for the next one's beginning."""
    first = hash_of_row({**one, "at": AT}, position, GENESIS)  # type: ignore[arg-type] # a mapping
    second = hash_of_row({**other, "at": AT}, elsewhere, GENESIS)  # type: ignore[arg-type] # too
    assert (first == second) == (one == other and position == elsewhere)
