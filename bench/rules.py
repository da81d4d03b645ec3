"""100 alert rules over growing numbers of series, beside the system's Prometheus.

Both get the same samples and the same expressions in the same run. What is measured is the
processor time of one evaluation of all rules: ours after the first, which fills the caches; that
of Prometheus over as many iterations of one rule group as fit into the time given.

    python -m bench.rules [--series 1000,10000,100000]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.prometheus_peer import prometheus_peer, remote_write
from monitor.promql import evaluate_instant, parse
from monitor.promql.result import Vector
from monitor.promql.source import Floats
from monitor.samples import SampleStore

SAMPLES = 200
INTERVAL_SECONDS = 15
ROUNDS = 5
PROMETHEUS_SECONDS = 12.0
BOUNDS = ("0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
CODES = ("200", "404", "500", "503")

RULES = """
rate(http_requests_total{code="500"}[W]) > 1e9
sum by (service) (rate(http_requests_total{code=~"5.."}[W])) / sum by (service) (#) > 0.9
histogram_quantile(0.99, sum by (le, service) (rate(latency_seconds_bucket[W]))) > 9.99
histogram_quantile(0.5, sum by (le, instance) (rate(latency_seconds_bucket[W]))) > 9.99
predict_linear(disk_free_bytes[W], 3600) < 0
deriv(disk_free_bytes[W]) < -1e12
increase(http_requests_total{code="503"}[W]) > 1e9
topk(5, rate(http_requests_total[W])) > 1e9
max_over_time(queue_length[W]) > 1e9
avg by (service) (avg_over_time(queue_length[W])) > 1e9
changes(queue_length[W]) > 1e6
sum by (service, code) (increase(http_requests_total[W])) > 1e12
max by (service) (#) - min by (service) (#) > 1e9
quantile by (service) (0.95, #) > 1e9
rate(http_requests_total{code="500"}[W]) / on (instance) group_left () sum by (instance) (#) > 1e3
stddev by (service) (max_over_time(queue_length[W])) > 1e9
"""
INSTANT_RULES = """
queue_length > on (service) group_left () queue_limit * 1e6
absent(disk_free_bytes)
count by (service) (disk_free_bytes < 0) > 0
queue_length unless on (service) queue_limit
"""
WINDOWS = ("2m", "5m", "5m", "10m", "15m", "30m")


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one size; seconds of processor time for an evaluation of all rules."""

    series: int
    rules: int
    ours_seconds: float
    first_seconds: float
    prometheus_seconds: float | None
    ratio: float | None
    hot_bytes_per_sample: float


def rules() -> list[str]:
    """Return the 100 expressions: 16 with each of six windows, and four of the moment."""
    texts = [rule.replace("#", "rate(http_requests_total[W])") for rule in lines(RULES)]
    ranged = [text.replace("W", window) for window in WINDOWS for text in texts]
    return ranged + lines(INSTANT_RULES)


def lines(text: str) -> list[str]:
    """Return the lines of a text."""
    return text.strip().splitlines()


def series_of(count: int) -> list[dict[str, str]]:
    """Return about `count` series of an ordinary shop: counters, histograms, gauges."""
    found = [{"__name__": "queue_limit", "service": f"s{k}"} for k in range(9)]
    number = 0
    while len(found) < count:
        labels = {"service": f"s{number % 9}", "instance": f"host-{number:05d}:9100", "job": "shop"}
        found += [{"__name__": "http_requests_total", "code": c, **labels} for c in CODES]
        found += [{"__name__": "latency_seconds_bucket", "le": b, **labels} for b in BOUNDS]
        found += [{"__name__": n, **labels} for n in ("queue_length", "disk_free_bytes")]
        number += 1
    return sorted(found[:count], key=lambda labels: labels["__name__"])


def values_of(series: list[dict[str, str]]) -> Floats:
    """Return rows of samples: counters that grow, gauges that wander."""
    chance = np.random.default_rng(7)
    gauge = np.array([s["__name__"][0] in "qd" for s in series])
    rank = np.array([BOUNDS.index(s["le"]) + 1 if "le" in s else 1 for s in series])
    growth = chance.poisson(3.0, (SAMPLES, len(series))) * rank
    wandering = 1e6 + chance.integers(-9, 9, growth.shape)
    return np.asarray(np.where(gauge, wandering, growth.cumsum(axis=0)), np.float64)


def filled_store(series: list[dict[str, str]], values: Floats, start: float) -> SampleStore:
    """Return a store that holds the samples."""
    store = SampleStore(series_limit=max(len(series), 1), retention_seconds=4 * 3600)
    writer = store.writer("bench")
    writer.register(series)
    for row, sample in enumerate(values):
        writer.append(start + row * INTERVAL_SECONDS, sample)
    return store


def our_seconds(store: SampleStore, values: Floats, now: float) -> tuple[float, float]:
    """Return processor seconds of the first evaluation, and the median of later ones."""
    expressions = [parse(rule) for rule in rules()]
    taken = []
    for turn in range(ROUNDS + 1):
        store.writer("bench").append(now + turn * INTERVAL_SECONDS, values[-1])
        started = time.process_time()
        for expression in expressions:
            found = evaluate_instant(expression, store, now + turn * INTERVAL_SECONDS)
            assert isinstance(found, Vector)
        taken.append(time.process_time() - started)
    return taken[0], statistics.median(taken[1:])


def measure(count: int) -> Row:
    """Return the figures for one number of series."""
    series = series_of(count)
    values = values_of(series)
    now = time.time()
    start = now - SAMPLES * INTERVAL_SECONDS
    peer_seconds = None
    if shutil.which("prometheus"):
        with prometheus_peer(rules()) as peer:
            remote_write(peer, series, values, start, INTERVAL_SECONDS)
            peer_seconds = peer.seconds_per_iteration(PROMETHEUS_SECONDS)
    store = filled_store(series, values, start)
    size = store.stats().hot_bytes / values.size
    first, ours = our_seconds(store, values, now)
    ratio = None if peer_seconds is None else peer_seconds / ours
    return Row(len(series), len(rules()), ours, first, peer_seconds, ratio, size)


def resident_bytes() -> int:
    """Return what a fresh process holds with 10k series over two hours, log and all."""
    code = (
        "import psutil, tempfile, pathlib\n"
        "from bench.rules import two_hours\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    store = two_hours(pathlib.Path(folder))\n"
        "    print(psutil.Process().memory_info().rss)\n"
        "    store.close()\n"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return int(output.stdout)


def two_hours(folder: Path) -> SampleStore:
    """Return a logged store of 10k series with a sample every 15 s for two hours."""
    series = series_of(10_000)
    chance = np.random.default_rng(7)
    store = SampleStore(folder=folder, retention_seconds=3 * 3600, hot_seconds=2 * 3600)
    writer = store.writer("bench")
    writer.register(series)
    row = np.zeros(len(series))
    for tick in range(480):
        row = row + chance.poisson(3.0, row.size)
        writer.append(tick * 15.0, row)
        if tick % 20 == 0:
            store.maintain(tick * 15.0)
            store.sync()
    return store


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the figures for people."""
    yield "series   rules   ours/eval   first   Prometheus/eval   times less   bytes/hot sample"
    for row in rows:
        peer = "-" if row.prometheus_seconds is None else f"{row.prometheus_seconds:.3f} s"
        ratio = "-" if row.ratio is None else f"{row.ratio:.1f}"
        yield (
            f"{row.series:7,d} {row.rules:6d} {row.ours_seconds:9.3f} s {row.first_seconds:6.2f} s"
            f" {peer:>16} {ratio:>12} {row.hot_bytes_per_sample:14.1f}"
        )


def main() -> int:
    """Run the bench; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", default="1000,10000,100000")
    rows = [measure(int(count)) for count in parser.parse_args().series.split(",")]
    print("\n".join(table(rows)))
    resident = resident_bytes()
    print(f"10,000 series over 2 h: {resident / 2**20:.0f} MB resident")
    ratios = {f"less processor time at {r.series}": r.ratio for r in rows}
    sizes = {"bytes a hot sample": max(r.hot_bytes_per_sample for r in rows)}
    print(json.dumps({**ratios, **sizes, "resident bytes": resident}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
