"""Runs Prometheus's test scripts against this evaluator: `python -m monitor.promql.testing FILE…`.

Cases that need what the language here leaves out (native histograms above all) are counted and
named as out of scope, never as passed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from monitor.promql.ast import Anchor, Expr, Subquery, VectorSelector
from monitor.promql.engine import evaluate_instant, evaluate_range
from monitor.promql.errors import PromqlError, UnsupportedError
from monitor.promql.inspect import selectors_of
from monitor.promql.judging import (
    compare,
    judge_error,
    judge_remarks,
    judge_result,
    points_of,
)
from monitor.promql.matchers import compile_matcher
from monitor.promql.memory import MemorySource
from monitor.promql.options import Options
from monitor.promql.parser import parse
from monitor.promql.result import Result, Vector
from monitor.promql.script import (
    Case,
    Clear,
    Load,
    ScriptError,
    read_script,
)

OPTIONS = Options(delayed_name_removal=True, max_steps=10_000_000)
NATIVE = "native histograms"
METADATA = frozenset({"__type__", "__unit__"})
LEFT_OUT_SYNTAX = (
    (
        re.compile(r"\b(anchored|smoothed)\b|\bfill(_left|_right)?\s*\("),
        "experimental modifiers",
    ),
    (re.compile(r"\[[^\]\":]*::[^\]\"]*\]"), "aligned subqueries"),
    (re.compile(r"\bbit(and|or|xor)\b"), "bitwise operators"),
    (
        re.compile(
            r"\[[^\]\"]*[-+*/%^(][^\]\"]*\]"
            r"|offset\s*[-+]*\s*(\(|[a-z_]+\s*\(|[\d.]+\w*\s*[\^*/%])",
            re.IGNORECASE,
        ),
        "duration expressions",
    ),
)
UNKNOWN_FUNCTION = re.compile(r"unknown function with name '(\w+)'")


class Verdict(StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    OUT_OF_SCOPE = "out of scope"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one case, and the reason where it did not pass."""

    case: Case
    verdict: Verdict
    reason: str = ""


@dataclass(slots=True)
class Runner:
    """The state of a script while it runs."""

    source: MemorySource = field(default_factory=MemorySource)
    left_out: list[tuple[dict[str, str], str]] = field(default_factory=list)  # series, reason

    def run(self, text: str) -> Iterator[Outcome]:
        """Yield the outcome of every case of a script."""
        for command in read_script(text):
            if isinstance(command, Clear):
                self.source, self.left_out = MemorySource(), []
            elif isinstance(command, Load):
                self.load(command)
            else:
                yield self.judge(command)

    def load(self, command: Load) -> None:
        """Add a load command's samples, and remember which series are native histograms."""
        for series in command.series:
            name = series.labels.get("__name__", "")
            if series.left_out:
                self.left_out.append((series.labels, series.left_out))
                continue
            if METADATA & series.labels.keys():
                self.left_out.append((series.labels, "type and unit labels"))
            if command.with_native:
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                self.left_out.append(({**series.labels, "__name__": base, "le": ""}, NATIVE))
            for index, value in enumerate(series.values):
                if value is not None:
                    self.source.add(series.labels, index * command.step_ms, value)

    def judge(self, case: Case) -> Outcome:
        """Return the verdict on one case."""
        if reason := self.out_of_scope(case):
            return Outcome(case, Verdict.OUT_OF_SCOPE, reason)
        reason = self.fault(case)
        return Outcome(case, Verdict.FAILED if reason else Verdict.PASSED, reason)

    def out_of_scope(self, case: Case) -> str:
        """Return why a case is about something the language here leaves out; empty if it is not."""
        if any("{{" in line for line in case.expected.lines):
            return NATIVE
        try:
            expr = parse(case.expression, experimental=True)
        except UnsupportedError as error:
            return str(error)
        except PromqlError as error:
            return unknown_function(str(error), case) or left_out_syntax(case.expression)
        return next(filter(None, map(self.selected_left_out, selectors_of(expr))), "")

    def selected_left_out(self, selector: VectorSelector) -> str:
        """Return why a series that a selector would find is left out, empty if it finds none."""
        tests = [(m.name, compile_matcher(m)) for m in selector.matchers]
        for labels, reason in self.left_out:
            if all(test(labels.get(name, "")) for name, test in tests):
                return reason
        return ""

    def fault(self, case: Case) -> str:
        """Return what is wrong with a case's result, empty if nothing is."""
        try:
            expr = parse(case.expression, experimental=True)
            result = self.evaluate(expr, case)
        except PromqlError as error:
            return judge_error(str(error), case)
        if case.expected.fails:
            return "evaluation succeeded, expected it to fail"
        return (
            judge_remarks(result.remarks, case)
            or judge_result(result, case)
            or self.judge_middle_step(expr, result, case)
        )

    def evaluate(self, expr: Expr, case: Case) -> Result:
        """Return the result of a case."""
        start, end, step = (time / 1000 for time in case.times)
        if case.is_instant:
            return evaluate_instant(expr, self.source, start, options=OPTIONS)
        return evaluate_range(expr, self.source, start, end, step, options=OPTIONS)

    def judge_middle_step(self, expr: Expr, result: Result, case: Case) -> str:
        """Return how a range query around an instant query's time disagrees with it."""
        if not isinstance(result, Vector) or has_anchor(expr) or not case.is_instant:
            return ""
        at = case.times[0]
        wide = evaluate_range(
            expr, self.source, at / 1000 - 60, at / 1000 + 60, 60, options=OPTIONS
        )
        middle = {
            key: kept
            for key, points in points_of(wide).items()
            if (kept := [(t, v) for t, v in points if t == at])
        }
        difference = compare(points_of(result), middle)
        return f"as a range query: {difference}" if difference else ""


