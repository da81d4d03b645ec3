"""Values counted in buckets: a classic histogram that belongs to whoever fills it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field


@dataclass
class Distribution:
    """A classic histogram: counts up to each bound (not cumulative), and the sum of all values."""

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count `value` in the first bucket whose bound it does not exceed."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """Return (bound, count of values up to it) pairs, ending with +Inf."""
        seen, pairs = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            pairs.append(("+Inf" if bound == float("inf") else str(float(bound)), float(seen)))
        return pairs
