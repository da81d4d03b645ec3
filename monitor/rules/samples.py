"""Where rules read samples and write their own: the protocol, and one in memory.

`RuleOutput` keeps account of what a rule wrote last time, so that series which are gone end at
once with a stale marker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from monitor.promql import STALE, MemorySource, Source
from monitor.rules.model import Labels, labels_of

Row = tuple[Mapping[str, str], float]


class Samples(Source, Protocol):
    """A source of samples that takes new ones, too."""

    def append(self, rows: Sequence[Row], time_ms: int) -> None:
        """Keep one sample of each series given (labels with `__name__`, value), all of one time."""
        ...


class MemorySamples(MemorySource):
    """Holds everything in memory; for rule unit tests."""

    def append(self, rows: Sequence[Row], time_ms: int) -> None:
        """Keep the samples."""
        for labels, value in rows:
            self.add(labels, time_ms, value)


class RuleOutput:
    """The series that a rule wrote at its last evaluation."""

    def __init__(self) -> None:
        self._last: dict[Labels, Mapping[str, str]] = {}

    def write(self, samples: Samples, rows: Sequence[Row], time_ms: int) -> None:
        """Write `rows`, and stale markers for the series of last time that are not among them."""
        current = {labels_of(labels): labels for labels, _ in rows}
        gone = [(labels, STALE) for key, labels in self._last.items() if key not in current]
        if rows or gone:
            samples.append([*rows, *gone], time_ms)
        self._last = current

    def end(self, samples: Samples, time_ms: int) -> None:
        """End every series, because the rule is no more."""
        self.write(samples, [], time_ms)
