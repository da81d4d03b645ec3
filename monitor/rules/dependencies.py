"""Which rules read which series: what has to be evaluated when some metrics have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from monitor.promql import Expr, Matcher, MatrixSelector, Subquery, VectorSelector
from monitor.promql.matchers import compile_matcher
from monitor.rules.evaluation import METRIC_NAME
from monitor.rules.model import Group, RecordingRule, Rule


@dataclass(frozen=True, slots=True)
class Read:
    """One selector of a rule; `is_instant` where it reads the present value and no range."""

    matchers: tuple[Matcher, ...]
    is_instant: bool

    def may_match(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether a series of that name with (at least) these labels could be selected."""
        known = {**labels, METRIC_NAME: name}
        return all(
            compile_matcher(matcher)(known[matcher.name])
            for matcher in self.matchers
            if matcher.name in known
        )


@dataclass(frozen=True, slots=True)
class Affected:
    """A rule to evaluate; `at_once` where it reads a changed series' present value."""

    group: Group
    position: int
    at_once: bool

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.group.rules[self.position]


def reads_of(expr: Expr, *, ranged: bool = False) -> Iterator[Read]:
    """Yield the selectors of an expression."""
    if isinstance(expr, VectorSelector):
        yield Read(expr.matchers, not ranged)
        return
    inside = ranged or isinstance(expr, MatrixSelector | Subquery)
    for child in expr.children():
        yield from reads_of(child, ranged=inside)


class Dependencies:
    """What every rule of some groups reads, and in which order they build upon each other."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._rules = [
            (group, position, tuple(reads_of(rule.expr)))
            for group in groups
            for position, rule in enumerate(group.rules)
        ]
        self._recorders: dict[str, list[int]] = {}
        for index, (group, position, _) in enumerate(self._rules):
            rule = group.rules[position]
            names = (rule.name,) if isinstance(rule, RecordingRule) else ()
            for name in names:
                self._recorders.setdefault(name, []).append(index)
        self._ranks = [self._rank(index, ()) for index in range(len(self._rules))]
        self._answers: dict[object, tuple[Affected, ...]] = {}

    def _rank(self, index: int, path: tuple[int, ...]) -> int:
        """Return how many recording rules in a row stand before this one; a circle counts once."""
        if index in path:
            return 0
        _, _, reads = self._rules[index]
        before = {
            recorder
            for name, recorders in self._recorders.items()
            if any(read.may_match(name, {}) for read in reads)
            for recorder in recorders
        }
        return max((1 + self._rank(one, (*path, index)) for one in before - {index}), default=0)

    def affected(self, changed: Collection[str], labels: Mapping[str, str]) -> tuple[Affected, ...]:
        """Return the rules that may give another result, in the order to evaluate them.

        `changed` are metrics of which series with these labels have new samples. Rules that read
        what an affected recording rule writes are affected, too.
        """
        key = (frozenset(changed), frozenset(labels.items()))
        if key not in self._answers:
            if len(self._answers) > 1024:  # journeys times kinds of change; more is a stray caller
                self._answers.clear()
            self._answers[key] = self._closure(changed, labels)
        return self._answers[key]

    def _closure(self, changed: Collection[str], labels: Mapping[str, str]) -> tuple[Affected, ...]:
        at_once: dict[int, bool] = {}
        waiting: list[tuple[str, Mapping[str, str], bool]] = [(n, labels, True) for n in changed]
        while waiting:
            name, known, present = waiting.pop()
            for index, (group, position, reads) in enumerate(self._rules):
                touched = [read.is_instant for read in reads if read.may_match(name, known)]
                instant = present and any(touched)
                if not touched or (at_once.get(index, False) >= instant and index in at_once):
                    continue
                at_once[index] = instant
                rule = group.rules[position]
                if isinstance(rule, RecordingRule):
                    waiting.append((rule.name, {}, instant))
        order = sorted(at_once, key=lambda index: (self._ranks[index], index))
        return tuple(Affected(*self._rules[index][:2], at_once[index]) for index in order)
