"""What Prometheus's own scripts say little about: resets, staleness, lookback, names, matching."""

from __future__ import annotations

import math

import pytest

from monitor.promql import (
    Matrix,
    MemorySource,
    Options,
    PromqlError,
    Scalar,
    Vector,
    evaluate_instant,
    evaluate_range,
    parse,
    parse_selector_labels,
    parse_series_values,
)

NAN = math.nan


def source_of(text: str, step_ms: int = 60_000) -> MemorySource:
    """Return a source with one line a series: `name{labels} values`, a sample a minute."""
    source = MemorySource()
    for line in text.strip().splitlines():
        labels, _, values = line.strip().partition(" ")
        for index, value in enumerate(parse_series_values(values)):
            if value is not None:
                source.add(parse_selector_labels(labels), index * step_ms, value)
    return source


def answer(text: str, query: str, at: float, **options: object) -> dict[str, float]:
    """Return an instant vector by its labels, written as `name{label=value}`."""
    result = evaluate_instant(parse(query), source_of(text), at, options=Options(**options))  # type: ignore[arg-type]
    assert isinstance(result, Vector)
    return {text_of(dict(sample.labels)): sample.value for sample in result}


def text_of(labels: dict[str, str]) -> str:
    """Return labels in a short form."""
    name = labels.pop("__name__", "")
    return name + "{" + ",".join(f"{k}={v}" for k, v in sorted(labels.items())) + "}"


def only(text: str, query: str, at: float) -> float:
    """Return the value of a vector's only series, NaN where there is none."""
    found = answer(text, query, at)
    assert len(found) <= 1
    return next(iter(found.values()), NAN)


@pytest.mark.parametrize(
    ("values", "query", "at", "expected"),
    [
        ("0 60 120 180 240 300", "rate(m[5m])", 300, 1.0),
        ("100 160 10 70 130", "increase(m[5m])", 240, 237.5),
        ("100 160 10 70 130", "resets(m[10m])", 240, 1.0),
        ("5 3 1 0", "resets(m[10m])", 180, 3.0),
        ("10 NaN 5 7", "resets(m[10m])", 180, 0.0),
        ("10 NaN 5 7", "changes(m[10m])", 180, 3.0),
        ("NaN NaN NaN", "changes(m[10m])", 120, 0.0),
        ("3 _ _ 9", "delta(m[10m])", 180, 6 * (180 + 90 + 0) / 180),
        ("3 9 stale", "delta(m[10m])", 130, 6 * (60 + 30 + 30) / 60),
        ("7", "rate(m[5m])", 0, NAN),
        ("7 9 2", "irate(m[5m])", 120, 2 / 60),
        ("7 9 2", "idelta(m[5m])", 120, -7.0),
        ("1 2 stale 4", "count_over_time(m[10m])", 180, 3.0),
        ("1 NaN 3", "max_over_time(m[10m])", 120, 3.0),
        ("NaN NaN", "max_over_time(m[10m])", 60, NAN),
        ("1 NaN 3", "sum_over_time(m[10m])", 120, NAN),
        ("1e100 2 -1e100 8", "sum_over_time(m[10m])", 180, 10.0),
        ("9e307 9e307 9e307", "avg_over_time(m[10m])", 120, 9e307),
        ("1 2 3 4", "deriv(m[10m])", 180, 1 / 60),
        ("1 2 3 4", "predict_linear(m[10m], 60)", 240, 6.0),
        ("5 5 5", "deriv(m[10m])", 120, 0.0),
        ("inf inf", "deriv(m[10m])", 60, NAN),
        ("1 2 3 4", "quantile_over_time(0.5, m[10m])", 180, 2.5),
        ("1 NaN 3 4", "quantile_over_time(0, m[10m])", 180, NAN),
        ("1 2", "quantile_over_time(2, m[10m])", 60, math.inf),
        ("2 4 4 4 5 5 7 9", "stddev_over_time(m[10m])", 420, 2.0),
        ("1 2 3", "last_over_time(m[10m] offset 1m)", 120, 2.0),
        ("0+1x20", "sum_over_time(m[5m:2m])", 600, 10 + 8 + 6),
        ("0+1x20", "sum_over_time(m[5m:2m])", 601, 10 + 8 + 6),
        ("0+1x20", "count_over_time(m[4m:2m])", 599, 2.0),
    ],
)
def test_functions_of_ranges(values: str, query: str, at: float, expected: float) -> None:
    """Resets, gaps, NaN and stale markers within a window."""
    assert only(f"m {values}", query, at) == pytest.approx(expected, nan_ok=True)


