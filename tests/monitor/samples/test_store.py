"""The sample store as a source and as a log."""

from __future__ import annotations

from monitor.promql import Vector, evaluate_instant, parse
from monitor.samples import SampleStore


def value_of(store: SampleStore, query: str, at: float) -> list[float]:
    """Return the values of an instant query."""
    found = evaluate_instant(parse(query), store, at)
    assert isinstance(found, Vector)
    return [sample.value for sample in found]


def test_a_written_sample_is_found_by_its_labels() -> None:
    """What a writer ingests, a selector finds."""
    store = SampleStore()
    store.writer("probe").ingest(10.0, [({"__name__": "probe_success", "probe": "login"}, 1.0)])
    assert value_of(store, 'probe_success{probe="login"}', 12.0) == [1.0]
