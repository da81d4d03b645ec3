"""Our runner of rule tests: promtool's verdicts, and two more that promtool lets pass."""

from __future__ import annotations

import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from monitor.rules.unit_tests import check_rule_tests, run_test_files

RULES = """\
groups:
  - name: g
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.job }} is down'}
"""
HEAD = "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n"
SERIES = "    input_series: [{series: 'up{job=\"a\"}', values: '1 0x5 1x5'}]\n"
FIRES = (
    "      - eval_time: 3m\n        alertname: Down\n        exp_alerts:\n"
    "          - exp_labels: {job: a, severity: critical}\n"
    "            exp_annotations: {summary: 'a is down'}\n"
)
ALERTS = "    alert_rule_test:\n"
EXPRESSION = "    promql_expr_test:\n      - expr: job:up:sum\n        eval_time: 1m\n"

GOOD = {
    "fires": ALERTS + FIRES,
    "pending is silence": ALERTS + "      - {eval_time: 2m, alertname: Down}\n",
    "between two slots": ALERTS + FIRES.replace("3m", "3m59s"),
    "resolved": ALERTS + "      - {eval_time: 7m, alertname: Down}\n",
    "alertname named": ALERTS + FIRES.replace("{job: a,", "{alertname: Down, job: a,"),
    "expression": EXPRESSION
    + "        exp_samples: [{labels: 'job:up:sum{job=\"a\"}', value: 0}]\n",
    "no samples": EXPRESSION.replace("job:up:sum", "nothing"),
    "scalar": EXPRESSION.replace("job:up:sum", "vector(2)")
    + "        exp_samples: [{labels: '{}', value: 2}]\n",
}
BAD = {
    "wrong label": (ALERTS + FIRES.replace("job: a", "job: b"), "job: expected 'b', got 'a'"),
    "annotation missing": (ALERTS + FIRES.replace("a is down", "x"), "got      'a is down'"),
    "too early": (ALERTS + FIRES.replace("3m", "2m"), "its `for` has not passed yet"),
    "unexpected": (ALERTS + "      - {eval_time: 4m, alertname: Down}\n", "not expected"),
    "value": (
        EXPRESSION + "        exp_samples: [{labels: 'job:up:sum{job=\"a\"}', value: 1}]\n",
        "expected 1.0, got 0.0",
    ),
    "labels": (
        EXPRESSION + "        exp_samples: [{labels: 'job:up:sum{job=\"b\"}', value: 0}]\n",
        "which is not expected",
    ),
    "missing": (EXPRESSION, "which is not expected"),
}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed"
)


def written(folder: Path, test: str, head: str = HEAD) -> Path:
    """Write rules and a test file and return the latter."""
    (folder / "rules.yml").write_text(RULES)
    path = folder / "test.yml"
    path.write_text(head + SERIES + test)
    return path


def printed(path: Path) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    console = Console(file=StringIO(), width=200)
    code = check_rule_tests([path], console)
    assert isinstance(console.file, StringIO)
    return code, console.file.getvalue()


def promtool(path: Path) -> int:
    """Return promtool's exit code for the same file."""
    return subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("test", GOOD.values(), ids=GOOD)
def test_test_that_holds_passes(tmp_path: Path, test: str) -> None:
    """Exit code 0 and a line that says so."""
    code, text = printed(written(tmp_path, test))
    assert (code, "all passed" in text) == (0, True)


@pytest.mark.parametrize(("test", "words"), BAD.values(), ids=BAD)
def test_test_that_does_not_hold_says_what_differs(tmp_path: Path, test: str, words: str) -> None:
    """The difference can be read, and the line to look at is named."""
    code, text = printed(written(tmp_path, test))
    assert code == 1
    assert words in text
    assert "test.yml:" in text


@pytest.mark.real
@needs_promtool
@pytest.mark.parametrize("test", [*GOOD.values(), *[bad for bad, _ in BAD.values()]])
def test_promtool_comes_to_the_same_verdict(tmp_path: Path, test: str) -> None:
    """Passing here is passing there."""
    path = written(tmp_path, test)
    assert (promtool(path) == 0) == (printed(path)[0] == 0)


@pytest.mark.parametrize(
    ("test", "head", "words"),
    [
        (ALERTS + "      - {eval_time: 1m, alertname: Dwon}\n", HEAD, "no rule has the name Dwon"),
        (ALERTS + FIRES, HEAD.replace("[rules.yml]", "[rules.yml, 'no*.yml']"), "matches a file"),
    ],
    ids=["alert name", "pattern"],
)
def test_what_promtool_passes_in_silence_fails_here(
    tmp_path: Path, test: str, head: str, words: str
) -> None:
    """A mistyped name must not assert silence, a mistyped file must not assert anything."""
    code, text = printed(written(tmp_path, test, head))
    assert (code, words in text) == (1, True)


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("    alert_rule_tests: []\n", "alert_rule_tests"),
        (ALERTS + "      - {eval_time: soon, alertname: Down}\n", "duration"),
        ("    promql_expr_test: [{expr: 'sum(', eval_time: 1m}]\n", "test.yml:"),
    ],
)
def test_file_of_another_shape_is_told_with_its_line(tmp_path: Path, test: str, words: str) -> None:
    """Nothing is skipped because it was mistyped."""
    code, text = printed(written(tmp_path, test))
    assert (code, words in text) == (1, True)


def test_rule_that_cannot_be_evaluated_fails_the_test(tmp_path: Path) -> None:
    """An evaluation error is never silence."""
    path = written(tmp_path, ALERTS + "      - {eval_time: 1m, alertname: Down}\n")
    (tmp_path / "rules.yml").write_text(RULES.replace("up == 0", "up + on () (up or vector(1))"))
    report = run_test_files([path])
    assert "evaluation of Down" in report.failures[0].check
