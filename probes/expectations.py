"""What a step may expect of its answer, as written in a journey file.

Here are only the shapes; `probes.expect` holds a response against them.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, NonNegativeInt, model_validator

from probes.durations import Duration
from probes.fields import (
    AnyJson,
    JsonPath,
    Regex,
    Selector,
    Strict,
    Text,
    Texts,
    as_list,
    list_short_for,
    short_for,
)

_STATUS = re.compile(r"[1-5]\d\d|[1-5]xx|[1-5]\d\d-[1-5]\d\d")


def _statuses(value: object) -> object:
    """Return the accepted statuses as text, each one checked."""
    listed = as_list(value)
    if not isinstance(listed, list | tuple) or not listed:
        raise ValueError("a status such as 200, 2xx or 200-299, or a list of them")
    for item in listed:
        if isinstance(item, bool) or not _STATUS.fullmatch(str(item)):
            raise ValueError("a status such as 200, 2xx or 200-299, or a list of them")
    return [str(item) for item in listed]


Statuses = Annotated[tuple[str, ...], BeforeValidator(_statuses)]


class _AtLeastOne(Strict):
    """A check that must say something."""

    @model_validator(mode="after")
    def _says_something(self) -> _AtLeastOne:
        if all(getattr(self, name) in (None, (), {}) for name in type(self).model_fields):
            raise ValueError("at least one condition")
        return self


class TextCheck(_AtLeastOne):
    """Conditions on a piece of text; all must hold. Plain text means `contains`."""

    equals: Text | None = None
    contains: Texts = ()
    not_contains: Texts = ()
    matches: Regex | None = None


class UrlCheck(_AtLeastOne):
    """Conditions on the final address. Plain text: a whole address, or a path from its `/` on."""

    equals: Text | None = None
    contains: Texts = ()
    not_contains: Texts = ()
    matches: Regex | None = None


class CssCheck(Strict):
    """How many elements a selector finds (at least one by default), and what they say."""

    select: Selector
    count: NonNegativeInt | None = None
    min: NonNegativeInt | None = None
    max: NonNegativeInt | None = None
    text: Annotated[TextCheck | None, short_for("contains")] = None
    attribute: str | None = None

    @model_validator(mode="after")
    def _counts_agree(self) -> CssCheck:
        if self.count is not None and (self.min is not None or self.max is not None):
            raise ValueError("either count, or min and max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min no larger than max")
        if self.attribute is not None and self.text is None:
            raise ValueError("text: what the attribute says")
        return self


class JsonCheck(Strict):
    """What a JSON path finds: something (by default), a value, a type, a number of values."""

    path: JsonPath
    equals: AnyJson = None
    type: Literal["string", "number", "integer", "boolean", "null", "array", "object"] | None = None
    count: NonNegativeInt | None = None
    min: NonNegativeInt | None = None
    max: NonNegativeInt | None = None
    text: Annotated[TextCheck | None, short_for("contains")] = None

    @property
    def has_value(self) -> bool:
        """Whether a value is expected; null is a value."""
        return "equals" in self.model_fields_set


class SizeCheck(_AtLeastOne):
    """Bounds on the decoded body, in bytes, both included."""

    min: NonNegativeInt | None = None
    max: NonNegativeInt | None = None


class NumberSource(Strict):
    """Where numbers are read: every element, value or match counts as one number."""

    css: Selector | None = None
    attribute: str | None = None
    json_at: JsonPath | None = Field(default=None, alias="json")
    regex: Regex | None = None
    value: Text | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> NumberSource:
        given = [self.css, self.json_at, self.regex, self.value]
        if sum(item is not None for item in given) != 1:
            raise ValueError("exactly one of css, json, regex, value")
        if self.attribute is not None and self.css is None:
            raise ValueError("css beside attribute")
        return self


Sources = Annotated[tuple[NumberSource, ...], list_short_for("value")]


def _decimal(value: object) -> object:
    """Return an exact decimal of a number as it was written."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a number")  # noqa: TRY004 - pydantic reports ValueError
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("a number") from error


Number = Annotated[Decimal, BeforeValidator(_decimal)]


class NumberCheck(NumberSource):
    """A number on the page and what it must equal: `total = sum of lines − discount`.

    `equals` is one number (or a `${variable}`); `sum_of` adds everything its sources find and
    `minus` takes away everything its sources find. `decimal` is the decimal sign in use.
    """

    equals: Annotated[NumberSource | None, short_for("value")] = None
    sum_of: Sources = ()
    minus: Sources = ()
    at_least: Number | None = None
    at_most: Number | None = None
    tolerance: Number = Decimal("0.005")
    decimal: Literal[".", ","] = "."

    @model_validator(mode="after")
    def _compares(self) -> NumberCheck:
        if self.equals is not None and self.sum_of:
            raise ValueError("either equals or sum_of")
        if self.minus and not self.sum_of:
            raise ValueError("sum_of beside minus")
        conditions = (self.equals, self.at_least, self.at_most)
        if not self.sum_of and all(item is None for item in conditions):
            raise ValueError("one of equals, sum_of, at_least, at_most")
        return self


def _url_short(value: object) -> object:
    """Return plain text as the whole address or path it must equal."""
    if not isinstance(value, str):
        return value
    if not value.startswith(("/", "http://", "https://", "${")):
        raise ValueError("an address, a path from its / on, or a mapping with contains or matches")
    return {"equals": value}


class Expect(_AtLeastOne):
    """Everything that must hold of a step's final answer.

    Where no status is given, 2xx is expected (3xx as well where redirects are not followed).
    """

    status: Statuses = ()
    url: Annotated[UrlCheck | None, BeforeValidator(_url_short)] = None
    text: Annotated[TextCheck | None, BeforeValidator(lambda value: _text_short(value))] = None
    body: Annotated[TextCheck | None, BeforeValidator(lambda value: _text_short(value))] = None
    css: Annotated[tuple[CssCheck, ...], list_short_for("select")] = ()
    json_at: Annotated[tuple[JsonCheck, ...], list_short_for("path")] = Field(
        default=(), alias="json"
    )
    headers: dict[str, Annotated[TextCheck, short_for("contains")]] = Field(default_factory=dict)
    number: Annotated[tuple[NumberCheck, ...], BeforeValidator(as_list)] = ()
    size: SizeCheck | None = None
    time: Duration | None = None
    certificate_days: NonNegativeInt | None = None


def _text_short(value: Any) -> Any:
    """Return plain text, or a list of it, as text the page must contain."""
    return {"contains": value} if isinstance(value, str | int | float | list) else value
