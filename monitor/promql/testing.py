"""Runs Prometheus's test scripts against this evaluator: `python -m monitor.promql.testing FILE…`.

Cases that need what the language here leaves out (native histograms above all) are counted and
named as out of scope, never as passed.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from monitor.promql.ast import Anchor, Expr, Subquery, VectorSelector
from monitor.promql.engine import evaluate_instant, evaluate_range
from monitor.promql.errors import PromqlError, UnsupportedError
from monitor.promql.inspect import selectors_of
from monitor.promql.matchers import compile_matcher
from monitor.promql.memory import LabelKey, MemorySource
from monitor.promql.notation import parse_selector_labels, parse_series_values
from monitor.promql.options import Options
from monitor.promql.parser import parse
from monitor.promql.result import Matrix, Remarks, Result, Scalar, String, Vector
from monitor.promql.script import (
    SERIES_LINE,
    Case,
    Clear,
    Load,
    ScriptError,
    read_script,
)

OPTIONS = Options(delayed_name_removal=True, max_steps=10_000_000)
TOLERANCE = 1e-6  # relative
NATIVE = "native histograms"
METADATA = frozenset({"__type__", "__unit__"})
DURATION_EXPRESSION = re.compile(
    r"\[[^\]\"]*[-+*/%^(][^\]\"]*\]|offset\s*[-+]*\s*(\(|[a-z_]+\s*\(|[\d.]+\w*\s*[\^*/%])"
)
EXPERIMENTAL = re.compile(r"\b(anchored|smoothed)\b|\bfill(_left|_right)?\s*\(")
Points = dict[LabelKey, list[tuple[int, float]]]


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
            if series.values is None:
                self.left_out.append((series.labels, NATIVE))
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
        except PromqlError:
            return left_out_syntax(case.expression)
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
    if EXPERIMENTAL.search(expression):
        return "experimental modifiers"
    return "duration expressions" if DURATION_EXPRESSION.search(expression) else ""


def has_anchor(expr: Expr) -> bool:
    """Whether an expression depends on the start or end of its query."""
    return any(
        isinstance(node, VectorSelector | Subquery) and isinstance(node.at, Anchor)
        for node in expr.walk()
    ) or any(word in str(expr) for word in ("start()", "end()", "step()", "range()"))


def judge_error(error: str, case: Case) -> str:
    """Return what is wrong with a failed evaluation."""
    if not case.expected.fails:
        return f"evaluation failed: {error}"
    return "" if says(case.expected.message, [error]) else f"failed with another message: {error}"


def says(wanted: str, messages: Sequence[str]) -> bool:
    """Whether any message is the one wanted: `msg:` in full, `regex:` in part, empty any at all."""
    if wanted.startswith("msg:"):
        return wanted[4:].strip() in messages
    if wanted.startswith("regex:"):
        return any(re.search(wanted[6:].strip(), message) for message in messages)
    return bool(messages)


def judge_remarks(remarks: Remarks, case: Case) -> str:
    """Return which expected warning or information is missing, or unwanted."""
    for kind, wanted in case.expected.remarks:
        found = remarks.infos if kind.endswith("info") else remarks.warnings
        if kind.startswith("no_"):
            if found:
                return f"unexpected: {found[0]}"
        elif not says(wanted, found):
            return f"expected {kind} {wanted}, found {list(found)}"
    return ""


def judge_result(result: Result, case: Case) -> str:
    """Return how a result differs from what is expected."""
    expected = case.expected
    if isinstance(result, String):
        return "" if result.value == expected.text else f"got string {result.value!r}"
    if isinstance(result, Scalar):
        wanted = parse_series_values(expected.lines[0])[0] if expected.lines else None
        same = wanted is not None and close(result.value, wanted)
        return "" if same else f"got {result.value}"
    wanted_points = expected_points(case)
    if difference := compare(wanted_points, points_of(result)):
        return difference
    if expected.ordered and isinstance(result, Vector):
        order = [key_of(sample.labels) for sample in result]
        return "" if order == list(wanted_points) else "in another order"
    return ""


def expected_points(case: Case) -> Points:
    """Return the expected series with their times and values."""
    start, _, step = case.expected.range_ms or case.times
    found: Points = {}
    for line in case.expected.lines:
        matched = SERIES_LINE.fullmatch(line)
        text, numbers = (matched["labels"], matched["values"]) if matched else ("{}", line)
        values = parse_series_values(numbers)
        points = [(start + i * step, v) for i, v in enumerate(values) if v is not None]
        found[key_of(parse_selector_labels(text))] = points
    return {key: points for key, points in found.items() if points}


def points_of(result: Result) -> Points:
    """Return a result's series with their times and values."""
    if isinstance(result, Vector):
        return {key_of(s.labels): [(round(s.timestamp * 1000), s.value)] for s in result}
    assert isinstance(result, Matrix)
    return {
        key_of(s.labels): list(zip(s.times_ms.tolist(), s.values.tolist(), strict=True))
        for s in result
    }


def key_of(labels: Mapping[str, str]) -> LabelKey:
    """Return labels in a form that compares."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def compare(wanted: Points, found: Points) -> str:
    """Return the first difference between two results, empty if there is none."""
    for key in wanted.keys() | found.keys():
        left, right = wanted.get(key, []), found.get(key, [])
        same_times = [t for t, _ in left] == [t for t, _ in right]
        pairs = zip(left, right, strict=False)
        if not same_times or not all(close(a, b) for (_, a), (_, b) in pairs):
            return f"{dict(key)}: expected {left[:12]}, got {right[:12]}"
    return ""


def close(a: float, b: float) -> bool:
    """Whether two values are equal as the scripts mean it."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) < TOLERANCE * min(abs(a) + abs(b), sys.float_info.max)


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
