"""The lint of rule files: every check finds its mistake, and the shipped rules have none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.promql import parse
from monitor.rules.files import load_rule_files
from monitor.rules.lint import LintSettings, lint
from monitor.rules.lint.checks import CHECKS
from monitor.rules.lint.labels import possible_labels
from tests.monitor.rules.running import groups_of

SHIPPED = Path(__file__).parents[3] / "alert_rules"
WORDS = {"summary": "s", "description": "d", "runbook_url": "/runbooks/Good"}
GOOD: dict[str, Any] = {
    "alert": "Good",
    "expr": "sum by (job) (rate(hits_total[5m])) > 5",
    "for": "1m",
    "labels": {"severity": "warning"},
    "annotations": WORDS,
}
RECORD: dict[str, Any] = {
    "record": "job:hits:rate5m",
    "expr": "sum by (job) (rate(hits_total[5m]))",
}
SETTINGS = LintSettings(external_labels={"region": "eu"}, runbooks={"Good"})

MISTAKES: list[tuple[str, dict[str, Any]]] = [
    ("alerts/annotation", {**GOOD, "annotations": {"summary": "s", "description": "d"}}),
    ("alerts/comparison", {**GOOD, "expr": "sum(up)"}),
    ("alerts/comparison", {**GOOD, "expr": "up == bool 1"}),
    ("alerts/template", {**GOOD, "labels": {"severity": "info", "v": "{{ $value }}"}}),
    ("alerts/template", {**GOOD, "annotations": {**WORDS, "summary": "{{ $labels.instance }}"}}),
    ("alerts/for", {**GOOD, "for": "5s"}),
    ("alerts/for", {**GOOD, "keep_firing_for": "2d"}),
    ("alerts/absent", {**GOOD, "expr": "absent(up)", "for": "15s"}),
    ("alerts/external_labels", {**GOOD, "labels": {"severity": "info", "region": "us"}}),
    ("rule/label", {**GOOD, "labels": {}}),
    ("rule/label", {**GOOD, "labels": {"severity": "page"}}),
    ("rule/name", {**GOOD, "alert": "good_alert"}),
    ("rule/name", {**RECORD, "record": "hits"}),
    ("rule/dependency", {**GOOD, "expr": "job:nothing:rate5m > 1"}),
    ("rule/link", {**GOOD, "annotations": {**WORDS, "runbook_url": "/runbooks/Gone"}}),
    ("promql/rate", {**GOOD, "expr": "rate(hits_total[20s]) > 1"}),
    ("promql/counter", {**GOOD, "expr": "rate(temperature[5m]) > 1"}),
    ("promql/counter", {**GOOD, "expr": "hits_total > 1"}),
    ("promql/fragile", {**GOOD, "expr": "topk(3, up) > 1"}),
    ("promql/nan", {**RECORD, "expr": "rate(a_total[5m]) / rate(b_total[5m])"}),
    ("promql/impossible", {**GOOD, "expr": 'up{job="a", job="b"} == 0'}),
    ("promql/impossible", {**GOOD, "expr": "vector(1) and vector(1 > bool 2)"}),
    ("promql/vector_matching", {**GOOD, "expr": "sum by (a) (up) / on (b) up > 1"}),
    ("promql/vector_matching", {**GOOD, "expr": "sum by (a) (up) / sum by (b) (up) > 1"}),
    ("promql/regexp", {**GOOD, "expr": 'up{job=~"shop"} == 0'}),
    ("promql/regexp", {**GOOD, "expr": 'up{job=~"^sh.p$"} == 0'}),
    ("promql/selector", {**GOOD, "expr": '{job="shop"} == 0'}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "rule"), MISTAKES, ids=lambda value: str(value)[:40])
def test_mistake_is_found_by_its_check_and_by_no_other(
    tmp_path: Path, check: str, rule: dict[str, Any]
) -> None:
    """One mistake, one finding with file and line."""
    found = lint(groups_of(tmp_path, rule), SETTINGS)
    assert {one.check for one in found} == {check}
    assert all(one.line > 1 and one.file.endswith("rules.yml") for one in found)


@pytest.mark.parametrize("rule", [GOOD, RECORD], ids=["alert", "record"])
def test_good_rule_is_left_in_peace(tmp_path: Path, rule: dict[str, Any]) -> None:
    """No finding without a mistake."""
    assert lint(groups_of(tmp_path, rule), SETTINGS) == ()


@pytest.mark.parametrize(
    ("check", "group"),
    [("group/interval", {"interval": "10m"}), ("rule/portability", {"query_offset": "1m"})],
)
def test_doubtful_group_is_found(tmp_path: Path, check: str, group: dict[str, str]) -> None:
    """What stands at the group is told at its rules."""
    assert {one.check for one in lint(groups_of(tmp_path, RECORD, **group))} == {check}


def test_rules_of_one_name_and_one_set_of_labels_are_found(tmp_path: Path) -> None:
    """Their alerts could not be told apart."""
    found = lint(groups_of(tmp_path, GOOD, {**GOOD, "expr": "up == 0"}), SETTINGS)
    assert [one.check for one in found] == ["rule/duplicate"]


def test_every_check_has_a_mistake_in_this_file() -> None:
    """A check without a test is a guess."""
    tested = {check for check, _ in MISTAKES} | {"group/interval", "rule/portability"}
    assert tested == set(CHECKS)


def test_check_that_is_switched_off_says_nothing(tmp_path: Path) -> None:
    """Advice may be declined."""
    settings = LintSettings(runbooks={"Good"}, off={"rule/label"})
    assert lint(groups_of(tmp_path, {**GOOD, "labels": {}}), settings) == ()


def test_shipped_rules_have_no_findings() -> None:
    """We keep to our own advice."""
    groups = load_rule_files(sorted(SHIPPED.glob("*.yml")))
    runbooks = {path.stem for path in (SHIPPED / "runbooks").glob("*.md")}
    assert lint(groups, LintSettings(runbooks=runbooks)) == ()


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("up", None),
        ("sum(up)", set()),
        ("sum by (a, b) (up)", {"a", "b"}),
        ("sum without (a) (sum by (a, b) (up))", {"b"}),
        ("sum by (a) (up) * on (a) group_left (c) x", {"a", "c"}),
        ("sum by (a) (up) or sum by (b) (up)", {"a", "b"}),
        ("sum by (a) (up) and x", {"a"}),
        ("up / on (a) x", {"a"}),
        ("rate(x[5m])", None),
        ('label_replace(sum(up), "z", "1", "", "")', {"z"}),
        ('absent(up{job="a", x=~"b"})', {"__name__", "job"}),
        ('count_values("v", up)', {"v"}),
        ("vector(1)", set()),
        ("3 * sum by (a) (up)", {"a"}),
        ("-sum by (a) (up) > 1", {"a"}),
        ("topk(1, sum by (a) (up))", {"a"}),
    ],
)
def test_labels_of_a_result_are_known_where_the_expression_tells(
    expression: str, labels: set[str] | None
) -> None:
    """The knowledge that templates and joins are checked against."""
    assert possible_labels(parse(expression)) == labels
