"""Transactions, topics and the schema on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from monitor.storage.engine import alembic_configuration, migrate, newest_revision
from monitor.storage.schema import facts, incidents, metadata
from monitor.storage.store import Store, Transaction

NOW = datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC)


def put(tx: Transaction, name: str, value: object = 1, at: datetime = NOW) -> None:
    tx.connection.execute(facts.insert(), {"name": name, "value": value, "updated_at": at})


def count(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(facts)) or 0


def incident(**columns: object) -> dict[str, object]:
    given = {"number": 1, "public_id": "a", "key": "k", "open_marker": 1, "status": "investigating"}
    fixed = {"severity": "critical", "impact": "major", "origin": "automatic"}
    times = dict.fromkeys(("started_at", "opened_at", "updated_at"), NOW)
    return {**given, **fixed, **times, **columns}


def test_the_migrations_lead_to_exactly_the_schema(store: Store) -> None:
    """No table, column, index or constraint differs between code and database."""
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    """A second start finds its database as the first one left it."""
    with store.begin() as tx:
        put(tx, "kept")
    migrate(store.engine)
    assert count(store) == 1


def test_the_newest_revision_is_the_one_alembic_would_lead_to() -> None:
    """A start that finds it leaves Alembic alone, so the two must never differ."""
    script = ScriptDirectory.from_config(alembic_configuration())
    assert script.get_heads() == [newest_revision()]


def test_a_database_of_an_older_revision_is_brought_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alembic is asked where the database is behind, and only there."""
    asked: list[object] = []
    monkeypatch.setattr("alembic.command.upgrade", lambda *args: asked.append(args[1]))
    migrate(store.engine)
    assert asked == []
    with store.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    migrate(store.engine)
    assert asked == ["head"]


def test_an_exception_leaves_nothing_behind_and_tells_nobody(store: Store) -> None:
    """Half a transaction never shows, and no subscriber hears of it."""
    heard: list[frozenset[str]] = []
    store.subscribe(heard.append)

    def half() -> None:
        with store.begin() as tx:
            put(tx, "half")
            tx.touch("alerts")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert (count(store), heard) == (0, [])


def test_subscribers_hear_the_topics_once_the_work_can_be_seen(store: Store) -> None:
    """A subscriber that reads finds what it was told about, until it unsubscribes."""
    seen: list[tuple[frozenset[str], int]] = []
    stop = store.subscribe(lambda topics: seen.append((topics, count(store))))
    for name in ("one", "two"):
        with store.begin() as tx:
            put(tx, name)
            tx.touch("alerts")
            tx.touch("incidents")
        stop() if name == "one" else None
    assert seen == [(frozenset({"alerts", "incidents"}), 1)]


def test_an_unknown_topic_is_refused(sqlite_store: Store) -> None:
    """A misspelt topic would wake nobody, so it is an error."""
    with pytest.raises(ValueError, match="alarms"), sqlite_store.begin() as tx:
        tx.touch("alarms")


def test_a_transaction_inside_a_transaction_is_refused(sqlite_store: Store) -> None:
    """It would wait for itself; the thread is told, and may begin anew afterwards."""
    with (
        pytest.raises(RuntimeError, match="already open"),
        sqlite_store.begin(),
        sqlite_store.begin(),
    ):
        pass
    with sqlite_store.begin() as tx:
        put(tx, "after")
    assert count(sqlite_store) == 1


def test_instants_come_back_in_utc_to_the_microsecond(store: Store) -> None:
    """The zone an instant was given in does not matter; the instant does."""
    johannesburg = timezone(timedelta(hours=2))
    with store.begin() as tx:
        put(tx, "a", {"nested": ["größer", None, 1.5]}, NOW.astimezone(johannesburg))
    with store.read() as connection:
        row = connection.execute(select(facts)).one()
    assert (row.updated_at, row.updated_at.tzinfo) == (NOW, UTC)
    assert row.value == {"nested": ["größer", None, 1.5]}


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    """Nobody can say which instant it is."""
    with pytest.raises(StatementError, match="no time zone"), store.begin() as tx:
        put(tx, "naive", at=NOW.replace(tzinfo=None))


def test_a_key_has_one_open_slot_and_any_number_of_closed_ones(store: Store) -> None:
    """The database itself refuses a second open incident of one identity."""
    with store.begin() as tx:
        for number, marker in ((1, None), (2, None), (3, 1)):
            row = incident(number=number, public_id=str(number), open_marker=marker)
            tx.connection.execute(incidents.insert(), row)
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.connection.execute(incidents.insert(), incident(number=4, public_id="4"))


def test_writers_in_many_threads_take_turns(store: Store) -> None:
    """Read-then-write in eight threads loses no count."""
    with store.begin() as tx:
        put(tx, "n", 0)

    def bump() -> None:
        for _ in range(10):
            with store.begin() as tx:
                chosen = select(facts.c.value).where(facts.c.name == "n").with_for_update()
                value = tx.connection.execute(chosen).scalar_one()
                tx.connection.execute(facts.update().values(value=value + 1))

    threads = [threading.Thread(target=bump) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert connection.scalar(select(facts.c.value)) == 80


def test_an_error_of_the_database_does_not_repeat_what_was_to_be_stored(store: Store) -> None:
    """Errors are logged, and what users wrote is not for the log."""
    with store.begin() as tx:
        put(tx, "ann@example.test", "my card is 4242")
    with pytest.raises(IntegrityError) as raised, store.begin() as tx:
        put(tx, "ann@example.test", "my card is 4242")
    said = str(raised.value).partition("DETAIL")[0]  # PostgreSQL adds the key that is there twice
    assert ("4242" in said, "ann@" in said) == (False, False)
