"""Tests of reading the machine."""

from __future__ import annotations

from pathlib import Path

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
