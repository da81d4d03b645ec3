"""`monitor run` from the start of its process to the first journey's result, and what it takes.

Needs prometheus, prometheus-alertmanager and prometheus-blackbox-exporter: that chain, probing one
page of the same shop every 5 s, is the peer (from its start to the first probe it can be asked
for). Starting Python with the same third-party packages and nothing of ours is the floor.
The first start, which writes Python's caches, is not counted. Takes about two minutes.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.detection import chain
from bench.peers import Sink, free_port, needs, running

ROUNDS = 3
LATEST_SECONDS = 90.0
STEADY_SECONDS = 60.0
POLL_SECONDS = 0.03
MEGABYTE = 1e6
PACKAGES = (
    "typer, pydantic, yaml, pycurl, selectolax.lexbor, jsonpath_rfc9535, regex, sqlalchemy, "
    "sqlalchemy.dialects.sqlite, sqlalchemy.dialects.postgresql, alembic.command, requests, "
    "numpy, promql_parser, re2, fastapi, uvicorn, jinja2, structlog, prometheus_client, psutil, "
    "apscheduler.schedulers.background, argon2, markdown_it"
)


@dataclass(frozen=True)
class Start:
    """What a start took: seconds by the wall, and of the processor."""

    seconds: float
    busy: float


@dataclass(frozen=True)
class Steady:
    """What processes take once they are up: memory in bytes, share of one core."""

    resident: float
    core_ratio: float


def cached_environment() -> dict[str, str]:
    """Return our environment, with Python allowed to keep what it compiled."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def seconds_until(happened: Callable[[], bool], since: float) -> float:
    """Return the seconds from `since` until something had happened.

    Raises:
        TimeoutError: it did not.
    """
    while time.monotonic() - since < LATEST_SECONDS:
        if happened():
            return time.monotonic() - since
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"not within {LATEST_SECONDS:g} s")


def text_at(url: str) -> str:
    """Return what a URL answers, nothing where it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def has_run(metrics: str) -> bool:
    """Whether some journey has been counted."""
    counts = (row for row in metrics.splitlines() if row.startswith("probe_runs_total{"))
    return any(float(row.rpartition(" ")[2]) > 0 for row in counts)


def bare_start() -> Start:
    """Return what Python takes to start and load the packages we stand on."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", f"import {PACKAGES}"]
    subprocess.run(command, check=True, env=cached_environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Start(time.monotonic() - started, busy)


@contextmanager
def our_start(folder: Path) -> Iterator[tuple[Start, psutil.Process]]:
    """Run the demo on an empty data folder; give what the first result took (without the shop)."""
    folder.mkdir()
    port, shop = free_port(), free_port()
    command = [sys.executable, "-m", "monitor", "run", "--data", str(folder / "data")]
    command += ["--port", str(port), "--shop-port", str(shop)]
    started = time.monotonic()
    with running(command, folder / "log", env=cached_environment()) as process:
        metrics = f"http://127.0.0.1:{port}/metrics"
        seconds = seconds_until(lambda: has_run(text_at(metrics)), started)
        monitor = psutil.Process(process.pid)
        yield Start(seconds, sum(monitor.cpu_times()[:2])), monitor


@contextmanager
def chain_start(folder: Path, shop: str, sink: str) -> Iterator[tuple[float, list[psutil.Process]]]:
    """Run the chain; give the seconds until Prometheus knows a probe's result."""
    folder.mkdir()
    started = time.monotonic()
    with chain(folder, shop, sink) as peer:
        url = f"{peer.prometheus}/api/v1/query?query=probe_success"
        took = seconds_until(lambda: '"value"' in text_at(url), started)
        yield took, [psutil.Process(process.pid) for process in peer.processes]


def steady(groups: Iterable[list[psutil.Process]]) -> list[Steady]:
    """Return what each group of processes takes, all of them watched over the same time."""
    groups = list(groups)

    def busy(group: list[psutil.Process]) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in group)

    before = [busy(group) for group in groups]
    time.sleep(STEADY_SECONDS)
    return [
        Steady(sum(p.memory_info().rss for p in group), (busy(group) - was) / STEADY_SECONDS)
        for group, was in zip(groups, before, strict=True)
    ]


def main() -> None:
    """Measure, print the table and the ratios."""
    needs("prometheus", "prometheus-alertmanager", "prometheus-blackbox-exporter")
    sink = Sink()
    bare: list[Start] = []
    ours: list[Start] = []
    peers: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with our_start(folder / "warm"):
            bare_start()
        for turn in range(ROUNDS):
            last = turn == ROUNDS - 1
            bare.append(bare_start())
            with our_start(folder / f"ours-{turn}") as (start, monitor):
                ours.append(start)
                shop = monitor.children()
                page = monitor_shop_url(folder / f"ours-{turn}")
                with chain_start(folder / f"chain-{turn}", page, sink.url) as (took, parts):
                    peers.append(took)
                    if last:
                        taken = steady([[monitor], shop, parts])
    sink.close()
    report(middle(bare), middle(ours), statistics.median(peers), taken)


def middle(starts: list[Start]) -> Start:
    """Return the medians of several starts."""
    median = statistics.median
    return Start(median(s.seconds for s in starts), median(s.busy for s in starts))


def monitor_shop_url(folder: Path) -> str:
    """Return where the demo's shop answers, as the monitor's own words on the terminal say."""
    words = (folder / "log").read_text().split()
    return words[words.index("Shop") + 1]


def report(bare: Start, ours: Start, peer: float, taken: list[Steady]) -> None:
    """Print the table and the ratios."""
    monitor, shop, parts = taken
    print(f"start to first result, median of {ROUNDS}; memory and core over {STEADY_SECONDS:g} s")
    print(f"{'':36} {'seconds':>8} {'of the processor':>17} {'MB':>5} {'core':>6}")
    print(f"{'Python with the same packages':36} {bare.seconds:8.2f} {bare.busy:17.2f}")
    for title, seconds, busy, part in (
        ("monitor run: 3 journeys every 5 s", f"{ours.seconds:.2f}", f"{ours.busy:.2f}", monitor),
        ("  its demo shop, with customers", "", "", shop),
        ("usual chain: 1 page every 5 s", f"{peer:.2f}", "", parts),
    ):
        megabytes = part.resident / MEGABYTE
        print(f"{title:36} {seconds:>8} {busy:>17} {megabytes:5.0f} {part.core_ratio:6.1%}")
    ratios = {
        "first_result_of_bare_packages": round(ours.seconds / bare.seconds, 2),
        "first_result_processor_of_bare_packages": round(ours.busy / bare.busy, 2),
        "first_result_of_chain": round(ours.seconds / peer, 2),
        "resident_of_chain": round(monitor.resident / parts.resident, 2),
        "first_result_seconds": round(ours.seconds, 2),
        "resident_megabytes": round(monitor.resident / MEGABYTE),
        "core_ratio": round(monitor.core_ratio, 3),
    }
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
