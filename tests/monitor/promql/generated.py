"""Series as targets really send them: jittered, with gaps, resets, stale markers and NaN."""

from __future__ import annotations

import random
from collections.abc import Iterator

from monitor.promql import STALE
from tests.monitor.promql.prometheus import Labels

START_MS = 1_700_000_000_000
SAMPLES = 400
INTERVAL_MS = 15_000
BOUNDS = ("0.1", "0.25", "0.5", "1", "2.5", "+Inf")
Samples = list[tuple[int, float]]


def generated_series(seed: int) -> dict[Labels, Samples]:
    """Return about 90 series over 100 minutes; the same seed gives the same samples."""
    chance = random.Random(seed)
    series: dict[Labels, Samples] = {}
    for labels in counters():
        series[labels] = with_gaps(chance, counter(chance))
    for labels in gauges():
        series[labels] = with_gaps(chance, gauge(chance))
    for instance in ("a:1", "b:1", "c:2"):
        series |= histogram(chance, instance)
    return series


def labelled(name: str, **labels: str) -> Labels:
    """Return the labels of a series."""
    return tuple(sorted({"__name__": name, **labels}.items()))


def counters() -> Iterator[Labels]:
    """Yield the labels of the counters."""
    for job, instances in (("api", ("a:1", "b:1", "c:2")), ("web", ("d:1", "e:1"))):
        for instance in instances:
            for code in ("200", "404", "500"):
                yield labelled("http_requests_total", job=job, instance=instance, code=code)
            yield labelled("http_errors_total", job=job, instance=instance)


def gauges() -> Iterator[Labels]:
    """Yield the labels of the gauges."""
    for instance in ("a:1", "b:1", "c:2", "d:1", "e:1"):
        yield labelled("temperature", instance=instance, room=instance[0])
        yield labelled("queue_length", instance=instance, job="api" if instance < "d" else "web")
        yield labelled("build_info", instance=instance, version=f"1.{ord(instance[0]) % 3}")
    yield labelled("limit", job="api")
    yield labelled("limit", job="web")


def times(chance: random.Random) -> list[int]:
    """Return jittered sample times, never on a whole second."""
    start = START_MS + chance.randrange(1, 14_000)
    found = [start + k * INTERVAL_MS + chance.randrange(-400, 400) for k in range(SAMPLES)]
    return [t + 1 if t % 1000 == 0 else t for t in found]


def counter(chance: random.Random) -> Samples:
    """Return a counter that is reset now and then.

    It starts again below 1 or above 40. In between, 2.42 and 3.x extrapolate differently: whether a
    gap is short is decided after the clamp at zero there, before it here.
    """
    value, found = chance.uniform(1e5, 1e6), []
    for at in times(chance):
        value += chance.expovariate(0.2)
        if chance.random() < 0.01:
            value = chance.choice((chance.uniform(0, 1), chance.uniform(40, 60)))
        found.append((at, value))
    return found


def gauge(chance: random.Random) -> Samples:
    """Return a gauge that repeats itself, wanders, and sometimes is no number."""
    value, found = chance.uniform(-50, 50), []
    odd = [float("nan"), float("inf"), float("-inf"), 0.0]
    for at in times(chance):
        if chance.random() < 0.6:
            value += chance.gauss(0, 3)
        found.append((at, chance.choice(odd) if chance.random() < 0.02 else value))
    return found


def histogram(chance: random.Random, instance: str) -> dict[Labels, Samples]:
    """Return the buckets of a histogram, all with the same times."""
    counts, moments = [500.0 * k for k in range(1, len(BOUNDS) + 1)], times(chance)
    series: dict[Labels, Samples] = {
        labelled("latency_seconds_bucket", instance=instance, le=bound): [] for bound in BOUNDS
    }
    for at in moments:
        for _ in range(chance.randrange(0, 9)):
            bucket = min(int(chance.expovariate(0.6)), len(BOUNDS) - 1)
            counts = [n + (k >= bucket) for k, n in enumerate(counts)]
        for samples, count in zip(series.values(), counts, strict=True):
            samples.append((at, count))
    return series


def with_gaps(chance: random.Random, samples: Samples) -> Samples:
    """Return the samples with some missing, some long gaps, and some ended by a stale marker."""
    found: Samples = []
    absent_until = 0
    for at, value in samples:
        if at < absent_until:
            continue
        draw = chance.random()
        if draw < 0.004:
            found.append((at, STALE))
            absent_until = at + chance.randrange(20_000, 900_000)
        elif draw < 0.008:
            absent_until = at + chance.randrange(20_000, 900_000)
        elif draw > 0.04:
            found.append((at, value))
    return found
