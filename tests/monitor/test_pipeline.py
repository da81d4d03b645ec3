"""A run, its confirmation, and who hears of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from monitor.clock import FakeClock
from monitor.pipeline import Pipeline
from monitor.probe_metrics import ProbeMetrics
from monitor.storage.engine import migrate, open_engine
from monitor.storage.store import Store
from probes.journey import Journey
from probes.result import Outcome, ProbeRun
from probes.verdict import Verdict
from tests.builders import NOW, journey, run

PASS, FAIL, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED


class Listener:
    """Counts results that arrive."""

    def __init__(self) -> None:
        self.arrived = 0

    def result_arrived(self, journey: str, location: str) -> None:
        self.arrived += 1


class Bench:
    """A pipeline whose runs end as the test says, in order."""

    def __init__(self, path: Path) -> None:
        engine = open_engine(f"sqlite:///{path / 'test.db'}")
        migrate(engine)
        self.store, self.clock, self.listener = Store(engine), FakeClock(NOW), Listener()
        self.outcomes: list[Outcome] = []
        self.attempts: list[int] = []
        self.journey = journey()
        self.metrics = ProbeMetrics()
        self.metrics.keep_only([self.journey], "local", 1)
        self.pipeline = self.another()

    def another(self) -> Pipeline:
        """Return a pipeline on the same database, as after a restart."""
        return Pipeline(
            store=self.store,
            clock=self.clock,
            metrics=self.metrics,
            evaluator=self.listener,
            run_journey=self._run,
            location="local",
        )

    def _run(self, _journey: Journey, attempt: int) -> ProbeRun:
        self.attempts.append(attempt)
        self.clock.advance(1)
        identifier = f"r{len(self.attempts)}"
        outcome = self.outcomes.pop(0)
        return run(outcome, id=identifier, attempt=attempt, started_at=self.clock.now())

    def tick(self, *outcomes: Outcome, lost: Callable[[], bool] = lambda: False) -> Verdict:
        """Run once; give as many outcomes as runs are expected."""
        self.outcomes = list(outcomes)
        self.pipeline.tick(self.journey, lost)
        assert self.outcomes == []
        self.clock.advance(self.journey.interval_seconds)
        return self.pipeline.state("checkout").verdict


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A pipeline on an empty database."""
    return Bench(tmp_path)


def test_a_first_failure_is_run_again_at_once(bench: Bench) -> None:
    """Two failures in a row are believed; the second is attempt 2."""
    bench.tick(PASS)
    assert bench.tick(FAIL, FAIL) is Verdict.DOWN
    assert bench.attempts == [1, 1, 2]


def test_a_blip_leaves_the_verdict_good(bench: Bench) -> None:
    """The confirmation passes: flaky, not down."""
    bench.tick(PASS)
    assert bench.tick(FAIL, PASS) is Verdict.UP


def test_once_down_failures_are_not_confirmed_again(bench: Bench) -> None:
    """There is nothing left to make sure of."""
    bench.tick(FAIL, FAIL)
    bench.tick(FAIL)
    assert bench.attempts == [1, 2, 1]


def test_recovery_takes_as_many_good_runs_as_the_journey_asks(bench: Bench) -> None:
    """Two by default: one good run in a bad time is luck."""
    bench.tick(FAIL, FAIL)
    assert bench.tick(PASS) is Verdict.DOWN
    assert bench.tick(PASS) is Verdict.UP


def test_a_fault_of_the_prober_accuses_nobody(bench: Bench) -> None:
    """The verdict stays what it was."""
    bench.tick(PASS)
    assert bench.tick(ERROR) is Verdict.UP


def test_both_attempts_reach_the_rules_and_the_database(bench: Bench) -> None:
    """The first attempt counts, whatever its confirmation says."""
    bench.tick(FAIL, PASS)
    with bench.store.read() as connection:
        stored = connection.exec_driver_sql("SELECT attempt, outcome FROM runs").all()
    assert [tuple(row) for row in stored] == [(1, "fail"), (2, "pass")]
    assert bench.listener.arrived == 2


def test_a_restart_remembers_the_verdict(bench: Bench) -> None:
    """A journey that was down is still down, and is not confirmed anew."""
    bench.tick(FAIL, FAIL)
    again = bench.another()
    again.restore()
    assert again.state("checkout").verdict is Verdict.DOWN


def test_a_run_that_was_given_up_meanwhile_is_not_recorded(bench: Bench) -> None:
    """Its place was counted as lost already; its late result would count twice."""
    bench.tick(FAIL, lost=lambda: True)
    assert bench.listener.arrived == 0


def test_a_bug_of_ours_is_an_error_of_the_prober(bench: Bench) -> None:
    """An exception inside a run says nothing of the shop, and is counted as what it is."""
    with pytest.raises(IndexError):
        bench.tick()  # a run that ends in an exception
    bench.pipeline.record_crash(bench.journey)
    errors = {
        labels["reason"]: value
        for labels, value in bench.metrics.samples("checkout", "local")
        if labels["__name__"] == "monitor_prober_errors_total"
    }
    assert (errors["internal"], bench.listener.arrived) == (1, 1)


def test_a_failure_to_store_is_not_counted_as_another_run(bench: Bench) -> None:
    """The run itself had ended."""
    bench.tick(PASS)
    bench.pipeline.record_crash(bench.journey)
    assert bench.listener.arrived == 1


def test_a_database_that_cannot_be_written_silences_no_metric(bench: Bench) -> None:
    """A scraper and the rules see the outage all the same."""
    with bench.store.begin() as tx:
        tx.connection.exec_driver_sql("DROP TABLE runs")
    for _ in range(2):
        with pytest.raises(OperationalError):
            bench.tick(FAIL)
    found = {labels["__name__"]: v for labels, v in bench.metrics.samples("checkout", "local")}
    assert (found["probe_up"], bench.listener.arrived) == (0, 2)


def test_a_move_to_another_location_starts_from_what_is_known_there(bench: Bench) -> None:
    """A verdict holds for its own location."""
    bench.tick(FAIL, FAIL)
    bench.pipeline.move_to("moon")
    assert bench.pipeline.state("checkout").verdict is Verdict.UNKNOWN
    bench.pipeline.move_to("local")
    assert bench.pipeline.state("checkout").verdict is Verdict.DOWN
