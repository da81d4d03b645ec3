"""The log: what was synced survives, however the process ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.promql import evaluate_instant, parse
from monitor.promql.result import Vector
from monitor.samples import SampleStore

UP = {"__name__": "up"}
CHILD = """
import sys, pathlib
from monitor.samples import SampleStore
store = SampleStore(folder=pathlib.Path(sys.argv[1]), hot_seconds=60)
writer, step = store.writer("w"), 0
while True:
    step += 1
    changing = {"__name__": f"m{step % 50}"}
    writer.ingest(float(step), [({"__name__": "up"}, float(step)), (changing, 1.0)])
    if step % 500 == 0:
        store.maintain(float(step))
        store.sync()
        print(step, flush=True)
"""


def opened(folder: Path, **settings_: float) -> SampleStore:
    """Return a store that syncs only when it is told to."""
    return SampleStore(folder=folder, sync_interval_seconds=None, **settings_)  # type: ignore[arg-type]


def values(store: SampleStore, query: str, at: float) -> list[float]:
    """Return the values of an instant query."""
    result = evaluate_instant(parse(query), store, at)
    assert isinstance(result, Vector)
    return [sample.value for sample in result]


def fill(store: SampleStore, first: int, last: int) -> None:
    """Write one row a second, with a series that comes and goes."""
    for step in range(first, last):
        rows = [(UP, float(step))] + [({"__name__": "odd"}, 1.0)] * (step % 2)
        store.writer("w").ingest(float(step), rows)


def test_a_closed_store_opens_as_it_was(tmp_path: Path) -> None:
    """Samples, series, stale markers and writers come back."""
    store = opened(tmp_path)
    fill(store, 1, 100)
    before = values(store, "changes(up[99s])", 99), values(store, "odd", 98)
    store.close()
    again = opened(tmp_path)
    assert (values(again, "changes(up[99s])", 99), values(again, "odd", 98)) == before
    assert again.stats().recovered_rows == 99


def test_a_series_that_vanished_while_the_store_was_closed_is_marked(tmp_path: Path) -> None:
    """The first scrape after a restart knows what the last one before it had."""
    store = opened(tmp_path)
    store.writer("w").ingest(1.0, [(UP, 1.0), ({"__name__": "gone"}, 1.0)])
    store.close()
    again = opened(tmp_path)
    again.writer("w").ingest(2.0, [(UP, 1.0)])
    assert values(again, "gone", 2.0) == []


def test_writing_goes_on_after_each_restart(tmp_path: Path) -> None:
    """Rows from before and after several restarts form one series."""
    for turn in range(4):
        store = opened(tmp_path, hot_seconds=50)
        fill(store, turn * 200 + 1, turn * 200 + 201)
        store.maintain(turn * 200 + 201.0)
        store.close()
    again = opened(tmp_path, hot_seconds=50)
    assert values(again, "count_over_time(up[20m])", 801) == [800.0]
    assert again.stats().chunks > 0


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_log_cut_anywhere_gives_back_all_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A kill at any instant costs what was not yet synced, and never the rest."""
    folder = tmp_path_factory.mktemp("store")
    store, sizes = opened(folder), []
    segment = folder / "rows" / f"{1:010d}.segment"
    for step in range(1, 13):
        fill(store, step, step + 1)
        store.sync()
        sizes.append(segment.stat().st_size)
    store.close()
    cut = data.draw(st.integers(0, sizes[-1]))
    os.truncate(segment, cut)
    whole = sum(size <= cut for size in sizes)
    again = opened(folder)
    assert values(again, "count_over_time(up[1m])", 13) == ([float(whole)] if whole else [])
    fill(again, 20, 21)
    assert values(again, "up", 20) == [20.0]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_log_is_never_fatal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A flipped byte costs its segment's rest, is counted, and the store opens."""
    folder = tmp_path_factory.mktemp("store")
    for turn in range(2):
        store = opened(folder, hot_seconds=20)
        fill(store, turn * 200 + 1, turn * 200 + 200)
        store.maintain(turn * 200.0 + 200)
        store.close()
    path = data.draw(
        st.sampled_from(sorted(p for p in folder.rglob("*.segment") if p.stat().st_size))
    )
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    again = opened(folder, hot_seconds=20)
    assert again.stats().log_damaged_segments == 1
    fill(again, 500, 502)
    assert values(again, "up", 501) == [501.0]


def test_expired_and_packed_rows_leave_the_disk(tmp_path: Path) -> None:
    """Segments are deleted once nothing in them is needed."""
    store = opened(tmp_path, hot_seconds=100, retention_seconds=1000)
    for turn in range(6):
        fill(store, turn * 1000 + 1, turn * 1000 + 1000)
        store.maintain(turn * 1000 + 1000.0)
        store.close()
        store = opened(tmp_path, hot_seconds=100, retention_seconds=1000)
    store.maintain(6000.0)
    assert len(list(tmp_path.rglob("*.segment"))) <= 6
    assert values(store, "count_over_time(up[10m])", 5999) == [600.0]


def test_a_full_disk_is_counted_and_does_not_stop_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules go on being evaluated from memory."""
    store = opened(tmp_path)

    def refuse(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("monitor.samples.log.os.fsync", refuse)
    fill(store, 1, 5)
    store.sync()
    assert (store.stats().log_errors, values(store, "up", 4)) == (1, [4.0])


@pytest.mark.slow
def test_a_killed_process_loses_at_most_what_it_had_not_synced(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: everything reported as synced is there."""
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        synced = [int(child.stdout.readline()) for _ in range(6)][-1]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        store = opened(tmp_path, hot_seconds=60)
        assert values(store, "max_over_time(up[1h])", synced + 1.0)[0] >= synced
        store.close()
