"""No expression, label or number crashes, hangs or ends the process."""

from __future__ import annotations

import math
import re
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.promql import (
    STALE,
    Expr,
    MemorySource,
    Options,
    PromqlError,
    PromqlSyntaxError,
    QueryLimitError,
    StringLiteral,
    UnsupportedError,
    Vector,
    evaluate_instant,
    evaluate_range,
    parse,
    parse_series_values,
)

WORDS = [
    "up",
    "rate",
    "sum",
    "by",
    "without",
    "(",
    "(",
    ")",
    ")",
    "[5m]",
    "[1h:1m]",
    '{a="b"}',
    '{a=~"x.*"}',
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "==",
    "!=",
    ">",
    "<",
    ">=",
    "and",
    "or",
    "unless",
    "on(a)",
    "ignoring(a)",
    "group_left",
    "bool",
    "offset",
    "5m",
    "@",
    "-1",
    "@",
    "end()",
    "1e308",
    "NaN",
    "Inf",
    "0x1F",
    "topk(2,",
    ",",
    '"s"',
    "time()",
    "5",
    "histogram_quantile(",
    "quantile(",
    'label_replace(up,"a","$1","b","(.*)")',
    "absent(",
    "vector(1)",
    "start()",
    "avg_over_time(",
    "predict_linear(",
    'count_values("v",',
]
FUNCTIONS = ("rate", "increase", "deriv", "stddev_over_time", "avg_over_time", "changes", "irate")
numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.just(STALE), st.integers(-3, 3).map(float)
)
selectors = st.sampled_from(["m", 'm{a="0"}', '{a!="0"}', "m offset 1m", "m @ 120", "-m", "abs(m)"])


def expressions_over(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions made of smaller ones."""
    binary = st.sampled_from(["+", "/", "%", "^", "==", "> bool", "and", "or", "unless", "atan2"])
    return st.one_of(
        st.tuples(inner, binary, inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(inner, binary, inner).map(lambda t: f"({t[0]}) {t[1]} on (a) ({t[2]})"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda t: f"{t[0]}(({t[1]})[5m:30s])"),
        inner.map(lambda e: f"sum by (a) ({e})"),
        inner.map(lambda e: f"topk(1, {e})"),
        inner.map(lambda e: f"stddev({e})"),
        inner.map(lambda e: f"quantile(0.5, {e})"),
        inner.map(lambda e: f'count_values("v", {e})'),
        inner.map(lambda e: f'label_replace({e}, "a", "$1", "b", "(.*)")'),
        inner.map(lambda e: f"histogram_quantile(0.9, {e})"),
        inner.map(lambda e: f"month({e})"),
    )


def source_of(series: list[list[float]]) -> MemorySource:
    """Return a source with one sample every 30 s for every series."""
    source = MemorySource()
    for number, values in enumerate(series):
        labels = {"__name__": "m", "a": str(number % 2), "b": str(number), "le": str(number)}
        for step, value in enumerate(values):
            source.add(labels, step * 30_000, value)
    return source


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_sequence_of_words_parses_or_is_refused(text: str) -> None:
    """The parser's own faults never leave the adapter."""
    with suppress(PromqlSyntaxError):
        assert parse(str(parse(text))) == parse(text)


@given(st.text(max_size=80))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Surrogates, control characters and quotes included."""
    with suppress(PromqlSyntaxError):
        assert isinstance(parse(text), Expr)


@given(
    st.lists(st.lists(numbers, max_size=9), max_size=5),
    st.recursive(selectors, expressions_over, max_leaves=5),
)
@settings(deadline=None)
def test_any_expression_over_any_numbers_gives_a_result_or_a_refusal(
    series: list[list[float]], query: str
) -> None:
    """Instant and range evaluation agree on the last step, whatever the samples are."""
    source, options = source_of(series), Options(max_steps=500)
    with suppress(PromqlError):
        expr = parse(query)
        matrix = evaluate_range(expr, source, 0, 300, 60, options=options)
        instant = evaluate_instant(expr, source, 300, options=options)
        assert isinstance(instant, Vector)
        assert len(instant) == sum(300_000 in series.times_ms for series in matrix)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "-" * 10_000 + "1",
        "1+" * 10_000 + "1",
        "1^" * 10_000 + "1",
        "a or " * 5_000 + "a",
        "sum(" * 3_000,
        "up[5m:1m]" * 3_000,
        "x" * 40_000,
        '{a="' + "b" * 40_000,
        "up[1e30]",
        "up offset 1e300",
        "up @ 1e300",
        "up @ NaN",
        "up[99999999999999y]",
        'up{a=~"' + "(" * 1000 + ")" * 1000 + '"}',
        'up{a=~"((a{1,1000}){1,1000}){1,1000}"}',
        "up @ -9e99",
    ],
)
def test_expressions_that_harm_the_parser_are_refused(text: str) -> None:
    """Deep nesting ends the process, huge numbers panic: neither reaches the parser."""
    with pytest.raises(PromqlSyntaxError):
        parse(text)


@pytest.mark.parametrize(("text", "at"), [("foo @ -1", -1000), ("foo @ -1.5", -1500)])
def test_times_before_1970_can_be_named(text: str, at: int) -> None:
    """The parser's own attribute panics for them."""
    assert parse(text).at == at  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\xc3\xbf"', "ÿ"),
        (r'"\303\277\n\"\u00e9"', 'ÿ\n"é'),
        (r"'\xe2\x82\xac'", "€"),
        (r'"\u00ff"', "ÿ"),
        (r"`\xff`", r"\xff"),
    ],
)
def test_escaped_bytes_are_put_together(text: str, value: str) -> None:
    """Go's string literals escape bytes, not characters."""
    assert parse(text) == StringLiteral(value)


