"""Samples and rules in step: a result is evaluated when it arrives, and only for what is new."""

from __future__ import annotations

from pathlib import Path

from monitor.clock import FakeClock
from monitor.evaluation import EmbeddedRules
from monitor.metrics import ServiceMetrics
from monitor.probe_metrics import ProbeMetrics
from monitor.rules.engine import Engine
from monitor.samples import SampleStore
from probes.result import Outcome
from probes.verdict import Verdict, VerdictState
from tests import builders
from tests.monitor.rules.running import groups_of

DOWN = {"alert": "Down", "expr": "probe_up == 0"}
FAILED = {"alert": "Failed", "expr": 'probe_runs_total{outcome="fail"} > 0'}


def embedded(folder: Path) -> tuple[EmbeddedRules, ProbeMetrics, list[str]]:
    """Return rules over one journey's metrics, and the names of what they tell."""
    told: list[str] = []
    samples, probes, clock = SampleStore(), ProbeMetrics(), FakeClock(builders.NOW)
    engine = Engine(
        groups_of(folder, DOWN, FAILED), samples, send=lambda few: told.extend(a.name for a in few)
    )
    rules = EmbeddedRules(engine, samples, probes, ServiceMetrics(probes), clock)
    probes.keep_only([builders.journey()], "local", 1)
    rules.keep_only([("checkout", "local")])
    rules.scrape()
    rules.evaluate_due()
    return rules, probes, told


def test_verdict_is_evaluated_the_moment_it_arrives_even_after_a_scrape(tmp_path: Path) -> None:
    """A scrape that comes in between takes nothing of the news away."""
    rules, probes, told = embedded(tmp_path)
    rules.result_arrived("checkout", "local")
    probes.judge("checkout", "local", VerdictState(Verdict.DOWN), None, flaky=False)
    rules.scrape()
    rules.result_arrived("checkout", "local")
    assert told == ["Down"]


def test_result_that_changes_a_counter_evaluates_no_rule_about_verdicts(tmp_path: Path) -> None:
    """Only rules that read what has changed cost anything."""
    rules, probes, told = embedded(tmp_path)
    rules.result_arrived("checkout", "local")
    [(_, stats)] = rules.engine.stats()
    before = stats.evaluations
    probes.record(builders.run(Outcome.FAILED))
    rules.result_arrived("checkout", "local")
    assert (stats.evaluations - before, told) == (1, ["Failed"])
