"""Rules and groups as values: what a rule file says, parsed and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.promql import Expr
from monitor.rules.templates import Template

Labels = tuple[tuple[str, str], ...]
"""A label set as a key: sorted by name, without empty values."""


def labels_of(mapping: Mapping[str, str]) -> Labels:
    """Return a label set as a key."""
    return tuple(sorted((name, value) for name, value in mapping.items() if value))


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """An expression whose result becomes new series called `name`."""

    name: str
    expression: str
    expr: Expr
    labels: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """An expression each of whose results is an alert, once it has held for `for_seconds`.

    An alert goes on firing for `keep_firing_seconds` after its result is gone.
    """

    name: str
    expression: str
    expr: Expr
    for_seconds: float = 0.0
    keep_firing_seconds: float = 0.0
    labels: Mapping[str, Template] = field(default_factory=dict)
    annotations: Mapping[str, Template] = field(default_factory=dict)
    file: str = ""
    line: int | None = None


Rule = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in order.

    `limit` bounds the alerts or series of each rule; 0 is no bound. The expressions are evaluated
    `query_offset_seconds` in the past.
    """

    name: str
    file: str
    interval_seconds: float
    rules: tuple[Rule, ...]
    limit: int = 0
    query_offset_seconds: float = 0.0
    line: int | None = None

    @property
    def key(self) -> str:
        """The group's identity among all files, in the form that Prometheus gives it."""
        return f"{self.file};{self.name}"

    def offset_seconds(self) -> float:
        """Return when in its interval the group is due: the same after every restart."""
        digest = hashlib.blake2b(self.key.encode(), digest_size=8).digest()
        milliseconds = max(1, round(self.interval_seconds * 1000))
        return int.from_bytes(digest, "big") % milliseconds / 1000


def text_labels(rule: Rule) -> dict[str, str]:
    """Return the labels a rule adds, as its file writes them."""
    return {
        name: value.text if isinstance(value, Template) else value
        for name, value in rule.labels.items()
    }


def rule_keys(groups: tuple[Group, ...]) -> dict[tuple[str, int], str]:
    """Return a name for every rule, by group key and position, that outlives its file.

    It is made of the rule's kind, name and labels alone, so that state is found again after a rule
    has moved to another group or file; among rules that share all three, their order counts.
    """
    keys: dict[tuple[str, int], str] = {}
    seen: dict[str, int] = {}
    for group in groups:
        for position, rule in enumerate(group.rules):
            text = repr((type(rule).__name__, rule.name, labels_of(text_labels(rule))))
            digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
            base = f"{rule.name[:160]}#{digest}"
            seen[base] = seen.get(base, 0) + 1
            keys[group.key, position] = base + ("" if seen[base] == 1 else f"~{seen[base]}")
    return keys
