"""A source that holds everything in memory: for rule unit tests and the language's test scripts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from monitor.promql.ast import Matcher
from monitor.promql.labels import LabelBlock
from monitor.promql.matchers import compile_matcher
from monitor.promql.source import Frame, Part, Times

LabelKey = tuple[tuple[str, str], ...]


class MemorySource:
    """Series put in one by one, selected as columns; series with the same times share a part."""

    def __init__(self) -> None:
        self.series: dict[LabelKey, dict[int, float]] = {}
        self._frames: dict[tuple[Matcher, ...], Frame] = {}

    def add(self, labels: Mapping[str, str], time_ms: int, value: float) -> None:
        """Hold one sample; a later one of the same series and time replaces it."""
        key = tuple(sorted((name, text) for name, text in labels.items() if text))
        self.series.setdefault(key, {})[time_ms] = value
        self._frames.clear()

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Frame:
        """Return the matching series; see `Source.select`."""
        del start_ms, end_ms  # everything is held, so everything is handed out
        wanted = tuple(matchers)
        if wanted not in self._frames:
            self._frames[wanted] = self._build(wanted)
        return self._frames[wanted]

    def _build(self, matchers: tuple[Matcher, ...]) -> Frame:
        tests = [(m.name, compile_matcher(m)) for m in matchers]
        by_times: dict[tuple[int, ...], list[LabelKey]] = defaultdict(list)
        for key, samples in self.series.items():
            labels = dict(key)
            if all(test(labels.get(name, "")) for name, test in tests):
                by_times[tuple(sorted(samples))].append(key)
        block = LabelBlock.of(dict(key) for keys in by_times.values() for key in keys)
        parts = [self._part(np.array(times, np.int64), keys) for times, keys in by_times.items()]
        return Frame(block, tuple(parts))

    def _part(self, times: Times, keys: Sequence[LabelKey]) -> Part:
        columns = [[self.series[key][t] for t in times.tolist()] for key in keys]
        values = np.ascontiguousarray(np.array(columns, np.float64).T)
        return Part(times, values, slice(None), np.ones(times.size, np.bool_))
