"""A result against what a test script expects of it: the first difference, in words."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping, Sequence

from monitor.promql.memory import LabelKey
from monitor.promql.notation import parse_selector_labels, parse_series_values
from monitor.promql.result import Matrix, Remarks, Result, Scalar, String, Vector
from monitor.promql.script import SERIES_LINE, Case

TOLERANCE = 1e-6  # relative
PLACE = re.compile(r" \(\d+:\d+\)$")  # where in the expression; older scripts leave it out
Points = dict[LabelKey, list[tuple[int, float]]]


def judge_error(error: str, case: Case) -> str:
    """Return what is wrong with a failed evaluation."""
    if not case.expected.fails:
        return f"evaluation failed: {error}"
    return "" if says(case.expected.message, [error]) else f"failed with another message: {error}"


def says(wanted: str, messages: Sequence[str]) -> bool:
    """Whether any message is the one wanted: `msg:` in full, `regex:` in part, empty any at all."""
    if wanted.startswith("msg:"):
        text = wanted[4:].strip()
        return any(text in (message, PLACE.sub("", message)) for message in messages)
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
