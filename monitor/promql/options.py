"""How an evaluation is bounded and read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of an evaluation; the defaults are Prometheus's, where it has them.

    `lookback_seconds` is how long an unmarked sample stays current; `subquery_step_seconds` the
    step of `[1h:]`, the global evaluation interval. `max_samples` bounds the cells held at once,
    `max_steps` the points of a range query or subquery, `timeout_seconds` the wall time; None is
    unbounded. `delayed_name_removal` keeps metric names until the end, as Prometheus's own test
    scripts expect; production does not.
    """

    lookback_seconds: float = 300.0
    subquery_step_seconds: float = 60.0
    max_samples: int = 50_000_000
    max_steps: int = 11_000
    timeout_seconds: float | None = None
    delayed_name_removal: bool = False


DEFAULT_OPTIONS = Options()
