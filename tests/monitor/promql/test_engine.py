"""The evaluator's public surface."""

from __future__ import annotations

from monitor.promql import MemorySource, Vector, evaluate_instant, parse, parse_series_values


def source_of(**series: str) -> MemorySource:
    """Return a source with one sample a minute for every metric."""
    source = MemorySource()
    for name, values in series.items():
        for minute, value in enumerate(parse_series_values(values)):
            if value is not None:
                source.add({"__name__": name}, minute * 60_000, value)
    return source


def test_an_instant_query_gives_labels_time_and_value() -> None:
    """Iterating a vector gives each present series once."""
    found = evaluate_instant(parse("up == 1"), source_of(up="1", down="0"), 30.0)
    assert isinstance(found, Vector)
    assert [tuple(sample) for sample in found] == [({"__name__": "up"}, 30.0, 1.0)]
