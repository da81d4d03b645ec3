"""Scraped text, well-formed and hostile."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.samples import ExpositionError, ExpositionParser, SampleStore, Scrape

PAGE = """# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3

msdos_file_access{path="C:\\\\DIR\\\\FILE.TXT",error="No such file:\\n\\"FILE.TXT\\""} 1.458e9
metric_without_labels 12.47
weird{problem="division by zero"} +Inf -3982045
{"quoted.name", "label.name"="x", plain="a,b}"} NaN
trailing{a="b",} 1
"""


def read(text: str, **options: bool) -> list[tuple[dict[str, str], float]]:
    """Return the samples of a text read by a fresh parser."""
    return list(ExpositionParser().parse(text, **options))


def test_every_form_of_a_sample_is_read() -> None:
    """Escapes, timestamps, quoted names and trailing commas are part of the format."""
    samples = read(PAGE)
    assert len(samples) == 7
    assert samples[2][0]["error"] == 'No such file:\n"FILE.TXT"'
    assert samples[4] == ({"__name__": "weird", "problem": "division by zero"}, math.inf)
    assert samples[5][0] == {"__name__": "quoted.name", "label.name": "x", "plain": "a,b}"}


def test_a_second_reading_gives_the_same_from_memory() -> None:
    """Known lines are looked up, and only their values read."""
    parser = ExpositionParser()
    first = list(parser.parse(PAGE))
    second = list(parser.parse(PAGE.replace("12.47", "13.47")))
    assert [labels for labels, _ in first] == [labels for labels, _ in second]
    assert second[3] == ({"__name__": "metric_without_labels"}, 13.47)


def test_openmetrics_exemplars_are_passed_over() -> None:
    """An exemplar belongs to a trace, not to the value."""
    text = 'a_bucket{le="1"} 17 1.5 # {trace_id="x # y"} 0.5 1.5\n# EOF\nafter 1\n'
    assert read(text, open_metrics=True) == [({"__name__": "a_bucket", "le": "1"}, 17.0)]


def test_openmetrics_cut_short_is_refused() -> None:
    """Without its end mark a page may lack half its series."""
    with pytest.raises(ExpositionError, match="must end with # EOF"):
        read("a 1\n", open_metrics=True)


@pytest.mark.parametrize(
    ("honor", "labels"),
    [
        (False, {"__name__": "a", "job": "shop", "exported_job": "own"}),
        (True, {"__name__": "a", "job": "own"}),
    ],
)
def test_labels_of_the_target_meet_those_of_the_text(honor: bool, labels: dict[str, str]) -> None:
    """The target's win and the text's are kept aside, unless they are to be honoured."""
    parser = ExpositionParser({"job": "shop"}, honor_labels=honor)
    assert list(parser.parse('a{job="own"} 1')) == [(labels, 1.0)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a{", "label name expected"),
        ("a{b} 1", "equals sign expected"),
        ('a{b="c} 1', "quoted value expected"),
        ('{b="c"} 1', "metric name expected"),
        ('a{b="1",b="2"} 1', "given twice"),
        ('a{b="c" d="e"} 1', "comma or closing brace"),
        ('a{b="c"}1', "a value and at most a timestamp"),
        ("a 1 2 3", "a value and at most a timestamp"),
        ("a", "a value and at most a timestamp"),
        ("a 1_000", "not a number"),
        ("a ١", "not a number"),
        ("a 1 NaN", "timestamp is not finite"),
        ("1a 1", "metric name expected"),
        ("a" * 70_000 + " 1", "longer than"),
        ("a{" + ",".join(f'l{k}="v"' for k in range(300)) + "} 1", "more than 256 labels"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(line: str, reason: str) -> None:
    """One bad line fails the scrape, and says where."""
    with pytest.raises(ExpositionError, match=reason) as refusal:
        read(f"ok 1\n{line}\n")
    assert refusal.value.line == 2


def test_more_samples_than_allowed_fail_the_scrape() -> None:
    """The limit protects the store from a target gone wild."""
    with pytest.raises(ExpositionError, match="more than 2 samples"):
        ExpositionParser().parse("a 1\nb 1\nc 1\n", sample_limit=2)


@given(st.text(alphabet='a{}="\\,# 1\n\t.eNI+-', max_size=60), st.text(max_size=30))
def test_any_text_is_read_or_refused(shaped: str, wild: str) -> None:
    """Nothing a target sends raises anything else, and a reread agrees."""
    parser = ExpositionParser()
    for text in (shaped, wild):
        with suppress(ExpositionError):
            assert repr(list(parser.parse(text))) == repr(list(parser.parse(text)))


def test_scrapes_are_stored_as_they_come() -> None:
    """Series that leave the page end; those that join are taken up."""
    store, parser = SampleStore(), ExpositionParser({"job": "shop"})
    writer = store.writer("target")
    pages = ["a 1\nb 2\n", "a 3\nc 4\n", 'a 5\nc{x="y"} 6\n']
    scrapes: list[Scrape] = [parser.parse(page) for page in pages]
    for at, scrape in enumerate(scrapes, start=1):
        writer.ingest_scrape(float(at), scrape)
    assert store.stats().series == 4
    assert store.stats().stale_markers == 2
