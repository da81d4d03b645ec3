"""Runs, verdicts and facts come back as they went in, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from incidents.errors import UnknownObjectError
from monitor.storage import runs
from monitor.storage.facts import read_fact, take_lease, write_fact
from monitor.storage.store import Store
from probes.result import Evidence, Outcome, ProbeRun, Reason, StepResult
from probes.verdict import Verdict, VerdictState

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EVIDENCE = Evidence("GET /", (("a", "b"),), 500, (), "oops", "http://shop.test/", "status 200")
RUN = ProbeRun(
    id="r1",
    journey="checkout",
    location="eu",
    attempt=1,
    started_at=NOW,
    duration_seconds=0.25,
    outcome=Outcome.FAILED,
    reason=Reason.STATUS,
    failed_step="pay",
    detail="got 500",
    steps=(StepResult("pay", Outcome.FAILED, Reason.STATUS, evidence=EVIDENCE),),
)


def record(store: Store, *finished: ProbeRun) -> None:
    with store.begin() as tx:
        for run in finished:
            runs.record_run(tx, run)


def passed(id_: str, minutes: float, location: str = "eu") -> ProbeRun:
    at = NOW + timedelta(minutes=minutes)
    run = replace(RUN, id=id_, started_at=at, location=location, outcome=Outcome.PASSED)
    return replace(run, reason=None, failed_step="", steps=())


def test_a_run_comes_back_whole(store: Store) -> None:
    """Steps and evidence included."""
    record(store, RUN)
    with store.read() as connection:
        assert runs.load_run(connection, "r1") == RUN


def test_a_run_that_is_not_there_is_named(store: Store) -> None:
    """It may be older than runs are kept."""
    with store.read() as connection, pytest.raises(UnknownObjectError, match="run r9"):
        runs.load_run(connection, "r9")


def test_whatever_a_shop_answers_can_be_kept(store: Store) -> None:
    """PostgreSQL refuses NUL in a text; the run is stored all the same."""
    evidence = replace(EVIDENCE, body_excerpt="a\0b\ud800")
    step = StepResult("pay", Outcome.FAILED, Reason.STATUS, detail="\0", evidence=evidence)
    record(store, replace(RUN, detail="x\0", steps=(step,)))
    with store.read() as connection:
        kept = runs.load_run(connection, "r1").steps[0].evidence
    assert kept is not None
    assert kept.body_excerpt == "a\ufffdb\ufffd"


def test_the_last_good_run_before_a_bad_one_is_found(store: Store) -> None:
    """At the same location, and before it."""
    record(store, passed("a", -5), passed("b", -1), passed("c", -1, "za"), RUN, passed("d", 1))
    with store.read() as connection:
        good = runs.last_good_run(connection, "checkout", "eu", NOW)
        none = runs.last_good_run(connection, "login", "eu", NOW)
    assert good is not None
    assert (good.id, none) == ("b", None)


def test_a_verdict_survives_a_restart(store: Store) -> None:
    """All of its state, the last one recorded."""
    old = VerdictState(Verdict.UP, NOW, good_runs=3, last_run_at=NOW)
    new = VerdictState(Verdict.DOWN, NOW, bad_runs=2, recovering=True, last_run_at=NOW)
    with store.begin() as tx:
        runs.save_verdict(tx, "checkout", "eu", old)
        runs.save_verdict(tx, "checkout", "eu", new)
        runs.save_verdict(tx, "checkout", "za", old)
        runs.save_verdict(tx, "never-run", "eu", VerdictState())
    with store.read() as connection:
        assert runs.load_verdicts(connection, "eu") == {"checkout": new}


def test_a_fact_is_replaced_by_the_next(store: Store) -> None:
    """A name has one value; one that was never written has none."""
    with store.begin() as tx:
        write_fact(tx, "seen", {"at": 1}, NOW)
        write_fact(tx, "seen", {"at": 2}, NOW)
    with store.read() as connection:
        assert (read_fact(connection, "seen"), read_fact(connection, "other")) == ({"at": 2}, None)


@pytest.mark.parametrize(
    ("holder", "seconds", "taken"), [("a", 1, True), ("b", 59, False), ("b", 60, True)]
)
def test_a_duty_has_one_holder_until_its_lease_ends(
    store: Store, holder: str, seconds: float, taken: bool
) -> None:
    """Its holder prolongs it; others wait for its last instant."""
    minute = timedelta(minutes=1)
    with store.begin() as tx:
        assert take_lease(tx, "sweep", "a", NOW, minute)
        later = NOW + timedelta(seconds=seconds)
        assert take_lease(tx, "sweep", holder, later, minute) is taken
