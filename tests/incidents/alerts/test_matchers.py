"""Matchers as command line and dashboards write them."""

from __future__ import annotations

import pytest

from incidents.alerts.matchers import BadMatcher, all_hold, parse_matcher

LABELS = {"alertname": "JourneyDown", "team": 'a "b"', "location": "eu"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("alertname=JourneyDown", True),
        ('alertname="JourneyDown"', True),
        ("alertname = Other", False),
        ("alertname!=Other", True),
        ("location=~e.", True),
        ("location=~e", False),
        ("location!~za|us", True),
        (r'team="a \"b\""', True),
        ("missing=", True),
        ("missing!=", False),
    ],
)
def test_a_matcher_compares_the_whole_value(text: str, holds: bool) -> None:
    """A missing label is an empty one."""
    matcher = parse_matcher(text)
    assert matcher.holds(LABELS) is holds
    assert matcher.test()(LABELS.get(matcher.name, "")) is holds


@pytest.mark.parametrize("text", ["", "nonsense", "1a=b", "a=~(", 'a="open', "a==b{"])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """Regular expressions are checked when they are written, not when they are used."""
    with pytest.raises(BadMatcher, match="bad matcher format"):
        parse_matcher(text)


def test_all_must_hold_and_none_do_always() -> None:
    """A list of conditions is an and."""
    matchers = [parse_matcher("location=eu"), parse_matcher("alertname=Other")]
    assert (all_hold(matchers, LABELS), all_hold([], LABELS)) == (False, True)
