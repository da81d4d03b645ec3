"""A test report as people read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from monitor.rules.unit_tests.run import Failure, Report, run_test_files


def check_rule_tests(paths: Iterable[Path], console: Console | None = None) -> int:
    """Run the test files, print the report, and return the exit code: 0 good, 1 not."""
    return print_report(run_test_files(paths), console or Console())


def print_report(report: Report, console: Console) -> int:
    """Print the report and return the exit code: 0 good, 1 not."""
    for fault in report.faults:
        console.print(Text(str(fault), style="red"), soft_wrap=True)
    for failure in report.failures:
        _print_failure(failure, console)
    wrong = len(report.failures) + len(report.faults)
    summary = (
        f"{_count(report.files, 'file')}, {_count(report.tests, 'test')}, "
        f"{_count(report.checks, 'check')}: "
        f"{'all passed' if report.is_good else _count(wrong, 'failure')}"
    )
    console.print(Text(summary, style="green" if report.is_good else "bold red"))
    return 0 if report.is_good else 1


def _print_failure(failure: Failure, console: Console) -> None:
    where = failure.file if failure.line is None else f"{failure.file}:{failure.line}"
    console.print(
        Text.assemble((where, "bold"), f" {failure.test}: ", (failure.check, "red")),
        soft_wrap=True,
    )
    for line in failure.differences:
        console.print(Text(f"    {line}"), soft_wrap=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
