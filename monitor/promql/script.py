"""Prometheus's own test scripts, read into commands: load, clear, eval and what is expected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.promql.ast import MILLISECOND_UNITS
from monitor.promql.errors import PromqlError
from monitor.promql.notation import parse_selector_labels, parse_series_values
from monitor.promql.parser import parse

START_TIME = re.compile(r"(?P<labels>[^\s{]*\s*(?:\{.*\})?)@st\s")
LEFT_OUT_VALUES = (
    (re.compile(r"\{\{"), "native histograms"),
    (re.compile(r"@"), "start timestamps"),
    (re.compile(r"\bss\("), "state sets"),
)
SERIES_LINE = re.compile(
    r"(?P<labels>[^{\s]*\s*(?:\{(?:[^}\"]|\"(?:\\.|[^\"\\])*\")*\})?)\s+(?P<values>.*)"
)
EVAL_INSTANT = re.compile(r"eval(?:_(\w+))?\s+instant\s+(?:at\s+(\S+))?\s+(.+)", re.S)
EVAL_RANGE = re.compile(
    r"eval(?:_(\w+))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+?)\s+(.+)", re.S
)
EXPECT = re.compile(r"expect\s+(\S+)\s*(.*)", re.S)


class ScriptError(Exception):
    """A line of a test script cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class LoadedSeries:
    """One line of a `load` block; where its values are of a kind left out, `left_out` names it."""

    labels: dict[str, str]
    values: list[float | None]
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """Samples to add, one every `step_ms` from time zero on."""

    step_ms: int
    series: list[LoadedSeries]
    with_native: bool


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget all samples."""


@dataclass(slots=True)
class Expectation:
    """What an evaluation must give."""

    fails: bool = False
    remarks: list[tuple[str, str]] = field(default_factory=list)  # kind, wanted message or regex
    message: str = ""  # of the failure: `msg:…` or `regex:…`
    ordered: bool = False
    text: str | None = None
    range_ms: tuple[int, int, int] | None = None
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """One evaluation; `times` are start, end and step in ms, equal and 0 for an instant."""

    line: int
    source: str
    expression: str
    times: tuple[int, int, int]
    expected: Expectation

    @property
    def is_instant(self) -> bool:
        """Whether the expression is evaluated at one time only."""
        return self.times[2] == 0


Command = Load | Clear | Case


def read_script(text: str) -> Iterator[Command]:
    """Yield the commands of a script in order.

    Raises:
        ScriptError: a line belongs to no command.
    """
    block: list[tuple[int, str]] = []
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.strip()
        if line and not line.startswith("#"):
            block.append((number, line))
            continue
        if block:
            yield from read_block(block)
        block = []


def read_block(block: list[tuple[int, str]]) -> Iterator[Command]:
    """Yield the commands of lines without a blank between them; each starts at a keyword."""
    starts = [i for i, (_, line) in enumerate(block) if is_command(line)]
    if not starts or starts[0] != 0:
        raise ScriptError(f"line {block[0][0]}: not a command: {block[0][1]}")
    for start, end in zip(starts, [*starts[1:], len(block)], strict=True):
        (number, first), rest = block[start], [line for _, line in block[start + 1 : end]]
        if first == "clear":
            yield Clear()
        elif first.startswith("load"):
            yield read_load(number, first, rest)
        else:
            yield read_eval(number, first, rest)


def is_command(line: str) -> bool:
    """Whether a line starts a command."""
    return line == "clear" or bool(re.match(r"(load(_with_nhcb)?|eval(_\w+)?)\s", line))


def read_load(number: int, line: str, rest: list[str]) -> Load:
    """Return a load command."""
    word, step = line.split(None, 1)
    series = []
    for text in rest:
        if found := START_TIME.match(text):
            series.append(LoadedSeries(labels_of(number, found["labels"]), [], "start timestamps"))
            continue
        found = SERIES_LINE.fullmatch(text)
        if not found:
            raise ScriptError(f"line {number}: not a series: {text}")
        series.append(read_series(number, found["labels"], found["values"]))
    return Load(duration_ms(step), series, word == "load_with_nhcb")


def read_series(number: int, labels: str, values: str) -> LoadedSeries:
    """Return a series of a load command."""
    for pattern, reason in LEFT_OUT_VALUES:
        if pattern.search(values):
            return LoadedSeries(labels_of(number, labels), [], reason)
    try:
        return LoadedSeries(labels_of(number, labels), parse_series_values(values))
    except PromqlError as error:
        raise ScriptError(f"line {number}: {error}") from error


def labels_of(number: int, text: str) -> dict[str, str]:
    """Return the labels of a series that stands on a line."""
    try:
        return parse_selector_labels(text)
    except PromqlError as error:
        raise ScriptError(f"line {number}: {error}") from error


def read_eval(number: int, line: str, rest: list[str]) -> Case:
    """Return an evaluation with what is expected of it."""
    if found := EVAL_RANGE.fullmatch(line):
        kind, start, end, step, expression = found.groups()
        times = (duration_ms(start), duration_ms(end), duration_ms(step))
    elif found := EVAL_INSTANT.fullmatch(line):
        kind, at, expression = found.groups()
        times = (duration_ms(at or "0"), duration_ms(at or "0"), 0)
    else:
        raise ScriptError(f"line {number}: not an evaluation: {line}")
    expected = Expectation(fails=kind == "fail", ordered=kind == "ordered")
    if kind in ("warn", "info"):
        expected.remarks.append((kind, ""))
    for text in rest:
        read_expectation(text, expected)
    return Case(number, line, expression, times, expected)


def read_expectation(text: str, expected: Expectation) -> None:
    """Add one line to what is expected."""
    if found := re.match(r"expected_fail_(message|regexp)\s+(.*)", text):
        expected.message = ("msg:" if found[1] == "message" else "regex:") + found[2]
    elif not (found := EXPECT.fullmatch(text)):
        expected.lines.append(text)
    elif found[1] == "fail":
        expected.fails, expected.message = True, found[2].strip()
    elif found[1] == "ordered":
        expected.ordered = True
    elif found[1] == "string":
        expected.text = str(getattr(parse(found[2].strip()), "value", ""))
    elif found[1] == "range":
        words = found[2].split()
        expected.range_ms = (duration_ms(words[2]), duration_ms(words[4]), duration_ms(words[6]))
    else:
        expected.remarks.append((found[1], found[2].strip()))


def duration_ms(text: str) -> int:
    """Return a duration such as `1m30s`, or a plain number of seconds, in milliseconds."""
    units = dict(MILLISECOND_UNITS)
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return round(float(text) * 1000)
    if not re.fullmatch(r"-?(\d+(ms|[ywdhms]))+", text):
        raise ScriptError(f"not a duration: {text!r}")
    total = sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)(ms|[ywdhms])", text))
    return -total if text.startswith("-") else total
