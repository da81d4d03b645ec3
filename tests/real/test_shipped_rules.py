"""Every shipped rule's expression, here and in a real Prometheus, over the same four days."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from monitor.promql import STALE
from monitor.rules.files import load_rule_files
from monitor.rules.model import RecordingRule
from monitor.samples import SampleStore
from tests.monitor.promql.prometheus import Labels, Prometheus, prometheus_server
from tests.monitor.promql.test_differential import Answer, difference, evaluated, theirs
from tests.real.shop_history import END_SECONDS, Samples, history

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed"),
]
FILES = sorted((Path(__file__).parents[2] / "alert_rules").glob("*.yml"))
FILES.sort(key=lambda path: path.name != "recording.yml")  # the others read what it records
RULES = [rule for group in load_rule_files(FILES) for rule in group.rules]
NAMES = [f"{number}-{rule.name}" for number, rule in enumerate(RULES)]
# A Prometheus takes no samples more than an hour older than its newest, so rules are recorded over
# less. Off the samples' grid: 2.42's ranges are closed, 3.x's open on the left.
FIRST, LAST, STEP = END_SECONDS - 50 * 60 + 0.777, END_SECONDS - 0.223, 30.0


class Both:
    """A Prometheus and a sample store that hold the same samples, and what rules gave so far."""

    def __init__(self, server: Prometheus) -> None:
        self.server = server
        self.store = SampleStore(hot_seconds=3_600, retention_seconds=10 * 86_400)
        self.write(history(seed=7), "probes")
        self.store.maintain(END_SECONDS)

    def write(self, series: Mapping[Labels, Sequence[tuple[int, float]]], origin: str) -> None:
        """Give both the same samples."""
        self.server.write(series)
        for labels, samples in series.items():
            writer = self.store.writer(f"{origin}{labels}")
            writer.register([dict(labels)])
            for at, value in samples:
                writer.append(at / 1000, [value])

    def answers(self, query: str) -> tuple[Answer | None, Answer | None]:
        """Return what Prometheus and we make of a query at every step."""
        times = {"start": f"{FIRST:.3f}", "end": f"{LAST:.3f}", "step": f"{STEP}"}
        wanted = theirs(self.server.ask("query_range", query=query, **times))
        return wanted, evaluated(query, self.store, FIRST, LAST, STEP)


def recorded(rule: RecordingRule, answer: Answer) -> dict[Labels, Samples]:
    """Return a recording rule's series, stale where its result is gone."""
    found: dict[Labels, Samples] = {}
    for key, points in answer.items():
        labels = {**dict(key), "__name__": rule.name, **rule.labels}
        values = dict(points)
        times = range(points[0][0], round(LAST * 1000) + 1, round(STEP * 1000))
        samples = [(at, values.get(at, STALE)) for at in times]
        found[tuple(sorted(labels.items()))] = samples
    return found


@pytest.fixture(scope="module")
def answers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Answer | None, Answer | None]]]:
    """Both answers to every rule, evaluated in order; later rules read what earlier recorded."""
    with prometheus_server(tmp_path_factory.mktemp("prometheus")) as server:
        both, found = Both(server), {}
        for name, rule in zip(NAMES, RULES, strict=True):
            found[name] = both.answers(rule.expression)
            wanted = found[name][0]
            if isinstance(rule, RecordingRule) and wanted:
                both.write(recorded(rule, wanted), rule.name)
        yield found


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_rule_comes_to_the_same_verdict_in_prometheus(
    name: str, answers: dict[str, tuple[Answer | None, Answer | None]]
) -> None:
    """At a hundred moments among outages, gaps and restarts, with something to tell at some."""
    wanted, found = answers[name]
    assert wanted, "Prometheus finds nothing at any time: the history says nothing about this rule"
    assert difference(wanted, found) == ""
