"""How the machine under the prober is doing: a starved prober invents outages of the shop."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class HostFacts:
    """One reading. Ratios go from 0 to 1; `load_per_cpu` is the one-minute load over the cores.

    `process_*` are the monitor's own. `process_cpu_ratio` is of one core and can pass 1.
    """

    cpu_ratio: float
    load_per_cpu: float
    memory_ratio: float
    memory_available_bytes: int
    swap_ratio: float
    disk_ratio: float
    disk_free_bytes: int
    process_cpu_ratio: float
    process_memory_bytes: int
    process_open_files: int
    process_open_files_ratio: float
    process_threads: int
    booted_at_timestamp_seconds: float


class HostReader:
    """Reads the facts; CPU shares are since the reading before, so one reader reads for all."""

    def __init__(self, folder: Path, process: psutil.Process | None = None) -> None:
        """Watch the disk that holds `folder`, and this process."""
        self._folder, self._process = folder, process or psutil.Process()
        self._cores = psutil.cpu_count() or 1
        self._cpu_seconds, self._read_at = self._own_cpu(), time.monotonic()
        psutil.cpu_percent(interval=None)

    def read(self) -> HostFacts:
        """Return the facts of this moment."""
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(self._folder))
        files, files_ratio = self._open_files()
        with self._process.oneshot():
            return HostFacts(
                cpu_ratio=psutil.cpu_percent(interval=None) / 100,
                load_per_cpu=os.getloadavg()[0] / self._cores,
                memory_ratio=memory.percent / 100,
                memory_available_bytes=memory.available,
                swap_ratio=psutil.swap_memory().percent / 100,
                disk_ratio=disk.percent / 100,
                disk_free_bytes=disk.free,
                process_cpu_ratio=self._process_cpu(),
                process_memory_bytes=self._process.memory_info().rss,
                process_open_files=files,
                process_open_files_ratio=files_ratio,
                process_threads=self._process.num_threads(),
                booted_at_timestamp_seconds=psutil.boot_time(),
            )

    def _own_cpu(self) -> float:
        """Return the CPU seconds the process has used."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _process_cpu(self) -> float:
        """Return the share of one core used since the reading before."""
        used, now = self._own_cpu(), time.monotonic()
        ratio = (used - self._cpu_seconds) / max(now - self._read_at, 0.001)
        self._cpu_seconds, self._read_at = used, now
        return max(ratio, 0.0)

    def _open_files(self) -> tuple[int, float]:
        """Return how many descriptors are open, and their share of what is allowed."""
        if not hasattr(self._process, "num_fds"):
            return 0, 0.0
        count = self._process.num_fds()
        allowed = self._process.rlimit(psutil.RLIMIT_NOFILE)[0]
        return count, count / allowed if allowed > 0 else 0.0
