"""Which rules an event touches, and in which order they are evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.promql import parse
from monitor.rules.dependencies import Dependencies, reads_of
from tests.monitor.rules.running import groups_of

RULES = (
    {"alert": "Top", "expr": "second > 1"},
    {"record": "second", "expr": "first + other"},
    {"record": "first", "expr": "rate(hits_total[5m])"},
    {"alert": "Other", "expr": 'other{journey="b"} > 1'},
    {"alert": "Regex", "expr": '{__name__=~"oth.*", journey!="a"} > 1'},
)


def affected(folder: Path, name: str, **labels: str) -> list[tuple[str, bool]]:
    """Return the names of the rules an event touches, and whether at once."""
    found = Dependencies(groups_of(folder, *RULES)).affected([name], labels)
    return [(one.rule.name, one.at_once) for one in found]


@pytest.mark.parametrize(
    ("name", "labels", "names"),
    [
        ("hits_total", {}, [("first", False), ("second", False), ("Top", False)]),
        ("other", {"journey": "a"}, [("second", True), ("Top", True)]),
        (
            "other",
            {"journey": "b"},
            [("Other", True), ("Regex", True), ("second", True), ("Top", True)],
        ),
        ("second", {}, [("Top", True)]),
        ("unrelated", {}, []),
    ],
)
def test_event_touches_readers_and_readers_of_what_they_write(
    tmp_path: Path, name: str, labels: dict[str, str], names: list[tuple[str, bool]]
) -> None:
    """Recording rules come before what builds upon them, whatever the order in the file."""
    assert affected(tmp_path, name, **labels) == names


def test_rules_that_read_each_other_in_a_circle_are_evaluated_once(tmp_path: Path) -> None:
    """A circle ends, and nothing is evaluated for ever."""
    circle = ({"record": "a", "expr": "b + x"}, {"record": "b", "expr": "a + 1"})
    found = Dependencies(groups_of(tmp_path, *circle)).affected(["x"], {})
    assert sorted(one.rule.name for one in found) == ["a", "b"]


def test_selectors_inside_ranges_and_subqueries_are_not_read_at_once() -> None:
    """Only the present value of a series makes a rule urgent."""
    reads = list(reads_of(parse("a + rate(b[5m]) + max_over_time(c[5m:1m])")))
    assert [one.is_instant for one in reads] == [True, False, False]
