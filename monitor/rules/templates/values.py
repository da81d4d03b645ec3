"""Values that templates meet besides plain text and numbers, and how Go names their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitor.rules.templates.errors import TemplateError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of a query's result."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in milliseconds since 1970, in UTC, that prints as Go prints a time."""

    milliseconds: int

    def instant(self) -> datetime:
        """Return the instant.

        Raises:
            TemplateError: before year 1 or after year 9999, which Python cannot hold.
        """
        try:
            return EPOCH + timedelta(milliseconds=self.milliseconds)
        except OverflowError as error:
            raise TemplateError("time out of range: years 1 to 9999 are known") from error

    def __str__(self) -> str:
        instant = self.instant()
        text = f"{instant.year:04d}-{instant:%m-%d %H:%M:%S}"
        fraction = f".{self.milliseconds % 1000:03d}".rstrip("0").rstrip(".")
        return f"{text}{fraction} +0000 UTC"


@dataclass(frozen=True, slots=True)
class Span:
    """A duration in seconds that prints as Go prints one, as `1h2m3.5s`."""

    seconds: float

    def __str__(self) -> str:
        if self.seconds == 0:
            return "0s"
        sign, rest = ("-" if self.seconds < 0 else ""), abs(self.seconds)
        if rest < 1:
            for unit, size in (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
                if rest >= size:
                    return f"{sign}{round(rest / size, 6):g}{unit}"
        minutes, seconds = divmod(rest, 60)
        hours, minutes = divmod(int(minutes), 60)
        text = f"{hours}h" if hours else ""
        text += f"{minutes}m" if hours or minutes else ""
        return f"{sign}{text}{round(seconds, 9):.9f}".rstrip("0").rstrip(".") + "s"


@dataclass(frozen=True, slots=True)
class Root:
    """What `.` and `$` are in a rule's template."""

    fields: Mapping[str, object] = field(default_factory=dict)


def kind_of(value: object) -> str:
    """Return Go's name for the type of `value`, for messages and `%T`."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    for python, name in (
        (str, "string"),
        (int, "int"),
        (float, "float64"),
        (Sample, "*template.sample"),
        (Moment, "*time.Time"),
        (Span, "time.Duration"),
        (Mapping, "map[string]string"),
        (Sequence, "template.queryResult"),
    ):
        if isinstance(value, python):
            return name
    return "struct"


def is_true(value: object) -> bool:
    """Return whether `if` takes the value for true: not zero, not empty, not nil."""
    if isinstance(value, str | bool | int | float | Mapping | Sequence):
        return bool(value)
    return value is not None


def member(value: object, name: str) -> object:
    """Return the field, map entry or method result `name` of `value`.

    Raises:
        TemplateError: it has none.
    """
    if isinstance(value, Root) and name in value.fields:
        return value.fields[name]
    if isinstance(value, Mapping):
        return value.get(name, "")
    if isinstance(value, Sample) and name in ("Labels", "Value"):
        return value.labels if name == "Labels" else value.value
    if isinstance(value, Span) and name == "Seconds":
        return value.seconds
    if value is None:
        raise TemplateError(f"nil data; no entry for key {name!r}")
    raise TemplateError(f"can't evaluate field {name} in type {kind_of(value)}")