def left_out_syntax(expression: str) -> str:
    """Return why a text that does not parse is out of scope; empty if it should fail or parse."""
    found = (reason for pattern, reason in LEFT_OUT_SYNTAX if pattern.search(expression))
    return next(found, "")


def unknown_function(error: str, case: Case) -> str:
    """Return why a case is out of scope that calls a function not known here, empty if it is not.

    Every stable function of Prometheus 3 is known: what is not is newer, or of a fork.
    """
    found = UNKNOWN_FUNCTION.search(error)
    if found is None or "unknown function" in case.expected.message:
        return ""
    return f"{found[1]}() is no function of Prometheus 3 known here"


def has_anchor(expr: Expr) -> bool:
    """Whether an expression depends on the start or end of its query."""
    return any(
        isinstance(node, VectorSelector | Subquery) and isinstance(node.at, Anchor)
        for node in expr.walk()
    ) or any(word in str(expr) for word in ("start()", "end()", "step()", "range()"))


def report(path: Path, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines that tell of one file."""
    counts = {v: sum(o.verdict is v for o in outcomes) for v in Verdict}
    yield f"{path}: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    for outcome in outcomes:
        if outcome.verdict is Verdict.FAILED:
            yield f"  line {outcome.case.line}: {outcome.case.source}\n    {outcome.reason}"
    reasons: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.verdict is Verdict.OUT_OF_SCOPE:
            reasons[outcome.reason] = reasons.get(outcome.reason, 0) + 1
    for reason, count in sorted(reasons.items()):
        yield f"  out of scope: {count} × {reason}"


def main(arguments: Sequence[str]) -> int:
    """Run the named scripts; the exit code is 1 if any case failed, 2 if a file cannot be read."""
    if not arguments:
        print("usage: python -m monitor.promql.testing FILE…", file=sys.stderr)
        return 2
    failed = False
    for name in arguments:
        try:
            outcomes = list(Runner().run(Path(name).read_text("utf-8")))
        except (OSError, ScriptError, PromqlError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        failed |= any(outcome.verdict is Verdict.FAILED for outcome in outcomes)
        print("\n".join(report(Path(name), outcomes)))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
