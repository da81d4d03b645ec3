"""Expected against actual, and the difference in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.rules.model import Labels

EXACT = 1e-9  # relative: two evaluators may round the last digits differently
FUZZY = 1e-5


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert as far as tests look at it."""

    labels: Labels
    annotations: Mapping[str, str] = field(default_factory=dict)


def written(labels: Labels) -> str:
    """Return labels as they are written in a test."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"


def alert_differences(
    expected: Sequence[Firing], actual: Sequence[Firing], pending: Iterable[Labels] = ()
) -> list[str]:
    """Return a line for every difference; none where both sides say the same."""
    lines = []
    wanted = {one.labels: one for one in expected}
    fired = {one.labels: one for one in actual}
    pending = set(pending)
    for labels, one in wanted.items():
        if labels in fired:
            lines += _annotations(labels, one.annotations, fired[labels].annotations)
            continue
        lines.append(f"expected, but not firing: {written(labels)}")
        if labels in pending:
            lines.append("  it is pending: its `for` has not passed yet")
        else:
            lines += _nearest(labels, [other for other in fired if other not in wanted])
    lines += [f"firing, but not expected: {written(one)}" for one in fired if one not in wanted]
    return lines


def _annotations(
    labels: Labels, expected: Mapping[str, str], actual: Mapping[str, str]
) -> list[str]:
    lines = []
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) != actual.get(name):
            lines.append(f"  {name}:")
            lines.append(f"    expected {_said(expected.get(name))}")
            lines.append(f"    got      {_said(actual.get(name))}")
    return [f"annotations of {written(labels)} differ", *lines] if lines else []


def _said(text: str | None) -> str:
    return "nothing" if text is None else repr(text)


def _nearest(labels: Labels, others: Sequence[Labels]) -> list[str]:
    """Return in which labels the most similar alert differs."""
    if not others:
        return []
    mine = dict(labels)
    nearest = dict(max(others, key=lambda other: len(set(other) & set(labels))))
    lines = []
    for name in sorted(mine.keys() | nearest.keys()):
        if mine.get(name) != nearest.get(name):
            lines.append(
                f"  {name}: expected {_said(mine.get(name))}, got {_said(nearest.get(name))}"
            )
    return ["  the most similar alert that fires differs in", *lines]


def sample_differences(
    expected: Sequence[tuple[Labels, float]],
    actual: Sequence[tuple[Labels, float]],
    *,
    fuzzy: bool = False,
) -> list[str]:
    """Return a line for every difference between two vectors; their order does not count."""
    tolerance = FUZZY if fuzzy else EXACT
    wanted, got = dict(expected), dict(actual)
    lines = []
    for labels, value in wanted.items():
        if labels not in got:
            lines.append(f"expected {written(labels)} {value:g}, got nothing")
        elif not same(value, got[labels], tolerance):
            lines.append(f"{written(labels)}: expected {value!r}, got {got[labels]!r}")
    lines += [
        f"got {written(labels)} {value!r}, which is not expected"
        for labels, value in got.items()
        if labels not in wanted
    ]
    if len(wanted) < len(expected):
        lines.append("the same labels are expected twice")
    return lines


def same(one: float, other: float, tolerance: float) -> bool:
    """Return whether two values are equal; NaN equals NaN."""
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=tolerance)
