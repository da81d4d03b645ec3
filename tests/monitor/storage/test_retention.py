"""What is old goes, what goes on stays; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from monitor.config.model import Retention
from monitor.storage import schema
from monitor.storage.retention import apply_retention
from monitor.storage.runs import load_run, record_run, save_verdict
from monitor.storage.store import Store
from probes.verdict import Verdict, VerdictState
from tests.monitor.storage.test_runs import NOW, RUN
from tests.monitor.use_cases.desk import Desk

KEPT = Retention.model_validate(
    {"runs": "30d", "evidence": "14d", "incidents": "400d", "reports": "400d"}
)
SECOND = timedelta(seconds=1)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def count(store: Store, table: str) -> int:
    with store.read() as connection:
        chosen = select(func.count()).select_from(schema.metadata.tables[table])
        return int(connection.execute(chosen).scalar_one())


def test_a_run_goes_once_it_is_older_than_runs_are_kept(store: Store) -> None:
    """At exactly the age it is still there."""
    with store.begin() as tx:
        for number, age in enumerate((days(30) + SECOND, days(30), days(1))):
            record_run(tx, replace(RUN, id=str(number), started_at=NOW - age))
    assert apply_retention(store, KEPT, NOW)["runs"] == 1
    assert count(store, "runs") == 2


def test_evidence_goes_before_its_run(store: Store) -> None:
    """What was sent and received is kept for a shorter time than that it was."""
    old, young = NOW - days(14) - SECOND, NOW - days(14)
    with store.begin() as tx:
        record_run(tx, replace(RUN, id="old", started_at=old))
        record_run(tx, replace(RUN, id="young", started_at=young))
    assert apply_retention(store, KEPT, NOW)["evidence"] == 1
    with store.read() as connection:
        assert load_run(connection, "old").steps[0].evidence is None
        assert load_run(connection, "young").steps[0].evidence is not None
    assert apply_retention(store, KEPT, NOW)["evidence"] == 0


def test_a_forgotten_journey_loses_its_verdict_at_the_silent_location_only(store: Store) -> None:
    """Another location's verdict on it stays."""
    state = VerdictState(Verdict.UP, NOW, last_run_at=NOW)
    with store.begin() as tx:
        save_verdict(tx, "checkout", "eu", replace(state, last_run_at=NOW - days(31)))
        save_verdict(tx, "checkout", "za", state)
    assert apply_retention(store, KEPT, NOW)["verdicts"] == 1
    assert count(store, "verdicts") == 1


def test_an_incident_goes_with_all_that_hangs_on_it(store: Store) -> None:
    """Timeline, notes, notifications and alerts; nothing is left that points nowhere."""
    desk = Desk(store)
    desk.fire()
    desk.later(minutes=1).resolve()
    apply_retention(store, KEPT, desk.now + days(400))
    assert count(store, "incidents") == 1
    apply_retention(store, KEPT, desk.now + days(400) + SECOND)
    tables = ("incidents", "timeline", "incident_updates", "incident_components", "alerts")
    assert [count(store, table) for table in (*tables, "outbox")] == [0] * 6


def test_what_goes_on_is_kept_however_old(store: Store) -> None:
    """An open incident and its alert."""
    desk = Desk(store)
    desk.fire()
    apply_retention(store, KEPT, desk.now + days(4000))
    assert (count(store, "incidents"), count(store, "alerts")) == (1, 1)


def test_more_than_one_part_is_deleted(sqlite_store: Store) -> None:
    """All of it goes, in transactions that each hold the write lock shortly."""
    with sqlite_store.begin() as tx:
        for number in range(1001):
            record_run(tx, replace(RUN, id=str(number), started_at=NOW - days(31), steps=()))
    assert apply_retention(sqlite_store, KEPT, NOW)["runs"] == 1001
