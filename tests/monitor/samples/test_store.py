"""The sample store as a source: what writers put in, the evaluator finds."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.promql import STALE, MemorySource, Vector, evaluate_instant, parse
from monitor.samples import SampleStore, SeriesLimitError

PROBE = {"__name__": "probe_success", "probe": "login"}


def found(store: object, query: str, at: float) -> dict[str, float]:
    """Return the result of an instant query by its labels' text."""
    result = evaluate_instant(parse(query), store, at)  # type: ignore[arg-type]
    assert isinstance(result, Vector)
    return {str(sorted(sample.labels.items())): sample.value for sample in result}


def values(store: object, query: str, at: float) -> list[float]:
    """Return the values of an instant query, sorted."""
    return sorted(found(store, query, at).values())


def test_a_written_sample_is_found_by_its_labels() -> None:
    """What a writer ingests, a selector finds."""
    store = SampleStore()
    store.writer("login").ingest(10.0, [(PROBE, 1.0)])
    assert values(store, 'probe_success{probe="login"}', 12.0) == [1.0]


def test_a_registered_block_is_written_as_one_row() -> None:
    """Values come in the order in which the series were registered."""
    store = SampleStore()
    writer = store.writer("own")
    writer.register([{"__name__": "b"}, {"__name__": "a"}, {"__name__": "b", "x": "1"}])
    writer.append(10.0, [1.0, 2.0, 3.0])
    assert (values(store, "a", 10), values(store, 'b{x=""}', 10)) == ([2.0], [1.0])


def test_a_series_that_vanishes_is_gone_at_once() -> None:
    """Ingesting without a series marks its end, not five minutes later."""
    store = SampleStore()
    writer = store.writer("target")
    writer.ingest(10.0, [(PROBE, 1.0), ({"__name__": "up"}, 1.0)])
    writer.ingest(20.0, [({"__name__": "up"}, 1.0)])
    assert (values(store, "probe_success", 19), values(store, "probe_success", 20)) == ([1.0], [])
    assert store.stats().stale_markers == 1


def test_an_ended_writer_leaves_nothing_current() -> None:
    """A target that is removed or fails ends all its series."""
    store = SampleStore()
    store.writer("target").ingest(10.0, [(PROBE, 1.0)])
    store.remove_writer("target", 11.0)
    assert values(store, "probe_success", 12) == []


@pytest.mark.parametrize(("at", "seen"), [(309.999, [1.0]), (310.0, [])])
def test_an_unmarked_sample_stays_current_for_the_lookback(at: float, seen: list[float]) -> None:
    """The lookback is left-open: exactly five minutes later it is gone."""
    store = SampleStore()
    store.writer("login").ingest(10.0, [(PROBE, 1.0)])
    assert values(store, "probe_success", at) == seen


def test_a_row_that_is_not_after_the_last_is_dropped_and_counted() -> None:
    """Time only goes forward within a writer."""
    store = SampleStore()
    writer = store.writer("login")
    assert writer.ingest(10.0, [(PROBE, 1.0)])
    assert not writer.ingest(10.0, [(PROBE, 0.0)])
    assert (store.stats().out_of_order, values(store, "probe_success", 10)) == (1, [1.0])


def test_new_series_beyond_the_limit_are_refused_loudly() -> None:
    """The series that fit are written; the error says how many did not."""
    store = SampleStore(series_limit=2)
    rows = [({"__name__": "m", "id": str(k)}, 1.0) for k in range(5)]
    with pytest.raises(SeriesLimitError, match="3 new series refused, 2 may be held"):
        store.writer("hostile").ingest(10.0, rows)
    assert (values(store, "count(m)", 10), store.stats().series_refused) == ([2.0], 3)


def test_a_block_that_does_not_fit_is_refused_whole() -> None:
    """Half a registered block would be of no use."""
    store = SampleStore(series_limit=1)
    with pytest.raises(SeriesLimitError):
        store.writer("own").register([{"__name__": "a"}, {"__name__": "b"}])
    assert store.stats().series == 0


def test_a_series_of_two_writers_is_one_series() -> None:
    """After a reload another group may write the same series: its samples are joined."""
    store = SampleStore()
    store.writer("old").ingest(10.0, [(PROBE, 1.0)])
    store.writer("new").ingest(20.0, [(PROBE, 3.0)])
    assert values(store, "sum_over_time(probe_success[1m])", 30) == [4.0]


def test_packed_samples_answer_like_hot_ones() -> None:
    """Ranges reach back into compressed rows without a difference."""
    hot, cold = SampleStore(hot_seconds=3 * 3600), SampleStore(hot_seconds=60)
    for store in (hot, cold):
        writer = store.writer("w")
        for step in range(500):
            rows = [({"__name__": "m", "i": str(i)}, step * i % 97) for i in range(step % 7)]
            writer.ingest(step * 10.0 + 1, rows)
        store.maintain(5000.0)
    assert (hot.stats().chunks, cold.stats().chunks > 2) == (0, True)
    for query in ("changes(m[80m])", "sum_over_time(m[1h] offset 10m)", "m offset 40m"):
        assert found(hot, query, 5000) == found(cold, query, 5000)


