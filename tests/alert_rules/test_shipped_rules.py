"""The shipped rule files: tested by both evaluators, documented, and free of lint."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.rules.files import load_rule_files
from monitor.rules.model import AlertingRule
from monitor.rules.unit_tests import run_test_files
from monitor.rules.unit_tests.model import RuleTestFile
from probes.faults import Fault
from probes.yamlfile import read_yaml, validate

FOLDER = Path(__file__).parents[2] / "alert_rules"
RULE_FILES = sorted(FOLDER.glob("*.yml"))
TEST_FILES = sorted((FOLDER / "tests").glob("*.yml"))
DAY = 86_400.0
RULES = [
    rule
    for group in load_rule_files(RULE_FILES, retention_seconds=4 * DAY)
    for rule in group.rules
    if isinstance(rule, AlertingRule)
]
NAMES = sorted({rule.name for rule in RULES})
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)


def expectations() -> dict[str, set[bool]]:
    """Return for every alert name whether tests expect it to fire, not to fire, or both."""
    found: dict[str, set[bool]] = {name: set() for name in NAMES}
    faults: list[Fault] = []
    for path in TEST_FILES:
        document = read_yaml(path, faults)
        assert document is not None
        content = validate(document, RuleTestFile, faults)
        assert content is not None, faults
        for test in content.tests or ():
            for check in test.alert_rule_test or ():
                found[check.alertname].add(bool(check.exp_alerts))
    return found


EXPECTED = expectations()


@pytest.mark.slow
@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_rule_tests_pass_in_our_own_runner(path: Path) -> None:
    """Every shipped rule test holds."""
    report = run_test_files([path])
    assert report.checks
    assert report.is_good, [*report.faults, *report.failures]


@pytest.mark.real
@pytest.mark.slow
@needs_promtool
@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.stem)
def test_rule_tests_pass_in_promtool_as_well(path: Path) -> None:
    """Prometheus's own tool comes to the same verdict on the very same files."""
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.real
@needs_promtool
def test_promtool_finds_no_lint_in_the_shipped_rules() -> None:
    """`promtool check rules` accepts the files with every lint fatal."""
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULE_FILES)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Watchdog"])
def test_every_alert_is_tested_to_fire_and_not_to_fire(name: str) -> None:
    """An alert whose tests only go one way is not tested."""
    assert EXPECTED[name] == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_has_a_runbook_with_the_sections_an_engineer_needs(name: str) -> None:
    """A page without first steps or without an end is no help at night."""
    text = (FOLDER / "runbooks" / f"{name}.md").read_text("utf-8")
    assert text.startswith(f"# {name}\n")
    for heading in ("What customers see", "First five minutes", "Likely causes", "It is over when"):
        assert f"\n## {heading}\n" in text


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    """Every page belongs to an alert."""
    assert sorted(path.stem for path in (FOLDER / "runbooks").glob("*.md")) == NAMES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}:{rule.line}")
def test_every_alert_says_what_people_need(rule: AlertingRule) -> None:
    """Severity, component, summary, description and runbook are there, whoever gets the alert."""
    labels = {name: template.text for name, template in rule.labels.items()}
    severity = labels["severity"]
    assert severity in {"critical", "warning", "info", "none", "{{ $labels.severity }}"}
    assert "component" in labels or re.search(r"\bcomponent\b", rule.expression)
    assert rule.annotations["summary"].text.strip()
    assert rule.annotations["description"].text.strip()
    assert rule.annotations["runbook_url"].text == f"/runbooks/{rule.name}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}:{rule.line}")
def test_customers_are_told_of_the_shop_and_never_of_the_monitor(rule: AlertingRule) -> None:
    """A customer message is written for alerts about the shop alone, and names no machinery."""
    message = rule.annotations.get("customer_message")
    if rule.labels.get("component") and rule.labels["component"].text == "monitor":
        assert message is None
    elif message is not None:
        assert not re.search(
            r"probe|journey|alert|step|quorum", re.sub(r"{{.*?}}", "", message.text)
        )
