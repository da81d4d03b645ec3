"""The runner of test scripts: what it counts as passed, failed and out of scope."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.promql.script import Case, ScriptError, read_script
from monitor.promql.testing import Runner, Verdict, main

LOAD = """load 1m
  m{a="x"} 1 2 3
  m{a="y"} 4 _ stale
  n {{schema:0 count:3}}

"""


def verdicts(script: str) -> list[Verdict]:
    """Return the verdicts on a script's cases."""
    return [outcome.verdict for outcome in Runner().run(LOAD + script)]


@pytest.mark.parametrize(
    "case",
    [
        'eval instant at 1m m{a="x"}\n  m{a="x"} 2',
        "eval instant at 2m m\n  m{a='x'} 3",
        "eval range from 0 to 2m step 1m sum(m)\n  {} 5 6 3",
        "eval instant at 0 1 + 1\n  2",
        'eval instant at 0 "text"\n  expect string "text"',
        "eval_fail instant at 0 m + on () m",
        "eval instant at 0 m + on () m\n  expect fail regex: found duplicate",
        "eval_ordered instant at 0 sort_desc(m)\n  m{a='y'} 4\n  m{a='x'} 1",
        "eval instant at 2m rate(m[5m])\n  expect info\n  {a='x'} 0.0083333333",
        "eval instant at 0 absent(m)\n  expect no_warn",
        "eval instant at 0 quantile(7, n0)\n  expect warn msg: PromQL warning: "
        "quantile value should be between 0 and 1, got 7",
        "eval instant at 0 quantile(7, n0)\n  expect warn msg: PromQL warning: "
        "quantile value should be between 0 and 1, got 7 (1:10)",
        "eval instant at 2m m[2m]\n  expect range vector from 1m to 2m step 1m\n  m{a='x'} 2 3",
    ],
)
def test_a_case_that_holds_passes(case: str) -> None:
    """Each form of the language that upstream's scripts use."""
    assert verdicts(case) == [Verdict.PASSED]


@pytest.mark.parametrize(
    "case",
    [
        'eval instant at 1m m{a="x"}\n  m{a="x"} 2.001',
        'eval instant at 1m m{a="x"}',
        "eval instant at 1m nothing\n  nothing 1",
        "eval range from 0 to 2m step 1m sum(m)\n  {} 5 6",
        "eval instant at 0 1 + 1\n  3",
        'eval instant at 0 "text"\n  expect string "test"',
        "eval_fail instant at 0 m",
        "eval instant at 0 m + on () m\n  expect fail msg: something else",
        "eval instant at 0 m + on () m",
        "eval_ordered instant at 0 sort(m)\n  m{a='y'} 4\n  m{a='x'} 1",
        "eval instant at 0 absent(m)\n  expect warn",
        "eval instant at 0 quantile(7, n0)\n  expect warn msg: PromQL warning: "
        "quantile value should be between 0 and 1, got 7 (1:11)",
        "eval instant at 2m rate(m[5m])\n  expect no_info\n  {a='x'} 0.0083333333",
        "eval instant at 0 m{\n",
        "eval instant at 0 m bit 1\n",
        "eval instant at 0 invented_function(m)\n  expect fail msg: unknown function",
    ],
)
def test_a_case_that_does_not_hold_fails(case: str) -> None:
    """A runner that cannot fail proves nothing."""
    assert verdicts(case) == [Verdict.FAILED]


@pytest.mark.parametrize(
    "case",
    [
        "eval instant at 0 n\n  n {{schema:0 count:3}}",
        "eval instant at 0 count(n)\n  {} 1",
        "eval instant at 0 histogram_count(m)",
        "eval instant at 0 limitk(1, m)",
        "eval instant at 0 info(m)",
        "eval instant at 0 m + fill(0) m",
        "eval instant at 0 rate(m[5m] smoothed)",
        "eval instant at 0 m[1m+1m]",
        "eval instant at 0 m offset -(2^2)",
        "eval range from 0 to 1m step 1m m offset STEP()",
        "eval instant at 0 sum_over_time(m[1m::10s])",
        "eval instant at 0 m bitand 1",
        "eval instant at 0 invented_function(m)",
        "eval instant at 0 invented_function(m)\n  expect fail regex: of another kind",
        "load 1m\n  s{a='1'}@st _ -1m\n  s{a='1'} 1 2\n\neval instant at 0 s\n  s{a='1'} 1",
        "load 1m\n  s@st _ -1m\n  s 1 2\n\neval instant at 1m increase(s[1m])\n  {} 1",
        "load 1m\n  s ss(phase, on=1 off=0) x4\n\neval instant at 0 count(s)\n  {} 1",
        "load 1m\n  t{__type__='counter'} 1\n\neval instant at 0 t\n  t{__type__='counter'} 1",
    ],
)
def test_a_case_about_what_is_left_out_is_counted_apart(case: str) -> None:
    """Neither passed nor failed."""
    assert verdicts(case) == [Verdict.OUT_OF_SCOPE]


def test_clear_forgets_samples_and_native_histograms() -> None:
    """The next case starts from nothing."""
    assert verdicts("clear\n\neval instant at 0 {__name__=~'m|n'}") == [Verdict.PASSED]


def test_a_block_may_hold_several_commands() -> None:
    """Blank lines between them are custom, not law."""
    cases = list(read_script("eval instant at 0 1\n  1\neval instant at 0 2\n  2\n"))
    assert [case.expression for case in cases if isinstance(case, Case)] == ["1", "2"]


@pytest.mark.parametrize(
    "text", ["nonsense", "load 1m\n  {{{", "eval sometime 1", "load soon\n m 1"]
)
def test_a_line_of_no_command_is_an_error(text: str) -> None:
    """A misread script would pass by accident."""
    with pytest.raises(ScriptError):
        list(read_script(text))


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        ("eval instant at 0 1\n  1", 0, "1 passed, 0 failed, 0 out of scope"),
        ("eval instant at 0 1\n  2", 1, "line 1: eval instant at 0 1"),
        ("eval instant at 0 info(m)", 0, "out of scope: 1 × info() is not supported"),
        ("nonsense", 2, ""),
    ],
)
def test_the_command_tells_counts_and_failures(
    script: str, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One summary a file, the failing cases below it, and an exit code for scripts."""
    path = tmp_path / "a.test"
    path.write_text(script, "utf-8")
    assert main([str(path)]) == code
    assert says in capsys.readouterr().out
