"""The same samples and expressions, here and in a real Prometheus, must give the same answer."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.promql import (
    Matrix,
    PromqlError,
    Scalar,
    Vector,
    evaluate_instant,
    evaluate_range,
    parse,
)
from monitor.samples import SampleStore
from tests.monitor.promql.expressions import expressions
from tests.monitor.promql.generated import START_MS, generated_series
from tests.monitor.promql.prometheus import Prometheus, prometheus_server

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed"),
]
# Off every grid, so that 2.42's closed ranges and 3.x's left-open ones select the same samples.
TIMES = tuple(START_MS / 1000 + offset + 0.777 for offset in (333, 1800, 3601, 4444, 5700))
TOLERANCE = 1e-9  # 2.42 adds up without compensation
Answer = dict[tuple[tuple[str, str], ...], list[tuple[int, float]]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prometheus, SampleStore]]:
    """A Prometheus and a sample store that hold the same samples, most of ours packed."""
    store = SampleStore(hot_seconds=600, retention_seconds=86_400)
    with prometheus_server(tmp_path_factory.mktemp("prometheus")) as server:
        series = generated_series(seed=20)
        server.write(series)
        for labels, samples in series.items():
            writer = store.writer(str(labels))
            writer.register([dict(labels)])
            for at, value in samples:
                writer.append(at / 1000, [value])
        store.maintain(TIMES[-1])
        assert store.stats().chunks > 100
        yield server, store


def key_of(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return labels in a form that compares."""
    return tuple(sorted(labels.items()))


def theirs(answer: dict[str, Any]) -> Answer | None:
    """Return Prometheus's answer as points, None for an error."""
    if answer["status"] != "success":
        return None
    kind, result = answer["data"]["resultType"], answer["data"]["result"]
    if kind == "scalar":
        result = [{"metric": {}, "value": result}]
    return {
        key_of(one["metric"]): [
            (round(float(t) * 1000), float(v)) for t, v in one.get("values") or [one["value"]]
        ]
        for one in result
    }


def ours(result: object) -> Answer:
    """Return our answer as points."""
    if isinstance(result, Scalar):
        return {(): [(round(result.timestamp * 1000), result.value)]}
    if isinstance(result, Vector):
        return {key_of(dict(s.labels)): [(round(s.timestamp * 1000), s.value)] for s in result}
    assert isinstance(result, Matrix)
    return {
        key_of(dict(s.labels)): list(zip(s.times_ms.tolist(), s.values.tolist(), strict=True))
        for s in result
    }


def same(a: float, b: float) -> bool:
    """Whether two values are equal but for rounding."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-9)


def difference(wanted: Answer | None, found: Answer | None) -> str:
    """Return how two answers differ, empty if they do not."""
    if wanted is None or found is None:
        return "" if wanted is found else f"one failed: {str(wanted)[:200]} / {str(found)[:200]}"
    for key in wanted.keys() | found.keys():
        left, right = wanted.get(key, []), found.get(key, [])
        same_times = [t for t, _ in left] == [t for t, _ in right]
        if not same_times or not all(map(same, [v for _, v in left], [v for _, v in right])):
            return f"{dict(key)}: Prometheus {left[:5]}, here {right[:5]}"
    return ""


def evaluated(query: str, store: SampleStore, *times: float) -> Answer | None:
    """Return our answer at one time, or from start to end by step; None for an error."""
    evaluate = evaluate_instant if len(times) == 1 else evaluate_range
    try:
        return ours(evaluate(parse(query), store, *times))
    except PromqlError:
        return None


@pytest.mark.parametrize("query", list(expressions()))
def test_an_instant_query_agrees_with_prometheus(
    query: str, both: tuple[Prometheus, SampleStore]
) -> None:
    """At every probed time, both give the same series and values, or both refuse."""
    server, store = both
    for at in TIMES:
        wanted = theirs(server.ask("query", query=query, time=f"{at:.3f}"))
        assert difference(wanted, evaluated(query, store, at)) == "", at


@pytest.mark.parametrize("query", [q for q in expressions() if not q.endswith("]")])
def test_a_range_query_agrees_with_prometheus(
    query: str, both: tuple[Prometheus, SampleStore]
) -> None:
    """Over the whole time, both give the same points, or both refuse."""
    server, store = both
    start, end, step = TIMES[0], TIMES[-1], 97.0
    parameters = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step}"}
    wanted = theirs(server.ask("query_range", query=query, **parameters))
    assert difference(wanted, evaluated(query, store, start, end, step)) == ""