def test_the_start_of_a_range_is_excluded() -> None:
    """A sample exactly a range ago does not count (2.x counted it)."""
    assert only("m 1 _ _ _ 5", "count_over_time(m[4m])", 240) == 1.0


@pytest.mark.parametrize(
    ("query", "at", "present"),
    [("m", 299.999, True), ("m", 300, False), ("m offset 1m", 359, True), ("m @ 60", 9e9, True)],
)
def test_an_instant_selector_looks_back_five_minutes(query: str, at: float, present: bool) -> None:
    """A series that just stops lives for the lookback."""
    assert bool(answer("m 1", query, at)) == present


@pytest.mark.parametrize(("at", "present"), [(59, True), (60, False), (119, False), (120, True)])
def test_a_stale_marker_ends_a_series_until_its_next_sample(at: float, present: bool) -> None:
    """At once, not after the lookback."""
    assert bool(answer("m 1 stale 2", "m", at)) == present


TWO = """
a{x="1"} 1
a{x="2"} NaN
b{x="1",y="p"} 3
b{x="1",y="q"} 4
b{x="2",y="p"} 5
limit{x="1"} 2
"""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a > 0", {"a{x=1}": 1.0}),
        ("a != 1", {"a{x=2}": NAN}),
        ("a == bool 1", {"{x=1}": 1.0, "{x=2}": 0.0}),
        ("b > on (x) group_left () limit", {"b{x=1,y=p}": 3.0, "b{x=1,y=q}": 4.0}),
        ("limit < on (x) group_right () b", {"b{x=1,y=p}": 2.0, "b{x=1,y=q}": 2.0}),
        ("b and on (x) limit", {"b{x=1,y=p}": 3.0, "b{x=1,y=q}": 4.0}),
        ("b unless on (x) limit", {"b{x=2,y=p}": 5.0}),
        ("limit or on (x) b", {"limit{x=1}": 2.0, "b{x=2,y=p}": 5.0}),
        ("b{y='p'} - ignoring (y) a", {"{x=1}": 2.0, "{x=2}": NAN}),
        ("sum without (y) (b)", {"{x=1}": 7.0, "{x=2}": 5.0}),
        ("max(a)", {"{}": 1.0}),
        ("max(a > 2)", {}),
        ("topk(1, a)", {"a{x=1}": 1.0}),
        ("topk(3, a)", {"a{x=1}": 1.0, "a{x=2}": NAN}),
        ("count_values('v', a)", {"{v=1}": 1.0, "{v=NaN}": 1.0}),
        ("label_replace(a, 'x', 'n$1', 'x', '(.)')", {"a{x=n1}": 1.0, "a{x=n2}": NAN}),
        ("label_replace(a, 'x', '', 'x', '2') > 0", {"a{x=1}": 1.0}),
        ("label_join(a{x='1'}, 'z', '/', 'x', '__name__', 'no')", {"a{x=1,z=1/a/}": 1.0}),
        ("absent(c{x='1', y=~'p', z='2', z='3'})", {"{x=1}": 1.0}),
        ("absent(a)", {}),
        ("absent_over_time(c{x='1'}[5m])", {"{x=1}": 1.0}),
        ("a{nothing=''}", {"a{x=1}": 1.0, "a{x=2}": NAN}),
        ("{__name__=~'a|limit', x=~'1'}", {"a{x=1}": 1.0, "limit{x=1}": 2.0}),
        ("clamp(b, 4, 3)", {}),
        ("vector(scalar(limit))", {"{}": 2.0}),
        ("vector(scalar(b))", {"{}": NAN}),
        ("-limit ^ 2", {"{x=1}": -4.0}),
        ("sum(b) by (x) / on (x) limit", {"{x=1}": 3.5}),
        ("(b > 4) + on (x) (b offset 1h or b > 4)", {"{x=2}": 10.0}),
    ],
)
def test_operators_and_functions_of_vectors(query: str, expected: dict[str, float]) -> None:
    """Filtering, matching, naming and the three kinds of nothing."""
    assert answer(TWO, query, 0) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("limit * on (x) b", 'found duplicate series for the match group {x="1"} on the right'),
        ("b * on (x) limit", "many-to-one matching must be explicit"),
        ("b * on (x) group_right () limit", "on the left hand-side"),
        ("a * on () group_left () b", "found duplicate series for the match group {}"),
        ("abs({__name__=~'a|limit', x='1'})", "same labelset"),
        ("label_replace(a, 'x', 'same', 'x', '.*')", "same labelset"),
        ("topk(NaN, a)", "Parameter value is NaN"),
        ("label_replace(a, '', '', 'x', '')", "invalid destination label name"),
        ("label_replace(a, 'x', '', 'x', '(')", "invalid regular expression"),
        ("count_values('', a)", "invalid label name"),
    ],
)
def test_what_cannot_be_matched_fails(query: str, complaint: str) -> None:
    """An ambiguous result is an error, never a guess."""
    with pytest.raises(PromqlError) as refusal:
        answer(TWO, query, 0)
    assert complaint in str(refusal.value)


