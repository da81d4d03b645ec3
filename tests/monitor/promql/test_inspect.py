"""What the loader and the lint of rule files ask of an expression."""

from __future__ import annotations

import pytest

from monitor.promql import (
    Aggregate,
    Binary,
    Cardinality,
    PromqlSyntaxError,
    max_range_seconds,
    metric_names_of,
    parse,
    parse_selector_labels,
    selectors_of,
)


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("up", 300),
        ("up offset 1h", 3900),
        ("rate(up[5m])", 300),
        ("rate(up[5m] offset 1h) / rate(up[2h])", 7200),
        ("max_over_time(rate(up[5m])[1h:1m])", 3900),
        ("max_over_time(up[1h:1m] offset 10m)", 3600 + 600 + 300),
        ("rate(up[5m] @ 1e9)", 0),
        ("vector(1)", 0),
    ],
)
def test_an_expression_knows_how_far_it_looks_back(query: str, seconds: float) -> None:
    """Ranges, offsets and subqueries add up; fixed times do not count."""
    assert max_range_seconds(parse(query)) == seconds


def test_selectors_and_names_are_found_everywhere() -> None:
    """Inside ranges, aggregations and parameters."""
    expr = parse('topk(scalar(k), sum by (a) (rate(m{x="1"}[5m]))) > on (a) group_left (b) {y="2"}')
    assert metric_names_of(expr) == {"k", "m"}
    assert [str(s) for s in selectors_of(expr)] == ["k", 'm{x="1"}', '{y="2"}']


def test_the_tree_tells_grouping_and_matching() -> None:
    """A lint needs to see which labels survive."""
    expr = parse("sum without (i) (a) * on (j) group_left (k) b")
    assert isinstance(expr, Binary)
    assert isinstance(expr.lhs, Aggregate)
    assert (expr.lhs.grouping, expr.lhs.without) == (("i",), True)
    assert expr.matching is not None
    assert expr.matching.cardinality is Cardinality.MANY_TO_ONE
    assert (expr.matching.labels, expr.matching.include) == (("j",), ("k",))


@pytest.mark.parametrize(
    "query",
    [
        "a + b * c ^ -2",
        'sum by ("a.b", c) (rate({"m.x", l!~"v\\"\\n"}[1d2h]))',
        "-a @ 12.345 offset -5m",
        "x[5m:] @ end() offset 3ms",
        "a > bool on () group_right (z) b",
        "quantile without (a) (0.5, m)",
        "1e-7 + Inf - 0x1F",
    ],
)
def test_a_tree_is_written_as_text_that_parses_to_it(query: str) -> None:
    """So that messages can show what was understood."""
    assert parse(str(parse(query))) == parse(query)


@pytest.mark.parametrize("text", ["a > 1", 'a{b!="c"}', "rate(a[5m])", "{", ""])
def test_only_plain_series_are_series(text: str) -> None:
    """Test data names series, it does not select them."""
    with pytest.raises(PromqlSyntaxError):
        parse_selector_labels(text)
