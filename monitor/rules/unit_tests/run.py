"""Runs rule test files: feeds the series, evaluates the rules slot by slot, compares.

As in promtool time begins at 1970, groups are evaluated at every multiple of the evaluation
interval, and a check looks at the alerts of the slot that its time falls into.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from monitor.promql import (
    MISSING,
    Options,
    PromqlError,
    PromqlSyntaxError,
    parse,
    parse_selector_labels,
    parse_series_values,
)
from monitor.rules.alerts import AlertState
from monitor.rules.engine import Engine, EngineSettings
from monitor.rules.evaluation import vector_at
from monitor.rules.files import load_rule_files
from monitor.rules.model import AlertingRule, Group, Labels, labels_of
from monitor.rules.unit_tests.compare import Firing, alert_differences, sample_differences
from monitor.rules.unit_tests.model import AlertTest, ExpressionTest, RuleTest, RuleTestFile
from monitor.samples import SampleStore
from probes.durations import format_duration
from probes.faults import Fault, FaultyInput, shown
from probes.yamlfile import YamlDocument, read_yaml, validate

MAXIMUM_SLOTS = 200_000  # evaluations of all groups in one test; a week at 30 s is 20,000
FOREVER_SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that did not hold: where it stands, what it checks, and the differences."""

    file: str
    line: int | None
    test: str
    check: str
    differences: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """What became of some test files; good when there are neither faults nor failures."""

    files: int = 0
    tests: int = 0
    checks: int = 0
    failures: list[Failure] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether everything held."""
        return not self.failures and not self.faults


def run_test_files(paths: Iterable[Path]) -> Report:
    """Return the report on the tests of all files; nothing is raised for what they say."""
    report = Report()
    for path in paths:
        report.files += 1
        before = len(report.faults)
        document = read_yaml(path, report.faults)
        content = document and validate(document, RuleTestFile, report.faults)
        if isinstance(document, YamlDocument) and isinstance(content, RuleTestFile):
            groups = _groups(document, content, path.parent, report.faults)
            if len(report.faults) == before:
                _FileRun(document, content, groups, report).run()
    return report


def _groups(
    document: YamlDocument, content: RuleTestFile, folder: Path, faults: list[Fault]
) -> tuple[Group, ...]:
    """Return the groups of the rule files named, in the order to evaluate them."""
    paths: dict[str, Path] = {}
    for number, pattern in enumerate(content.rule_files):
        found = sorted(glob.glob(str(folder / pattern)))  # noqa: PTH207 - also absolute patterns
        if not found:
            line, place = document.line_of(("rule_files", number)), f"rule_files.{number}"
            faults.append(
                Fault(document.file, line, place, shown(pattern), "a pattern that matches a file")
            )
        paths |= {one: Path(one) for one in found}
    try:
        groups = load_rule_files(paths.values(), interval_seconds=content.evaluation_interval)
    except FaultyInput as error:
        faults += error.faults
        return ()
    order = list(content.group_eval_order or ())
    if len(set(order)) < len(order):
        line = document.line_of(("group_eval_order",))
        faults.append(Fault(document.file, line, "group_eval_order", "", "each group once"))
    known = {group.name for group in groups}
    for number, name in enumerate(order):
        if name not in known:
            line = document.line_of(("group_eval_order", number))
            faults.append(
                Fault(document.file, line, "group_eval_order", name, "the name of a group")
            )
    place_of = {name: index for index, name in enumerate(order)}
    return tuple(sorted(groups, key=lambda group: place_of.get(group.name, 0)))


class _FileRun:
    """The tests of one file."""

    def __init__(
        self,
        document: YamlDocument,
        content: RuleTestFile,
        groups: tuple[Group, ...],
        report: Report,
    ) -> None:
        self.document, self.content = document, content
        self.groups, self.report = groups, report
        self.options = Options(subquery_step_seconds=content.evaluation_interval)

    def run(self) -> None:
        """Run every test."""
        for number, test in enumerate(self.content.tests or ()):
            self.report.tests += 1
            name = test.name or f"test {number + 1}"
            try:
                _TestRun(self, number, test, name).run()
            except (PromqlError, ValueError) as error:
                self.fail(("tests", number), name, "input", [str(error)])

    def fail(
        self, place: tuple[str | int, ...], test: str, check: str, differences: Sequence[str]
    ) -> None:
        """Report a failure at `place`."""
        line = self.document.line_of(place)
        self.report.failures.append(
            Failure(self.document.file, line, test, check, tuple(differences))
        )


class _TestRun:
    """One test with a sample store and an engine of its own."""

    def __init__(self, file: _FileRun, number: int, test: RuleTest, name: str) -> None:
        self.file, self.number, self.test, self.name = file, number, test, name
        self.step = file.content.evaluation_interval
        self.store = SampleStore(retention_seconds=FOREVER_SECONDS, hot_seconds=FOREVER_SECONDS)
        settings = EngineSettings(
            external_labels=test.external_labels or {},
            external_url=test.external_url,
            options=file.options,
        )
        self.engine = Engine(file.groups, self.store, send=list, settings=settings)

    def run(self) -> None:
        """Feed, evaluate, compare."""
        self._feed()
        waiting = sorted(
            enumerate(self.test.alert_rule_test or ()), key=lambda pair: pair[1].eval_time
        )
        slots = int(self.test.last_time() // self.step) + 1 if self.step else 0
        if not 0 < slots <= MAXIMUM_SLOTS:
            raise ValueError(f"{slots} evaluations: expected 1 to {MAXIMUM_SLOTS}")
        for slot in range(slots):
            at = slot * self.step
            for group in self.file.groups:
                self.engine.evaluate_group(group, datetime.fromtimestamp(at, UTC))
                self._errors(group, at)
            while waiting and waiting[0][1].eval_time < at + self.step:
                self._alerts(*waiting.pop(0))
        for number, check in enumerate(self.test.promql_expr_test or ()):
            self._expression(number, check)
        self.store.close()

    def _feed(self) -> None:
        """Write all input series, one row an interval."""
        interval = self.test.interval or self.step
        given = self.test.input_series or ()
        labels = [parse_selector_labels(one.series) for one in given]
        columns = [parse_series_values(one.values) for one in given]
        writer = self.store.writer("input")
        writer.register(labels)
        for row in range(max(map(len, columns), default=0)):
            cells = [column[row] if row < len(column) else None for column in columns]
            values = [MISSING if cell is None else cell for cell in cells]
            writer.append(row * interval, values)

    def _errors(self, group: Group, at: float) -> None:
        for position, rule in enumerate(group.rules):
            if error := self.engine.health(group, position).error:
                check = f"evaluation of {rule.name} at {format_duration(at)}"
                self.file.fail(("tests", self.number), self.name, check, [error])

    def _rules(self, name: str) -> Iterator[tuple[Group, int]]:
        for group in self.file.groups:
            for position, rule in enumerate(group.rules):
                if isinstance(rule, AlertingRule) and rule.name == name:
                    yield group, position

    def _alerts(self, number: int, check: AlertTest) -> None:
        """Compare the firing alerts of one name."""
        self.file.report.checks += 1
        rules = list(self._rules(check.alertname))
        alerts = [one for rule in rules for one in self.engine.alerts(*rule)]
        actual = [
            Firing(one.labels, one.annotations) for one in alerts if one.state is AlertState.FIRING
        ]
        expected = [
            Firing(
                labels_of({"alertname": check.alertname, **(one.exp_labels or {})}),
                one.exp_annotations or {},
            )
            for one in check.exp_alerts or ()
        ]
        pending = [one.labels for one in alerts if one.state is AlertState.PENDING]
        lines = alert_differences(expected, actual, pending)
        if not rules:
            lines.insert(0, f"no rule has the name {check.alertname}")
        if lines:
            place = ("tests", self.number, "alert_rule_test", number)
            what = f"{check.alertname} at {format_duration(check.eval_time)}"
            self.file.fail(place, self.name, what, lines)

    def _expression(self, number: int, check: ExpressionTest) -> None:
        """Compare what an expression gives."""
        self.file.report.checks += 1
        try:
            expr = parse(check.expr)
            vector = vector_at(expr, self.store, check.eval_time, self.file.options)
            actual = [(labels_of(one.labels), one.value) for one in vector]
            expected = [(_labels(one.labels), one.value) for one in check.exp_samples or ()]
            lines = sample_differences(expected, actual, fuzzy=self.file.content.fuzzy_compare)
        except PromqlError as error:
            lines = [str(error)]
        if lines:
            place = ("tests", self.number, "promql_expr_test", number)
            what = f"{check.expr.strip()} at {format_duration(check.eval_time)}"
            self.file.fail(place, self.name, what, lines)


def _labels(text: str) -> Labels:
    """Return the labels of a series as a test writes it; nothing and `{}` have none.

    Raises:
        PromqlSyntaxError: it is not a series.
    """
    if text.strip() in ("", "{}"):
        return ()
    try:
        return labels_of(parse_selector_labels(text))
    except PromqlSyntaxError as error:
        raise PromqlSyntaxError(f"exp_samples: {error}") from error