def test_a_filtered_away_duplicate_is_no_duplicate() -> None:
    """Only series that are present at a step take part in matching."""
    assert answer(TWO, "limit + on (x) (b > 3)", 0) == {"{x=1}": 6.0}


def test_names_are_dropped_at_once_in_production() -> None:
    """Delayed removal is how upstream's scripts run, not how servers do."""
    query = "sum by (__name__) (rate(m[5m]))"
    assert answer("m 0+60x5", query, 300) == {"{}": 1.0}
    later = answer("m 0+60x5", 'label_replace(rate(m[5m]), "was", "$1", "__name__", "(.*)")', 300)
    assert later == {"{}": 1.0}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ('label_replace(rate(m[5m]), "__name__", "$1", "__name__", "(.+)")', "m{}"),
        ('label_replace(rate(m[5m]), "__name__", "other", "__name__", "n")', "{}"),
        ('label_replace(rate(m[5m]), "was", "$1", "__name__", "(.+)")', "{was=m}"),
        ('label_join(rate(m[5m]), "__name__", "", "__name__")', "m{}"),
    ],
)
def test_delayed_removal_spares_a_name_that_was_set(change: str, named: str) -> None:
    """Even where it was set to what it had been; a regex that finds nothing sets nothing."""
    assert answer("m 0+60x5", change, 300, delayed_name_removal=True) == {named: 1.0}


def test_delayed_removal_lets_labels_still_see_the_name() -> None:
    """With it on, label_replace finds the name that is dropped in the end."""
    query = 'label_replace(rate(m[5m]), "was", "$1", "__name__", "(.*)")'
    found = answer("m 0+60x5", query, 300, delayed_name_removal=True)
    assert found == {"{was=m}": 1.0}


BUCKETS = """
h{le="0.5"} 4
h{le="1"} 8
h{le="1.0"} 2
h{le="+Inf"} 20
"""


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        (BUCKETS, "histogram_quantile(0.25, h)", 0.5 + 0.5 * 1 / 6),
        (BUCKETS, "histogram_quantile(0.99, h)", 1.0),
        (BUCKETS, "histogram_fraction(0, 0.5, h)", 0.2),
        (BUCKETS, 'histogram_quantile(0.5, h{le!="+Inf"})', NAN),
        (BUCKETS.replace("20", "NaN"), "histogram_quantile(0.5, h)", 1.0),
        ('h{le="1"} 0\nh{le="+Inf"} 0', "histogram_quantile(0.5, h)", NAN),
        ('h{le="1"} 5\nh{le="2"} 4\nh{le="+Inf"} 8', "histogram_quantile(0.5, h)", 0.8),
    ],
)
def test_classic_histograms(text: str, query: str, expected: float) -> None:
    """Equal bounds in two spellings, no +Inf, NaN counts, falling counts, no observations."""
    assert only(text, query, 0) == pytest.approx(expected, nan_ok=True)


