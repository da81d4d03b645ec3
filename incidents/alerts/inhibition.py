"""Inhibition: an alert that fires explains away milder ones, by Alertmanager's `inhibit_rules`.

A rule says which alerts inhibit (`source_matchers`), which are inhibited (`target_matchers`) and
which labels both must share (`equal`; a label that is missing counts as empty). An alert never
inhibits itself, and one that meets both sides is not inhibited by another that does so as well.
Sources that are resolved or silenced inhibit nothing: that is the caller's to keep.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from incidents.alerts.matchers import Matcher, Operator, all_hold

PREFIX = "alert "  # how `muted_by` of an alert names the one that inhibits it
KEPT = 2  # sources of each kind: one more than the alert that must not inhibit itself


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """Which alerts keep which others quiet."""

    source_matchers: tuple[Matcher, ...]
    target_matchers: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def shared(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values of the labels both sides must share."""
        return tuple(labels.get(name, "") for name in self.equal)


DEFAULT_RULES = (  # a critical alert of a component says all that its milder ones would
    InhibitRule(
        (
            Matcher("severity", Operator.EQUAL, "critical"),
            Matcher("component", Operator.UNEQUAL, ""),
        ),
        (Matcher("severity", Operator.LIKE, "warning|info"),),
        ("component",),
    ),
)


def is_target(rules: Iterable[InhibitRule], labels: Mapping[str, str]) -> bool:
    """Tell whether any rule could inhibit an alert with these labels."""
    return any(all_hold(rule.target_matchers, labels) for rule in rules)


class Source(NamedTuple):
    """A firing alert that may inhibit others, and the incident it belongs to."""

    fingerprint: str
    labels: Mapping[str, str]
    incident_id: int | None = None


@dataclass(slots=True)
class Inhibitor:
    """The sources at one instant, found by what they share with an alert."""

    rules: Sequence[InhibitRule]
    _found: list[dict[tuple[str, ...], list[tuple[Source, bool]]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._found = [{} for _ in self.rules]

    def add(self, sources: Iterable[Source]) -> None:
        """Let these alerts inhibit; one that inhibits nothing is not kept."""
        for source in sources:
            for rule, found in zip(self.rules, self._found, strict=True):
                if not all_hold(rule.source_matchers, source.labels):
                    continue
                both = all_hold(rule.target_matchers, source.labels)
                kept = found.setdefault(rule.shared(source.labels), [])
                if sum(one_sided is not both for _, one_sided in kept) < KEPT:
                    kept.append((source, not both))

    def source_of(self, fingerprint: str, labels: Mapping[str, str]) -> Source | None:
        """Return an alert that inhibits this one, or None."""
        for rule, found in zip(self.rules, self._found, strict=True):
            kept = found.get(rule.shared(labels)) if found else None
            if not kept or not all_hold(rule.target_matchers, labels):
                continue
            is_source = all_hold(rule.source_matchers, labels)
            for source, one_sided in kept:
                if source.fingerprint != fingerprint and (one_sided or not is_source):
                    return source
        return None
