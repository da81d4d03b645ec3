"""Where rules read samples and write their own: the sample store, a writer in it for every rule.

What a rule wrote last time and does not write now has ended and gets a stale marker; the sample
store sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.promql import Frame, LabelBlock, Matcher, Vector
    from monitor.samples import SampleStore

Row = tuple[Mapping[str, str], float]


class RuleOutput:
    """The series that one rule writes."""

    def __init__(self, store: SampleStore, name: str) -> None:
        self._writer = store.writer(name)

    def write(self, at: float, rows: Sequence[Row]) -> None:
        """Keep one sample of each series (labels with `__name__`, value) and end all others.

        Raises:
            SeriesLimitError: there are more series than the store may hold; the rest was kept.
        """
        if rows or self._writer.table.live.any():
            self._writer.ingest(at, rows)

    def write_vector(self, at: float, block: LabelBlock, vector: Vector) -> None:
        """Do the same with a vector's values, its series called as in `block`.

        Labels seen before are not looked at again.

        Raises:
            SeriesLimitError: there are more series than the store may hold; the rest was kept.
        """
        if len(vector) or self._writer.table.live.any():
            self._writer.ingest_block(at, block, vector.indices, vector.values)


class RuleSamples:
    """The sample store as rules use it; a `Source` for the evaluator."""

    def __init__(self, store: SampleStore) -> None:
        self._store = store
        self._outputs: dict[str, RuleOutput] = {}

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Frame:
        """Return the series that satisfy every matcher; see `Source.select`."""
        return self._store.select(matchers, start_ms, end_ms)

    def output(self, rule_key: str) -> RuleOutput:
        """Return the output of a rule."""
        if rule_key not in self._outputs:
            self._outputs[rule_key] = RuleOutput(self._store, f"rule {rule_key}")
        return self._outputs[rule_key]

    def drop(self, rule_key: str, at: float) -> None:
        """End the series of a rule that is no more."""
        self._outputs.pop(rule_key, None)
        self._store.remove_writer(f"rule {rule_key}", at)
