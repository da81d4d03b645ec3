"""How rule evaluation itself is doing, as plain numbers; `monitor.metrics` exports them.

The names of the metrics are Prometheus's own with `monitor_` before them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class RuleHealth:
    """How a rule's last evaluation went; `evaluated_at` is in Unix seconds, None before it."""

    error: str = ""
    evaluated_at: float | None = None
    duration_seconds: float = 0.0

    @property
    def word(self) -> str:
        """`ok`, `err`, or `unknown` before the first evaluation."""
        if self.evaluated_at is None:
            return "unknown"
        return "err" if self.error else "ok"


@dataclass(slots=True)
class GroupStats:
    """Counts of one group since the start of the process."""

    interval_seconds: float = 0.0
    rules: int = 0
    evaluations: int = 0  # of single rules
    failures: int = 0
    iterations: int = 0  # of the whole group, when its slot came
    missed: int = 0  # slots that passed without one
    last_duration_seconds: float = 0.0
    last_evaluated_at: float = 0.0
    last_samples: int = 0


@dataclass(frozen=True, slots=True)
class RuleMetric:
    """A metric about groups: its name (counters without `_total`), help and reading."""

    name: str
    help: str
    is_counter: bool
    read: Callable[[GroupStats], float]


METRICS = (
    RuleMetric("monitor_rule_evaluations", "Rule evaluations.", True, lambda one: one.evaluations),
    RuleMetric(
        "monitor_rule_evaluation_failures",
        "Rule evaluations that failed.",
        True,
        lambda one: one.failures,
    ),
    RuleMetric(
        "monitor_rule_group_iterations",
        "Evaluations of whole groups, whether or not their rules failed.",
        True,
        lambda one: one.iterations,
    ),
    RuleMetric(
        "monitor_rule_group_iterations_missed",
        "Evaluations of whole groups left out because their time had passed.",
        True,
        lambda one: one.missed,
    ),
    RuleMetric(
        "monitor_rule_group_last_duration_seconds",
        "Time the last evaluation of the group took.",
        False,
        lambda one: one.last_duration_seconds,
    ),
    RuleMetric(
        "monitor_rule_group_last_evaluation_timestamp_seconds",
        "When the group was last evaluated.",
        False,
        lambda one: one.last_evaluated_at,
    ),
    RuleMetric(
        "monitor_rule_group_last_evaluation_samples",
        "Samples the last evaluation of the group gave.",
        False,
        lambda one: one.last_samples,
    ),
    RuleMetric(
        "monitor_rule_group_interval_seconds",
        "The interval of the group.",
        False,
        lambda one: one.interval_seconds,
    ),
    RuleMetric("monitor_rule_group_rules", "Rules in the group.", False, lambda one: one.rules),
)
LABEL = "rule_group"


def readings(
    groups: Callable[[], Iterable[tuple[str, GroupStats]]],
) -> Iterator[tuple[RuleMetric, Callable[[], list[tuple[tuple[str, ...], float]]]]]:
    """Yield every metric with the function that reads its (label values, value) pairs."""
    for metric in METRICS:

        def values(metric: RuleMetric = metric) -> list[tuple[tuple[str, ...], float]]:
            return [((key,), float(metric.read(stats))) for key, stats in groups()]

        yield metric, values
