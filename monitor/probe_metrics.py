"""What probes found, as Prometheus series: one fixed block of numbers per journey and location.

Answers for the names, labels and buckets of every `probe_*` metric. A block is built with all of
its series at zero when a journey is loaded, so that a first failure shows as an increase, and is
dropped with the journey. The same block feeds the text exposition and, without going through
text, the built-in sample store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from monitor.distribution import Distribution
from probes.journey import Journey
from probes.result import (
    OUR_REASONS,
    PHASES,
    TARGET_REASONS,
    Outcome,
    ProbeRun,
    Reason,
    StepResult,
)
from probes.verdict import Verdict, VerdictState

HTTP_STEP_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13, 20, 30)
HTTP_RUN_BUCKETS = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60)
BROWSER_BUCKETS = (0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180)
RUN_OUTCOMES = (Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED)
FAILURES = tuple(reason for reason in Reason if reason in TARGET_REASONS)
ERRORS = tuple(reason for reason in Reason if reason in OUR_REASONS)


@dataclass
class StepNumbers:
    """What is counted about one step."""

    outcomes: dict[Outcome, int]
    failures: dict[Reason, int]
    duration: Distribution
    phases: dict[str, list[float]]

    @classmethod
    def zero(cls, bounds: tuple[float, ...]) -> StepNumbers:
        """Return a step of which nothing has been seen yet."""
        return cls(
            outcomes=dict.fromkeys(Outcome, 0),
            failures=dict.fromkeys(FAILURES, 0),
            duration=Distribution(bounds),
            phases={phase: [0.0, 0.0] for phase in PHASES},
        )

    def record(self, step: StepResult) -> None:
        """Add one executed or skipped step."""
        self.outcomes[step.outcome] += 1
        if step.outcome is Outcome.SKIPPED:
            return
        self.duration.observe(step.duration_seconds)
        if step.phases is not None:  # of the step's own request, not summed over redirects
            for phase, seconds in step.phases.items():
                self.phases[phase][0] += 1
                self.phases[phase][1] += seconds


class JourneyNumbers:
    """Everything counted about one journey at one location."""

    def __init__(self, journey: Journey, location: str, quorum: int) -> None:
        browser = journey.engine == "browser"
        self.labels = {"journey": journey.name, "location": location}
        self.info = {
            "journey": journey.name,
            "component": journey.component,
            "team": journey.team or "",
            "severity": journey.severity,
            "interval_seconds": f"{journey.interval_seconds:g}",
        }
        self.interval_seconds = journey.interval_seconds
        self.quorum = quorum
        names = [step.name for step in journey.all_steps]
        step_bounds = BROWSER_BUCKETS if browser else HTTP_STEP_BUCKETS
        self.steps = {name: StepNumbers.zero(step_bounds) for name in names}
        self.outcomes = dict.fromkeys(RUN_OUTCOMES, 0)
        self.errors = dict.fromkeys(ERRORS, 0)
        self.duration = Distribution(BROWSER_BUCKETS if browser else HTTP_RUN_BUCKETS)
        self.flaky = 0
        self.slow = 0
        self.cleanup_failures = 0
        self.up: int | None = None
        self.down_because: tuple[str, str] | None = None
        self.last_run: float | None = None
        self.last_success: float | None = None
        self.certificate_expiry: float | None = None

    def record(self, run: ProbeRun) -> None:
        """Add one finished run; a first attempt counts as much as its confirmation."""
        self.outcomes[run.outcome] += 1
        self.duration.observe(run.duration_seconds)
        for step in run.steps:
            if step.name in self.steps:
                self.steps[step.name].record(step)
        self._record_reason(run)
        self.slow += run.degraded
        self.cleanup_failures += run.cleanup_failed
        ended = run.started_at.timestamp() + run.duration_seconds
        self.last_run = ended
        if run.outcome is Outcome.PASSED:
            self.last_success = ended
        if run.certificate_expires_at is not None:
            self.certificate_expiry = run.certificate_expires_at.timestamp()

    def _record_reason(self, run: ProbeRun) -> None:
        if run.reason is None:
            return
        if run.outcome is Outcome.ERRORED:
            self.errors[run.reason] = self.errors.get(run.reason, 0) + 1
        elif run.outcome is Outcome.FAILED and run.failed_step in self.steps:
            failures = self.steps[run.failed_step].failures
            failures[run.reason] = failures.get(run.reason, 0) + 1

    def judge(self, state: VerdictState, run: ProbeRun | None) -> None:
        """Take over the confirmed verdict; unknown leaves `probe_up` absent, never 0."""
        self.up = {Verdict.UP: 1, Verdict.DOWN: 0}.get(state.verdict)
        if self.up != 0:
            self.down_because = None
        elif run is not None and run.outcome is Outcome.FAILED and run.reason is not None:
            self.down_because = (run.failed_step, run.reason.value)

    def series(self) -> Iterator[tuple[str, str, Mapping[str, str], float]]:
        """Yield (family, sample name, labels, value) of every series present now."""
        yield from self._run_series()
        for name, numbers in self.steps.items():
            yield from self._step_series({**self.labels, "step": name}, numbers)

    def _run_series(self) -> Iterator[tuple[str, str, Mapping[str, str], float]]:
        at = self.labels
        for outcome, count in self.outcomes.items():
            yield "probe_runs", "probe_runs_total", {**at, "outcome": outcome.value}, count
        for error, count in self.errors.items():
            labels = {**at, "reason": error.value}
            yield "monitor_prober_errors", "monitor_prober_errors_total", labels, count
        yield from _histogram("probe_run_duration_seconds", at, self.duration)
        yield "probe_flaky_runs", "probe_flaky_runs_total", at, self.flaky
        yield "probe_slow_runs", "probe_slow_runs_total", at, self.slow
        yield "probe_cleanup_failures", "probe_cleanup_failures_total", at, self.cleanup_failures
        yield "probe_info", "probe_info", self.info, 1
        yield "probe_quorum", "probe_quorum", {"journey": at["journey"]}, self.quorum
        for name, value in (
            ("probe_interval_seconds", self.interval_seconds),
            ("probe_up", self.up),
            ("probe_last_run_timestamp_seconds", self.last_run),
            ("probe_last_success_timestamp_seconds", self.last_success),
            ("probe_certificate_expiry_timestamp_seconds", self.certificate_expiry),
        ):
            if value is not None:
                yield name, name, at, value
        if self.down_because is not None:
            step, reason = self.down_because
            yield "probe_down_info", "probe_down_info", {**at, "step": step, "reason": reason}, 1

    def _step_series(
        self, at: Mapping[str, str], numbers: StepNumbers
    ) -> Iterator[tuple[str, str, Mapping[str, str], float]]:
        for outcome, count in numbers.outcomes.items():
            yield (
                "probe_step_runs",
                "probe_step_runs_total",
                {**at, "outcome": outcome.value},
                count,
            )
        for reason, count in numbers.failures.items():
            yield "probe_failures", "probe_failures_total", {**at, "reason": reason.value}, count
        yield from _histogram("probe_step_duration_seconds", at, numbers.duration)
        for phase, (seen, total) in numbers.phases.items():
            labels = {**at, "phase": phase}
            yield "probe_step_phase_seconds", "probe_step_phase_seconds_count", labels, seen
            yield "probe_step_phase_seconds", "probe_step_phase_seconds_sum", labels, total


def _histogram(
    family: str, at: Mapping[str, str], values: Distribution
) -> Iterator[tuple[str, str, Mapping[str, str], float]]:
    pairs = values.cumulative()
    for bound, count in pairs:
        yield family, f"{family}_bucket", {**at, "le": bound}, count
    yield family, f"{family}_count", at, pairs[-1][1]
    yield family, f"{family}_sum", at, values.total


HELP: Mapping[str, tuple[Callable[[str, str], Metric], str]] = {
    "probe_runs": (CounterMetricFamily, "Probe runs finished, by outcome."),
    "probe_failures": (CounterMetricFamily, "Failed runs by first failing step and reason."),
    "probe_step_runs": (CounterMetricFamily, "Steps by outcome, skipped ones included."),
    "probe_run_duration_seconds": (
        HistogramMetricFamily,
        "Wall time of a run, think time apart.",
    ),
    "probe_step_duration_seconds": (HistogramMetricFamily, "Wall time of a step."),
    "probe_step_phase_seconds": (SummaryMetricFamily, "Phases of a step's own request."),
    "probe_up": (GaugeMetricFamily, "Confirmed verdict: 1 up, 0 down; absent while unknown."),
    "probe_flaky_runs": (CounterMetricFamily, "First attempt failed, confirmation passed."),
    "probe_slow_runs": (CounterMetricFamily, "Runs that passed but were slower than allowed."),
    "probe_cleanup_failures": (CounterMetricFamily, "Clean-up steps that did not succeed."),
    "probe_last_run_timestamp_seconds": (GaugeMetricFamily, "End of the last finished run."),
    "probe_last_success_timestamp_seconds": (GaugeMetricFamily, "End of the last passed run."),
    "probe_certificate_expiry_timestamp_seconds": (
        GaugeMetricFamily,
        "Earliest expiry in the presented certificate chain.",
    ),
    "probe_interval_seconds": (GaugeMetricFamily, "Configured time between runs."),
    "probe_info": (GaugeMetricFamily, "Facts about a journey, to join with; always 1."),
    "probe_quorum": (GaugeMetricFamily, "Locations that must agree before a journey is down."),
    "probe_down_info": (GaugeMetricFamily, "Failing step and reason while down; 1."),
    "monitor_prober_errors": (CounterMetricFamily, "Runs that told nothing about the target."),
}


class ProbeMetrics(Collector):
    """All blocks of all journeys; collected by prometheus_client, read by the sample store."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks: dict[tuple[str, str], JourneyNumbers] = {}

    def keep_only(self, journeys: Iterable[Journey], location: str, quorum: int) -> None:
        """Have a block, at zero if new, for each of `journeys` and for no other.

        A journey whose steps changed starts again from zero, which readers see as a counter reset.
        """
        with self._lock:
            fresh: dict[tuple[str, str], JourneyNumbers] = {}
            for journey in journeys:
                made = JourneyNumbers(journey, location, quorum)
                old = self._blocks.get((journey.name, location))
                if old is not None and old.steps.keys() == made.steps.keys():
                    old.info, old.quorum = made.info, made.quorum
                    old.interval_seconds = made.interval_seconds
                    made = old
                fresh[(journey.name, location)] = made
            self._blocks = fresh

    def record(self, run: ProbeRun) -> None:
        """Count a finished run; one of a journey no longer configured is not counted."""
        with self._lock:
            block = self._blocks.get((run.journey, run.location))
            if block is not None:
                block.record(run)

    def judge(
        self, journey: str, location: str, state: VerdictState, run: ProbeRun | None, *, flaky: bool
    ) -> None:
        """Publish the verdict that follows from the runs recorded so far."""
        with self._lock:
            block = self._blocks.get((journey, location))
            if block is not None:
                block.judge(state, run)
                block.flaky += flaky

    def restore(self, journey: str, location: str, last_run: datetime | None) -> None:
        """Publish when a journey last ran before this process started."""
        with self._lock:
            block = self._blocks.get((journey, location))
            if block is not None and block.last_run is None and last_run is not None:
                block.last_run = last_run.timestamp()

    def samples(self, journey: str, location: str) -> list[tuple[dict[str, str], float]]:
        """Return (labels with `__name__`, value) of one journey's series as they stand now."""
        with self._lock:
            block = self._blocks.get((journey, location))
            if block is None:
                return []
            return [
                ({"__name__": name, **{key: text for key, text in at.items() if text}}, value)
                for _, name, at, value in block.series()
            ]

    def collect(self) -> Iterator[Metric]:
        """Yield metric families for text exposition."""
        families = {name: kind(name, text) for name, (kind, text) in HELP.items()}
        seen: set[tuple[str, str]] = set()
        with self._lock:
            for block in self._blocks.values():
                for family, name, labels, value in block.series():
                    if family == "probe_quorum":
                        if (family, labels["journey"]) in seen:
                            continue
                        seen.add((family, labels["journey"]))
                    families[family].add_sample(name, dict(labels), value)
        yield from families.values()
