"""Scraped text to samples: the Prometheus text format and OpenMetrics 1.0.

A target sends nearly the same lines every time. So a line is cut at its value and the part before
it is looked up; only lines never seen are parsed in full. Ten thousand known lines take about
10 ms, a full parse fifty times that (measured 2026-11, one core).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from monitor.promql.source import Floats
from monitor.samples.errors import ExpositionError

MAX_LINE_CHARACTERS = 64 * 1024
MAX_LABELS = 256
MAX_KNOWN_LINES = 1_000_000
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
ESCAPE = re.compile(r"\\(.)")
SPACE = re.compile(r"[ \t]*")
ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}

Key = tuple[tuple[str, str], ...]


@dataclass(eq=False)
class SeriesBook:
    """The series that lines have named so far, numbered; numbers stay for as long as the book."""

    keys: list[Key] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, series: str, key: Key) -> int:
        """Return a new number for a line's text before its value."""
        self.keys.append(key)
        return self.numbers.setdefault(series, len(self.keys) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Scrape:
    """The samples of one scrape in the order of their lines: series numbers of `book`, values."""

    book: SeriesBook
    numbers: NDArray[np.int64]
    values: Floats

    def __len__(self) -> int:
        return int(self.values.size)

    def __iter__(self) -> Iterator[tuple[dict[str, str], float]]:
        for number, value in zip(self.numbers.tolist(), self.values.tolist(), strict=True):
            yield dict(self.book.keys[number]), value


@dataclass(slots=True)
class ExpositionParser:
    """Reads the text of one target, again and again.

    `extra` labels are the target's own (job, instance): they win over labels of the same name in
    the text, which are kept as `exported_…`, unless `honor_labels`. Timestamps in the text are
    checked but not used: a sample's time is when its scrape started.
    """

    extra: Mapping[str, str] = field(default_factory=dict)
    honor_labels: bool = False
    book: SeriesBook = field(default_factory=SeriesBook)

    def parse(
        self, text: str, *, open_metrics: bool = False, sample_limit: int | None = None
    ) -> Scrape:
        """Return every sample of a scrape, in order; exemplars are passed over.

        Raises:
            ExpositionError: a line is malformed, there are more samples than the limit, or text
                that should be OpenMetrics does not end with `# EOF`.
        """
        if len(self.book.numbers) > MAX_KNOWN_LINES:
            self.book = SeriesBook()
        lines = text.split("\n")
        end = next((i for i, line in enumerate(lines) if line.startswith("# EOF")), None)
        if open_metrics and end is None:
            raise ExpositionError(len(lines), "OpenMetrics text must end with # EOF")
        numbers, values = self.read(lines[:end], sample_limit)
        return Scrape(self.book, np.array(numbers, np.int64), np.array(values, np.float64))

    def read(self, lines: list[str], sample_limit: int | None) -> tuple[list[int], list[float]]:
        """Return the series number and value of every line that is a sample."""
        known, numbers, values = self.book.numbers, [], []
        for position, line in enumerate(lines, start=1):
            series, _, text = line.rpartition(" ")
            number = known.get(series)
            try:
                if number is None:
                    if not line or line[0] == "#" or line.isspace():
                        continue
                    number, value = self.sample(line.rstrip("\r"))
                else:
                    value = number_of(text)
            except ValueError as error:
                raise ExpositionError(position, str(error)) from error
            numbers.append(number)
            values.append(value)
            if sample_limit is not None and len(values) > sample_limit:
                raise ExpositionError(position, f"more than {sample_limit} samples")
        return numbers, values

    def sample(self, line: str) -> tuple[int, float]:
        """Return series number and value of a line read in full.

        Raises:
            ValueError: the line is malformed.
        """
        if len(line) > MAX_LINE_CHARACTERS:
            raise ValueError(f"line is longer than {MAX_LINE_CHARACTERS} characters")
        labels, place = read_series(line)
        value = read_value(line[place:])
        series = line[:place]
        number = self.book.numbers.get(series)
        if number is None:
            number = self.book.number(series, self.complete(labels))
        return number, value

    def complete(self, labels: dict[str, str]) -> Key:
        """Return the labels of a series with the target's own added, sorted."""
        merged = dict(labels)
        for name, value in self.extra.items():
            if name in merged:
                if self.honor_labels:
                    continue
                merged[exported(name, merged)] = merged[name]
            merged[name] = value
        return tuple(sorted((name, value) for name, value in merged.items() if value))


def exported(name: str, taken: Mapping[str, str]) -> str:
    """Return the name under which a label is kept that gave way to the target's own."""
    name = f"exported_{name}"
    while name in taken:
        name = f"exported_{name}"
    return name


def read_series(line: str) -> tuple[dict[str, str], int]:
    """Return the labels at the start of a line, metric name included, and where they end.

    Raises:
        ValueError: they are malformed.
    """
    place = skip(line, 0)
    labels: dict[str, str] = {}
    if found := NAME.match(line, place):
        labels["__name__"] = found[0]
        place = found.end()
    before = place
    place = skip(line, place)
    if line[place : place + 1] == "{":
        return labels, read_labels(line, place + 1, labels)
    if not labels:
        raise ValueError("metric name expected")
    return labels, before


def read_labels(line: str, place: int, labels: dict[str, str]) -> int:
    """Add the labels in braces; return where the closing brace ends."""
    while True:
        place = skip(line, place)
        if line[place : place + 1] == "}":
            if "__name__" not in labels:
                raise ValueError("metric name expected")
            return place + 1
        place = read_label(line, place, labels)
        place = skip(line, place)
        if line[place : place + 1] == ",":
            place += 1
        elif line[place : place + 1] != "}":
            raise ValueError("comma or closing brace expected after a label")
        if len(labels) > MAX_LABELS:
            raise ValueError(f"more than {MAX_LABELS} labels")


def read_label(line: str, place: int, labels: dict[str, str]) -> int:
    """Add one label, or the quoted metric name; return where it ends."""
    if found := QUOTED.match(line, place):
        name, quoted = unescape(found[1]), True
    elif found := LABEL_NAME.match(line, place):
        name, quoted = found[0], False
    else:
        raise ValueError("label name expected")
    place = skip(line, found.end())
    if quoted and line[place : place + 1] in (",", "}"):
        return add_label(labels, "__name__", name, place)
    if line[place : place + 1] != "=":
        raise ValueError(f"equals sign expected after label {name}")
    place = skip(line, place + 1)
    if not (found := QUOTED.match(line, place)):
        raise ValueError(f"quoted value expected for label {name}")
    return add_label(labels, name, unescape(found[1]), found.end())


def add_label(labels: dict[str, str], name: str, value: str, place: int) -> int:
    """Add a label that must not be there yet; return the place unchanged."""
    if name in labels or not name:
        raise ValueError(f"label {name!r} is empty or given twice")
    labels[name] = value
    return place


def read_value(rest: str) -> float:
    """Return the value in the rest of a line, a timestamp and an exemplar checked and passed over.

    Raises:
        ValueError: they are malformed.
    """
    words = rest.partition(" # ")[0].split()
    if not rest[:1].isspace() or not 1 <= len(words) <= 2:
        raise ValueError("a value and at most a timestamp expected")
    if len(words) == 2 and not math.isfinite(number_of(words[1])):
        raise ValueError("timestamp is not finite")
    return number_of(words[0])


def number_of(text: str) -> float:
    """Return a number as both formats write it; Python's own extras are refused."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"not a number: {text[:40]!r}") from None
    if "_" in text or not text.isascii():
        raise ValueError(f"not a number: {text[:40]!r}")
    return value


def skip(line: str, place: int) -> int:
    """Return the place after blanks."""
    found = SPACE.match(line, place)
    return found.end() if found else place


def unescape(text: str) -> str:
    r"""Return a quoted value with `\n`, `\"` and `\\` replaced; other escapes stay as they are."""
    if "\\" not in text:
        return text
    return ESCAPE.sub(lambda found: ESCAPES.get(found[1], found[0]), text)