@pytest.mark.parametrize(
    "query",
    [
        r'count_values("a\xc5z", m)',
        r'label_replace(m, "\xff", "", "a", "")',
        r'label_join(m, "b", "", "\377")',
    ],
)
def test_a_label_name_that_is_no_text_is_refused(query: str) -> None:
    """And the message shows the stray byte."""
    with pytest.raises(PromqlError, match=r"invalid .*label name.*\\x(c5|ff)"):
        evaluate_instant(parse(query), source_of([[1.0]]), 0)


def test_a_label_value_that_is_no_text_matches_nothing() -> None:
    """As in Prometheus, asking for it is no error."""
    found = evaluate_instant(parse(r'm{a="\xff"}'), source_of([[1.0]]), 0)
    assert isinstance(found, Vector)
    assert not len(found)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('{a="b" or c="d"}', "`or` between label matchers"),
        ("info(up)", "info()"),
        ("limitk(1, up)", "limitk()"),
        ("limit_ratio(0.1, up)", "limit_ratio()"),
        ("histogram_count(up)", "native histograms"),
        ('sort_by_label(up, "a")', "sort_by_label() is experimental"),
        ("double_exponential_smoothing(up[5m], 0.5, 0.5)", "double_exponential_smoothing()"),
        ("rate(up[5m] smoothed)", "smoothed"),
        ("rate(up[5m] anchored)", "anchored"),
        ("up + fill(0) up", "fill modifiers"),
    ],
)
def test_what_is_left_out_is_refused_by_name(query: str, names: str) -> None:
    """The message tells which construct a rule must do without."""
    with pytest.raises(UnsupportedError, match=re.escape(names)):
        parse(query)


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("count_over_time(m[1y:1s])", Options()),
        ("m", Options(max_samples=1)),
        ("sum_over_time(m[5m])", Options(max_samples=3)),
        ("m", Options(timeout_seconds=0.0)),
    ],
)
def test_a_query_beyond_its_bounds_is_refused(query: str, options: Options) -> None:
    """Steps, samples and time are bounded before the work is done."""
    with pytest.raises(QueryLimitError):
        evaluate_instant(parse(query), source_of([[1.0] * 9] * 3), 300, options=options)


def test_a_query_is_refused_before_what_it_would_make_is_made() -> None:
    """Every value that is counted becomes a series of all steps: 100 GB here, if it were made."""
    source = source_of(
        [[float(step * 400 + number) for step in range(300)] for number in range(40)]
    )
    tracemalloc.start()
    with pytest.raises(QueryLimitError, match="samples"):
        evaluate_range(parse("count_values('v', m)"), source, 0, 10_000, 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 200e6


@pytest.mark.parametrize("at", [math.nan, math.inf, 1e300])
def test_a_time_out_of_range_is_refused(at: float) -> None:
    """Times are whole milliseconds in 64 bits."""
    with pytest.raises(PromqlError):
        evaluate_instant(parse("1"), MemorySource(), at)


def test_a_range_query_with_too_many_steps_is_refused() -> None:
    """As Prometheus has it, 11,000 points are the most."""
    with pytest.raises(QueryLimitError, match="11000"):
        evaluate_range(parse("1"), MemorySource(), 0, 11_000, 1)


@pytest.mark.parametrize("text", ["1x99999999999", "1+1x2000000", "a", "1x-1", "{{}}", "1 2 3z"])
def test_malformed_series_values_are_refused(text: str) -> None:
    """The notation of test data cannot exhaust memory."""
    with pytest.raises(PromqlSyntaxError):
        parse_series_values(text)
