"""What the Prometheus API asks: the samples and rules kept in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from monitor.promql import Options
from monitor.rules.engine import Engine
from monitor.samples import SampleStore

MAXIMUM_SECONDS = 20.0
MAXIMUM_SAMPLES = 20_000_000  # cells held at once: 160 MB
AT_ONCE = 2  # queries evaluated at the same time; more wait, so that probes keep their processor


@dataclass(frozen=True)
class Queries:
    """The embedded evaluator, as the HTTP API uses it.

    `metadata` gives (name, type, help) of this process's own metrics.
    """

    samples: SampleStore
    engine: Engine
    metadata: Callable[[], Iterable[tuple[str, str, str]]]
    turn: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE))

    def options(self, timeout_seconds: float | None = None) -> Options:
        """Return the bounds of a query that asks for at most so much time itself."""
        timeout = min(timeout_seconds or MAXIMUM_SECONDS, MAXIMUM_SECONDS)
        return Options(timeout_seconds=timeout, max_samples=MAXIMUM_SAMPLES)
