"""The audit log as rows: recorded with the change, found again, and never changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from monitor.storage.audit import AuditFilter, AuditRow, record, search_audit
from monitor.storage.audit_chain import seal
from monitor.storage.engine import open_engine
from monitor.storage.schema import audit
from monitor.storage.store import Store

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def note(store: Store, action: str = "user.added", **given: object) -> None:
    facts = {"actor": "ann", "target": "user:bob", "at": AT, "detail": {"role": "agent"}}
    with store.begin() as tx:
        record(tx, action=action, **{**facts, **given})  # type: ignore[arg-type] # as tests give


def found(store: Store, **wanted: object) -> list[AuditRow]:
    with store.read() as connection:
        return search_audit(connection, AuditFilter(**wanted))  # type: ignore[arg-type] # as given


def test_a_change_is_read_back_as_it_was_recorded(store: Store) -> None:
    """Who, what, on which object, when, and the facts."""
    note(store)
    (row,) = found(store)
    assert (row.actor, row.action, row.target, row.at) == ("ann", "user.added", "user:bob", AT)
    assert row.detail == {"role": "agent"}
    assert row.position is None


def fail_after_recording(store: Store) -> None:
    with store.begin() as tx:
        record(tx, actor="ann", action="user.added", at=AT)
        raise InterruptedError


def test_a_change_that_is_rolled_back_leaves_no_row(store: Store) -> None:
    """The row is part of the change's own transaction."""
    with pytest.raises(InterruptedError):
        fail_after_recording(store)
    assert found(store) == []


@pytest.mark.parametrize("action", ["", "added", "User.added", "user.", "user added", "a.b.c"])
def test_an_action_is_a_noun_and_a_verb(sqlite_store: Store, action: str) -> None:
    """Any other form is a bug of ours, told at once."""
    with pytest.raises(ValueError, match=r"noun\.verb"):
        note(sqlite_store, action)


def test_words_no_database_keeps_are_recorded_all_the_same(store: Store) -> None:
    """A hostile name must not keep its own deed out of the log."""
    note(store, actor="a\x00b\ud800", target="\x00", detail={"name": "\x00\ud800é"})
    (row,) = found(store)
    assert row.actor == "a\ufffdb\ufffd"
    assert row.detail == {"name": "\x00\ud800é"}


def test_rows_are_found_by_each_of_their_parts(store: Store) -> None:
    """Actor, action, kind of thing, target and time; the end of a time is excluded."""
    note(store)
    note(store, "user_role.changed", actor="bob", target="user:ann", at=AT + timedelta(hours=1))
    note(store, "incident.opened", actor="monitor", target="INC-1", at=AT + timedelta(hours=2))

    def actions(**wanted: object) -> list[str]:
        return [row.action for row in found(store, **wanted)]

    assert actions() == ["incident.opened", "user_role.changed", "user.added"]
    assert actions(actor="bob") == ["user_role.changed"]
    assert actions(action="user") == ["user.added"]
    assert actions(action="incident.opened") == ["incident.opened"]
    assert actions(action="incident.%") == []
    assert actions(target="INC-1") == ["incident.opened"]
    assert actions(since=AT + timedelta(hours=1), until=AT + timedelta(hours=2)) == [
        "user_role.changed"
    ]
    newest = found(store, limit=1)[0]
    assert actions(before_id=newest.id, limit=1) == ["user_role.changed"]


CHANGES = {
    "an unsealed row is edited": (False, update(audit).values(actor="eve")),
    "a sealed row is edited": (True, update(audit).values(detail="{}")),
    "a sealed row is sealed anew": (True, update(audit).values(hash="0" * 64)),
    "a row's seal is taken off": (True, update(audit).values(hash=None, position=None)),
    "an unsealed row is removed": (False, delete(audit)),
    "a sealed row is removed": (True, delete(audit)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_that(store: Store, change: str) -> None:
    """The triggers hold against our own mistakes and against a careless hand."""
    sealed, statement = CHANGES[change]
    note(store)
    if sealed:
        with store.begin() as tx:
            seal(tx, AT)
    with pytest.raises(DBAPIError, match="only added to"), store.begin() as tx:
        tx.connection.execute(statement)
    assert len(found(store)) == 1


@pytest.mark.real
def test_the_log_cannot_be_emptied_at_one_stroke(postgres_url: str) -> None:
    """PostgreSQL has a statement of its own for that; SQLite has none."""
    store = Store(open_engine(postgres_url))
    note(store)
    with pytest.raises(DBAPIError, match="only added to"), store.begin() as tx:
        tx.connection.execute(text("TRUNCATE audit"))
    store.close()


def test_a_place_in_the_chain_is_given_once(store: Store) -> None:
    """Two replicas that seal at once cannot both succeed."""
    row = {"at": AT, "actor": "a", "action": "a.b", "detail": "{}", "position": 1, "hash": "0" * 64}
    with pytest.raises(DBAPIError), store.begin() as tx:
        tx.connection.execute(insert(audit), [row, row])
