"""Runs all checks over all rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from monitor.rules.lint.checks import CHECKS
from monitor.rules.lint.surroundings import Surroundings
from monitor.rules.model import Group, RecordingRule, labels_of, text_labels


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something doubtful about one rule."""

    file: str
    line: int
    rule: str
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule} {self.text} ({self.check})"


@dataclass(frozen=True)
class LintSettings:
    """What the checks are to know.

    `runbooks` are the names of the pages there are; None leaves links unchecked. `off` are checks
    that are not wanted.
    """

    scrape_seconds: float = 15.0
    annotations: tuple[str, ...] = ("summary", "description", "runbook_url")
    external_labels: Mapping[str, str] = field(default_factory=dict)
    runbooks: Collection[str] | None = None
    off: Collection[str] = ()


def lint(groups: tuple[Group, ...], settings: LintSettings | None = None) -> tuple[Finding, ...]:
    """Return what is doubtful about these rules, by file and line."""
    return tuple(sorted({*_checked(groups, settings or LintSettings()), *_twice(groups)}))


def _checked(groups: tuple[Group, ...], settings: LintSettings) -> Iterator[Finding]:
    rules = [rule for group in groups for rule in group.rules]
    recorded = frozenset(rule.name for rule in rules if isinstance(rule, RecordingRule))
    runbooks = None if settings.runbooks is None else frozenset(settings.runbooks)
    for group in groups:
        around = Surroundings(
            group,
            recorded,
            settings.scrape_seconds,
            settings.annotations,
            settings.external_labels,
            runbooks,
        )
        for rule in group.rules:
            for name, check in CHECKS.items():
                for text in check(rule, around) if name not in settings.off else ():
                    yield Finding(rule.file, rule.line or 0, rule.name, name, text)


def _twice(groups: tuple[Group, ...]) -> Iterator[Finding]:
    """Yield rules whose name and labels another rule has already: their results may collide."""
    seen: dict[object, str] = {}
    for group in groups:
        for rule in group.rules:
            key = (type(rule), rule.name, labels_of(text_labels(rule)))
            if key in seen:
                text = f"has the name and labels of the rule at {seen[key]}"
                yield Finding(rule.file, rule.line or 0, rule.name, "rule/duplicate", text)
            seen.setdefault(key, f"{rule.file}:{rule.line}")
