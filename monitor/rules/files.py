"""Rule files to groups: everything that is wrong with them is said at once, with its line.

The format is Prometheus's (https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from monitor.promql import (
    Expr,
    PromqlError,
    ValueType,
    max_range_seconds,
    parse,
)
from monitor.rules import templates
from monitor.rules.model import AlertingRule, Group, RecordingRule, Rule, labels_of, text_labels
from monitor.rules.templates import Template, TemplateError
from probes.faults import Fault, FaultyInput, shown
from probes.yamlfile import YamlDocument, read_yaml, validate

DEFAULT_INTERVAL_SECONDS = 60.0  # Prometheus's evaluation_interval
MAXIMUM_RULES = 5_000  # over all files
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_METRIC = re.compile(r"[^\s{}()\[\]\"',=~!<>+*/%^@#]+")


def _duration(value: object) -> object:
    if isinstance(value, float) or value is None or isinstance(value, bool):
        raise ValueError("expected a duration such as 30s, 5m or 1h30m")
    text = str(value)
    if text != "0" and (not text or not _DURATION.fullmatch(text)):
        raise ValueError("expected a duration such as 30s, 5m or 1h30m")
    return float(sum(int(n) * _UNITS[u] for n, u in re.findall(r"(\d+)(ms|[ywdhms])", text)))


def _text(value: object) -> object:
    """Take a number for the text it was written as; 1.50 could not be told from 1.5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _expression(value: object) -> object:
    return str(value) if isinstance(value, float) else _text(value)


Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0)]
Text = Annotated[str, BeforeValidator(_text)]
Expression = Annotated[str, BeforeValidator(_expression), Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Rule(_Part):
    record: Text | None = None
    alert: Text | None = None
    expr: Expression
    for_: Duration | None = Field(default=None, alias="for")
    keep_firing_for: Duration | None = None
    labels: dict[str, Text] | None = None
    annotations: dict[str, Text] | None = None


class _Group(_Part):
    name: Annotated[str, BeforeValidator(_text), Field(min_length=1)]
    interval: Duration | None = None
    query_offset: Duration | None = None
    limit: Annotated[int, Field(ge=0)] | None = None
    labels: dict[str, Text] | None = None
    rules: list[_Rule] | None = None


class _File(_Part):
    groups: list[_Group] | None = None


def load_rule_files(
    paths: Iterable[Path],
    *,
    interval_seconds: float = DEFAULT_INTERVAL_SECONDS,
    retention_seconds: float | None = None,
) -> tuple[Group, ...]:
    """Return the groups of all files, in order.

    Groups without an interval get `interval_seconds`. A rule that reads samples older than
    `retention_seconds` (None: no bound) is a fault: it would be evaluated on half of its data.

    Raises:
        FaultyInput: with every fault of every file.
    """
    faults: list[Fault] = []
    reader = _Reader(faults, interval_seconds, retention_seconds)
    groups = tuple(group for path in paths for group in reader.groups_of(path))
    if sum(len(group.rules) for group in groups) > MAXIMUM_RULES:
        faults.append(Fault(groups[0].file, None, "", "too many rules", f"{MAXIMUM_RULES} in all"))
    if faults:
        raise FaultyInput(faults)
    return groups


class _Reader:
    """Reads one file after the other and gathers what is wrong."""

    def __init__(
        self, faults: list[Fault], interval_seconds: float, retention_seconds: float | None
    ) -> None:
        self.faults = faults
        self.interval_seconds = interval_seconds
        self.retention_seconds = retention_seconds
        self.rules_seen: dict[object, str] = {}

    def groups_of(self, path: Path) -> Iterator[Group]:
        """Yield the groups of a file that could be read."""
        document = read_yaml(path, self.faults)
        if document is None:
            return
        content = validate(document, _File, self.faults)
        if content is None:
            self._expressions_of(document)
            return
        names: dict[str, int] = {}
        for number, group in enumerate(content.groups or ()):
            place = _Place(self, document, ("groups", number), group.name)
            if group.name in names:
                place.fault(("name",), group.name, "a group name that is not in this file already")
            names[group.name] = number
            yield self._group(group, place)

    def _expressions_of(self, document: YamlDocument) -> None:
        """Complain about expressions in a file whose shape is at fault already."""
        groups = document.data.get("groups") if isinstance(document.data, dict) else None
        for number, group in enumerate(groups if isinstance(groups, list) else ()):
            rules = group.get("rules") if isinstance(group, dict) else None
            for below, rule in enumerate(rules if isinstance(rules, list) else ()):
                expr = rule.get("expr") if isinstance(rule, dict) else None
                if isinstance(expr, str) and expr:
                    name = f"{group.get('name')}.{rule.get('alert') or rule.get('record')}"
                    path = ("groups", number, "rules", below)
                    _Place(self, document, path, name).expression(expr)

    def _group(self, group: _Group, place: _Place) -> Group:
        rules = []
        for number, rule in enumerate(group.rules or ()):
            name = rule.alert or rule.record or f"rule {number + 1}"
            below = _Place(
                self, place.document, (*place.path, "rules", number), f"{place.name}.{name}"
            )
            made = self._rule(rule, below, group.labels or {})
            if made is not None:
                self._once(made, below)
                rules.append(made)
        for name in group.labels or ():
            place.label(name, ("labels", name))
        interval = group.interval or self.interval_seconds
        if group.interval == 0:
            place.fault(("interval",), "0", "an interval above zero")
        return Group(
            group.name,
            place.document.file,
            interval,
            tuple(rules),
            group.limit or 0,
            group.query_offset or 0.0,
            place.line(()),
        )

    def _rule(self, rule: _Rule, place: _Place, common: dict[str, str]) -> Rule | None:
        before = len(self.faults)
        if (rule.alert is None) == (rule.record is None):
            place.fault((), "", "either alert or record")
        expr = place.expression(rule.expr)
        labels = {**common, **(rule.labels or {})}
        for name in rule.labels or ():
            place.label(name, ("labels", name))
        if rule.record is not None:
            made: Rule | None = place.recording(rule, expr, labels)
        else:
            made = place.alerting(rule, expr, labels)
        return made if len(self.faults) == before else None

    def _once(self, rule: Rule, place: _Place) -> None:
        """Complain about a rule that stands in the files twice, word for word."""
        key = (type(rule), rule.name, rule.expression, labels_of(text_labels(rule)))
        if key in self.rules_seen:
            place.fault((), rule.name, f"each rule once (also at {self.rules_seen[key]})")
        self.rules_seen[key] = f"{rule.file}:{rule.line}"


class _Place:
    """One group or rule in its file: knows its line and how to complain about it."""

    def __init__(
        self, reader: _Reader, document: YamlDocument, path: tuple[str | int, ...], name: str
    ) -> None:
        self.reader, self.document, self.path, self.name = reader, document, path, name

    def line(self, below: tuple[str | int, ...]) -> int | None:
        """Return the line of what stands at `below`."""
        return self.document.line_of((*self.path, *below))

    def fault(
        self, below: tuple[str | int, ...], value: str, expected: str, extra_lines: int = 0
    ) -> None:
        """Add a fault at `below`, `extra_lines` further down."""
        line = self.line(below)
        where = ".".join([self.name, *map(str, below)])
        found = shown(value) if value else ""
        line = None if line is None else line + extra_lines
        self.reader.faults.append(Fault(self.document.file, line, where, found, expected))

    def expression(self, text: str) -> Expr | None:
        """Return the expression parsed, or None after complaining."""
        try:
            expr = parse(text)
        except PromqlError as error:
            self.fault(("expr",), text, f"a PromQL expression that can be evaluated: {error}")
            return None
        if expr.type not in (ValueType.VECTOR, ValueType.SCALAR):
            self.fault(("expr",), text, f"an instant vector or a scalar, not a {expr.type}")
        reach, kept = max_range_seconds(expr), self.reader.retention_seconds
        if kept is not None and reach > kept:
            expected = f"to read back at most {kept:g} s, as long as samples are kept"
            self.fault(("expr",), text, f"{expected}; this reads back {reach:g} s")
        return expr

    def label(self, name: str, below: tuple[str, ...]) -> None:
        """Complain about a label name that cannot be."""
        if not name or name == "__name__":
            self.fault(below, name, "the name of a label")

    def template(self, text: str, below: tuple[str, ...]) -> Template | None:
        """Return the template parsed, or None after complaining."""
        try:
            return templates.parse(text)
        except TemplateError as error:
            line = error.line if error.line and error.line > 1 else 0
            self.fault(below, text, f"a template that can be filled in: {error.message}", line)
            return None

    def recording(
        self, rule: _Rule, expr: Expr | None, labels: dict[str, str]
    ) -> RecordingRule | None:
        """Return the recording rule, or None where its name or expression is wrong."""
        name = rule.record or ""
        if not _METRIC.fullmatch(name):
            self.fault(("record",), name, "the name of a metric")
        for field, value in (
            ("for", rule.for_),
            ("keep_firing_for", rule.keep_firing_for),
            ("annotations", rule.annotations),
        ):
            if value:
                self.fault((field,), "", "only an alert to have this")
        file, line = self.document.file, self.line(())
        if expr is None:
            return None
        return RecordingRule(name, rule.expr, expr, labels, file, line)

    def alerting(
        self, rule: _Rule, expr: Expr | None, labels: dict[str, str]
    ) -> AlertingRule | None:
        """Return the alerting rule, or None where its expression is wrong."""
        made: dict[str, dict[str, Any]] = {"labels": {}, "annotations": {}}
        if rule.alert == "":
            self.fault(("alert",), "", "a name")
        for field, texts in (("labels", labels), ("annotations", rule.annotations or {})):
            for name, text in texts.items():
                made[field][name] = self.template(text, (field, name))
        if expr is None:
            return None
        return AlertingRule(
            rule.alert or "",
            rule.expr,
            expr,
            rule.for_ or 0.0,
            rule.keep_firing_for or 0.0,
            made["labels"],
            made["annotations"],
            self.document.file,
            self.line(()),
        )
