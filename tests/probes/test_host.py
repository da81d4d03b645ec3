"""Tests of reading the machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from probes.host import HostReader


def test_a_reading_is_of_this_machine(tmp_path: Path) -> None:
    """Ratios are ratios and sizes are sizes."""
    facts = HostReader(tmp_path).read()
    for ratio in (facts.cpu_ratio, facts.memory_ratio, facts.disk_ratio, facts.swap_ratio):
        assert 0 <= ratio <= 1
    assert facts.process_memory_bytes > 1_000_000
    assert facts.process_open_files > 0
    assert facts.disk_free_bytes > 0


def test_work_shows_as_processor_time(tmp_path: Path) -> None:
    """The share is of the time since the reading before."""
    reader = HostReader(tmp_path)
    sum(n * n for n in range(400_000))
    assert reader.read().process_cpu_ratio > 0


@pytest.mark.parametrize(
    ("changes", "short_of"),
    [
        ({"cpu_ratio": 0.9, "load_per_cpu": 4.0}, ("cpu",)),
        ({"cpu_ratio": 1.0, "load_per_cpu": 3.9}, ()),
        ({"memory_ratio": 0.95}, ("memory",)),
        ({"memory_ratio": 0.94}, ()),
        ({"process_open_files_ratio": 0.9}, ("files",)),
    ],
)
def test_saturation_is_named(
    tmp_path: Path, changes: dict[str, float], short_of: tuple[str, ...]
) -> None:
    """At the limit it counts, one step below it does not."""
    calm = replace(
        HostReader(tmp_path).read(),
        cpu_ratio=0.1,
        load_per_cpu=0.1,
        memory_ratio=0.1,
        process_open_files_ratio=0.1,
    )
    assert replace(calm, **changes).saturated == short_of  # type: ignore[arg-type] # by table
