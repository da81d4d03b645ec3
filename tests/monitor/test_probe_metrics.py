"""What probes found, as Prometheus series."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitor.probe_metrics import ProbeMetrics
from probes.result import Outcome
from probes.verdict import Verdict, VerdictState
from tests.builders import NOW, journey, run

HERE = {"journey": "checkout", "location": "local"}


def metrics() -> ProbeMetrics:
    """Return the metrics of one journey of which nothing is known yet."""
    made = ProbeMetrics()
    made.keep_only([journey()], "local", 1)
    return made


def value(of: ProbeMetrics, name: str, **labels: str) -> float | None:
    """Return a series' value as a scraper reads it, or None where there is no such series."""
    registry = CollectorRegistry()
    registry.register(of)
    text = generate_latest(registry).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and sample.labels.items() >= {**HERE, **labels}.items():
                return float(sample.value)
    return None


def test_counters_are_there_at_zero_before_the_first_run() -> None:
    """A first failure shows as an increase only where there was a zero before it."""
    made = metrics()
    assert value(made, "probe_runs_total", outcome="fail") == 0
    assert value(made, "probe_failures_total", step="open", reason="tls") == 0
    assert value(made, "probe_step_duration_seconds_count", step="open") == 0


def test_the_verdict_is_absent_while_unknown() -> None:
    """No data is never 0, and never 1."""
    made = metrics()
    assert value(made, "probe_up") is None
    made.judge("checkout", "local", VerdictState(Verdict.UP, NOW), None, flaky=False)
    assert value(made, "probe_up") == 1


def test_a_failure_counts_at_its_step_and_reason_only() -> None:
    """Exactly that step's series moves."""
    made = metrics()
    made.record(run(Outcome.FAILED))
    assert value(made, "probe_failures_total", step="open", reason="status") == 1
    assert value(made, "probe_failures_total", step="open", reason="dns") == 0


def test_an_error_of_the_prober_is_no_failure_of_the_shop() -> None:
    """It counts among the prober's own errors."""
    made = metrics()
    made.record(run(Outcome.ERRORED))
    assert value(made, "monitor_prober_errors_total", reason="internal") == 1
    assert value(made, "probe_runs_total", outcome="fail") == 0


def test_while_down_a_series_names_step_and_reason() -> None:
    """It is there for as long as the journey is down."""
    made, failed = metrics(), run(Outcome.FAILED)
    made.judge("checkout", "local", VerdictState(Verdict.DOWN, NOW), failed, flaky=False)
    assert value(made, "probe_down_info", step="open", reason="status") == 1
    made.judge("checkout", "local", VerdictState(Verdict.UP, NOW), run(), flaky=False)
    assert value(made, "probe_down_info") is None


def test_a_removed_journey_takes_its_series_along() -> None:
    """A series that merely stopped would live on for five minutes."""
    made = metrics()
    made.keep_only([], "local", 1)
    assert value(made, "probe_runs_total", outcome="pass") is None


def test_a_reload_that_leaves_the_steps_alone_keeps_the_counts() -> None:
    """Counters do not start again because a title was changed."""
    made = metrics()
    made.record(run())
    made.keep_only([journey(title="Paying")], "local", 1)
    assert value(made, "probe_runs_total", outcome="pass") == 1


def test_samples_and_text_say_the_same() -> None:
    """Rules evaluated here and by a Prometheus see the same series."""
    made = metrics()
    made.record(run())
    registry = CollectorRegistry()
    registry.register(made)
    read = {
        (sample.name, frozenset((k, v) for k, v in sample.labels.items() if v)): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }
    fed = {
        (labels.pop("__name__"), frozenset(labels.items())): value
        for labels, value in made.samples("checkout", "local")
    }
    assert fed == read