def test_packed_samples_take_little_room() -> None:
    """A counter and a gauge as they usually are cost a few bytes a sample."""
    store = SampleStore(hot_seconds=60)
    writer, chance = store.writer("w"), np.random.default_rng(1)
    writer.register([{"__name__": "m", "i": str(i)} for i in range(64)])
    row = np.zeros(64)
    for step in range(1300):
        row = row + chance.integers(0, 3, 64)
        writer.append(step * 15.0, row)
    store.maintain(1300 * 15.0)
    stats = store.stats()
    assert stats.cold_bytes / (stats.chunks * 120 * 64) < 3


def test_expired_rows_and_series_are_forgotten() -> None:
    """Retention frees samples, and series without any; selectors notice."""
    store = SampleStore(retention_seconds=3600, hot_seconds=600)
    store.writer("gone").ingest(0.0, [(PROBE, 1.0)])
    writer = store.writer("here")
    for step in range(1000):
        writer.ingest(step * 15.0, [({"__name__": "up"}, 1.0)])
    assert values(store, "probe_success", 10) == [1.0]
    store.maintain(15_000.0)
    stats = store.stats()
    assert (stats.series, values(store, "probe_success", 10)) == (1, [])
    assert stats.oldest_seconds is not None
    assert stats.oldest_seconds > 15_000 - 3600 - 120 * 15


def test_series_that_return_after_expiry_are_written_again() -> None:
    """What was remembered of a series does not outlive it."""
    store = SampleStore(retention_seconds=100)
    writer = store.writer("w")
    writer.ingest(0.0, [(PROBE, 1.0), ({"__name__": "up"}, 1.0)])
    writer.ingest(1000.0, [({"__name__": "up"}, 1.0)])
    store.maintain(1000.0)
    writer.ingest(1010.0, [(PROBE, 5.0), ({"__name__": "up"}, 1.0)])
    assert values(store, "probe_success", 1010) == [5.0]


def test_a_vector_is_written_back_by_its_block() -> None:
    """A recording rule's result needs its labels looked up only once."""
    store = SampleStore()
    source = MemorySource()
    source.add({"__name__": "m", "i": "1"}, 0, 2.0)
    source.add({"__name__": "m", "i": "2"}, 0, 3.0)
    result = evaluate_instant(parse("m * 10"), source, 0)
    assert isinstance(result, Vector)
    for at in (10.0, 20.0):
        store.writer("rules").ingest_block(at, result.block, result.indices, result.values)
    assert values(store, '{i=~".+"}', 20) == [20.0, 30.0]


def test_a_selection_keeps_its_block_until_its_series_change() -> None:
    """Everything that is cached hangs on the block, and other metrics must not disturb it."""
    store = SampleStore()
    writer, matchers = store.writer("w"), parse("up").matchers  # type: ignore[attr-defined]
    writer.ingest(1.0, [({"__name__": "up"}, 1.0)])
    first = store.select(matchers, 0, 1000).block
    store.writer("x").ingest(2.0, [(PROBE, 1.0)])
    assert store.select(matchers, 0, 1000).block is first
    store.writer("y").ingest(3.0, [({"__name__": "up", "job": "b"}, 1.0)])
    assert store.select(matchers, 0, 1000).block.size == 2


def test_readers_are_not_disturbed_by_a_writer() -> None:
    """While one thread writes, new series included, every query gives a whole answer."""
    store, writing = SampleStore(hot_seconds=5), threading.Event()
    writer = store.writer("w")
    writer.ingest(0.0, [({"__name__": "m", "i": "0"}, 0.0)])

    def write() -> None:
        for step in range(1, 600):
            rows = [({"__name__": "m", "i": str(i)}, float(step)) for i in range(1 + step // 20)]
            writer.ingest(step / 10, rows)
            if step % 50 == 0:
                store.maintain(step / 10)
        writing.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not writing.is_set():
        assert values(store, "count(m) > 0", 60) != []
        assert len(values(store, "changes(m[1m])", 60)) > 0
    thread.join()
    assert values(store, "count(m)", 60) == [30.0]


rows_of_samples = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.one_of(st.floats(), st.just(STALE)), max_size=4),
    max_size=40,
)


@given(rows_of_samples, st.integers(1, 60), st.integers(1, 400))
def test_whatever_is_ingested_is_found(rows: list[dict[str, float]], hot: int, window: int) -> None:
    """The store agrees with a plain list of samples, stale markers included."""
    store, plain = SampleStore(hot_seconds=hot), MemorySource()
    writer, live = store.writer("w"), set[str]()
    for step, row in enumerate(rows, start=1):
        writer.ingest(step * 7.0, [({"__name__": n}, v) for n, v in row.items()])
        for name in row.keys() | live:
            plain.add({"__name__": name}, step * 7000, row.get(name, STALE))
        live = set(row)
        store.maintain(step * 7.0)
    for query in ('{__name__=~".+"}', f'last_over_time({{__name__=~".+"}}[{window}s])'):
        mine, theirs = found(store, query, 280), found(plain, query, 280)
        assert mine.keys() == theirs.keys()
        assert np.array_equal(list(mine.values()), [theirs[k] for k in mine], equal_nan=True)