def test_remarks_say_what_is_odd_and_where() -> None:
    """A rate of a gauge and a bad quantile are noted with line and column."""
    source = source_of("m 1 2 3")
    found = evaluate_instant(parse("quantile(2,\n rate(m[5m]))"), source, 120)
    assert [text[-6:] for text in found.remarks.warnings] == ["(1:10)"]
    assert 'end in _total/_sum/_count/_bucket: "m" (2:7)' in found.remarks.infos[0]


@pytest.mark.parametrize(
    ("query", "seconds", "expected"),
    [
        ("minute", 1_709_217_296, 34),
        ("hour", 1_709_217_296, 14),
        ("day_of_week", 1_709_217_296, 4),
        ("day_of_month", 1_709_217_296, 29),
        ("day_of_year", 1_709_217_296, 60),
        ("days_in_month", 1_709_217_296, 29),
        ("month", 1_709_217_296, 2),
        ("year", 1_709_217_296, 2024),
        ("year", -1, 1969),
        ("day_of_year", 1_735_689_599, 366),
        ("year", 1e300, NAN),
    ],
)
def test_calendar_functions(query: str, seconds: float, expected: float) -> None:
    """Checked at a leap day, before 1970, at a year's last second and beyond any calendar."""
    found = evaluate_instant(parse(f"{query}(vector({seconds!r}))"), MemorySource(), 0)
    assert isinstance(found, Vector)
    assert found.samples[0].value == pytest.approx(expected, nan_ok=True)


def test_an_instant_range_selector_gives_its_samples() -> None:
    """For the HTTP API: raw points, stale markers left out."""
    found = evaluate_instant(parse("m[3m]"), source_of("m 1 2 stale 4"), 180)
    assert isinstance(found, Matrix)
    assert [list(series.points()) for series in found] == [[(60.0, 2.0), (180.0, 4.0)]]


def test_a_range_query_has_a_point_at_every_step_with_a_value() -> None:
    """Start and end are included; steps without a sample are left out."""
    found = evaluate_range(parse("m > 1"), source_of("m 1 2 stale 4"), 0, 180, 60)
    assert [list(series.points()) for series in found] == [[(60.0, 2.0), (180.0, 4.0)]]


@pytest.mark.parametrize("query", ["1 + 1", "time()", "scalar(vector(7))", "pi()"])
def test_a_number_is_a_scalar_at_one_time_and_a_series_over_time(query: str) -> None:
    """As Prometheus answers instant and range queries."""
    assert isinstance(evaluate_instant(parse(query), MemorySource(), 5), Scalar)
    assert len(evaluate_range(parse(query), MemorySource(), 0, 60, 30)) == 1


@pytest.mark.parametrize("query", ["m[5m]", '"text"'])
def test_ranges_and_texts_have_no_range_query(query: str) -> None:
    """They are no value that a step can have."""
    with pytest.raises(PromqlError, match="invalid expression type"):
        evaluate_range(parse(query), MemorySource(), 0, 60, 30)


def test_sort_orders_an_instant_result() -> None:
    """NaN comes last both ways."""
    source = source_of('m{i="1"} 3\nm{i="2"} NaN\nm{i="3"} 1')
    for query, order in (("sort(m)", "312"), ("sort_desc(m)", "132")):
        found = evaluate_instant(parse(query), source, 0)
        assert isinstance(found, Vector)
        assert "".join(sample.labels["i"] for sample in found) == order
