"""One step of a journey, as written in a journey file: what to send, expect and keep."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from probes.durations import Duration
from probes.expectations import Expect
from probes.fields import JsonPath, Regex, Selector, Strict, Text, TextMap, as_list, as_text
from probes.templates import BUILT_IN, NAME, references, texts_in

METHODS = ("get", "post", "put", "delete", "patch", "head")
ACTIONS = (*METHODS, "submit", "follow")
REPEATABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110 §9.2.2
MAX_REDIRECTS = 20


class Save(Strict):
    """Where a value is found, and what to do where it is missing or there are several."""

    css: Selector | None = None
    attribute: str | None = None
    regex: Regex | None = None
    group: Annotated[int, Field(ge=0, le=20)] | None = None
    json_at: JsonPath | None = Field(default=None, alias="json")
    header: str | None = None
    cookie: str | None = None
    url: Annotated[str, Field(pattern=r"whole|host|path|last|fragment|query\.[^.]+")] | None = None
    missing: Literal["fail", "empty"] = "fail"
    many: Literal["fail", "first", "last"] = "fail"
    sensitive: bool = False

    @model_validator(mode="after")
    def _has_one_source(self) -> Save:
        given = [self.css, self.regex, self.json_at, self.header, self.cookie, self.url]
        if sum(item is not None for item in given) != 1:
            raise ValueError("exactly one of css, regex, json, header, cookie, url")
        if self.attribute is not None and self.css is None:
            raise ValueError("css beside attribute")
        if self.group is not None and self.regex is None:
            raise ValueError("regex beside group")
        return self


def _field_value(value: object) -> object:
    """Return what is typed into a control: text, a list of it, or true/false for a checkbox."""
    if isinstance(value, bool):
        return value
    return [as_text(item) for item in value] if isinstance(value, list) else as_text(value)


FieldValue = Annotated[bool | str | tuple[str, ...], BeforeValidator(_field_value)]


def _redirects(value: object) -> object:
    """Return how many redirects to follow; false is none."""
    if value is False:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_REDIRECTS:
        raise ValueError(f"false, or a number from 0 to {MAX_REDIRECTS}")
    return value


class Step(Strict):
    """One request (with its redirects) and everything said about it."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    get: str | None = None
    post: str | None = None
    put: str | None = None
    delete: str | None = None
    patch: str | None = None
    head: str | None = None
    submit: Selector | None = None
    follow: Selector | None = None
    fields: dict[str, FieldValue] = Field(default_factory=dict)
    button: Selector | None = None
    choose: Literal["only", "first", "last"] = "only"
    headers: TextMap = Field(default_factory=dict)
    query: dict[str, Annotated[tuple[Text, ...], BeforeValidator(as_list)]] = Field(
        default_factory=dict
    )
    form: dict[str, Annotated[tuple[Text, ...], BeforeValidator(as_list)]] | None = None
    json_body: Any = Field(default=None, alias="json")
    body: str | None = None
    expect: Expect | None = None
    save: dict[Annotated[str, Field(pattern=f"^{NAME}$")], Save] = Field(default_factory=dict)
    redirects: Annotated[int, BeforeValidator(_redirects)] = 10
    timeout_seconds: Annotated[Duration, Field(gt=0)] = Field(default=10.0, alias="timeout")
    slow_seconds: Annotated[Duration | None, Field(gt=0)] = Field(default=None, alias="slow")
    think_seconds: Duration = Field(default=0.0, alias="think")
    soft: bool = False
    idempotent: bool | None = None
    login: bool = False

    @field_validator("name")
    @classmethod
    def _is_a_label(cls, name: str) -> str:
        """A step's name is a metric label, so it holds nothing that changes or leaks."""
        if "://" in name or "${" in name or not name.isprintable() or name != name.strip():
            raise ValueError("a plain name without addresses and variables")
        return name

    @model_validator(mode="after")
    def _has_one_action(self) -> Step:
        given = [action for action in ACTIONS if getattr(self, action) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"exactly one of {', '.join(ACTIONS)} (found {found})")
        bodies = [self.form is not None, self.has_json, self.body is not None]
        if sum(bodies) > 1:
            raise ValueError("at most one of form, json, body")
        if any(bodies) and given[0] not in ("post", "put", "patch", "delete"):
            raise ValueError("form, json and body only with post, put, patch or delete")
        return self

    @model_validator(mode="after")
    def _keys_fit_the_action(self) -> Step:
        if (self.fields or self.button) and self.submit is None:
            raise ValueError("fields and button only with submit")
        if "choose" in self.model_fields_set and self.submit is None and self.follow is None:
            raise ValueError("choose only with submit or follow")
        if self.query and (self.submit is not None or self.follow is not None):
            raise ValueError("query only with an address")
        if self.submit is not None and self.submit.strip() == "":
            raise ValueError("a CSS selector of the form")
        return self

    @model_validator(mode="after")
    def _asserts_something(self) -> Step:
        """A step that would pass whatever came back is a mistake."""
        if self.expect is None and all(item.missing == "empty" for item in self.save.values()):
            raise ValueError("something to assert: expect, or save of a value that must be there")
        taken = sorted(set(self.save) & {name for name in BUILT_IN if "." not in name})
        if taken:
            raise ValueError(f"save under another name: {', '.join(taken)} is built in")
        return self

    @property
    def has_json(self) -> bool:
        """Whether a JSON body is given; null is one."""
        return "json_body" in self.model_fields_set

    @cached_property
    def action(self) -> str:
        """Which of `ACTIONS` the step does."""
        return next(action for action in ACTIONS if getattr(self, action) is not None)

    @property
    def target(self) -> str:
        """The address, or the selector of the form or link."""
        return str(getattr(self, self.action))

    @property
    def uses_page(self) -> bool:
        """Whether the step starts from the page before it."""
        return self.action in ("submit", "follow")

    @property
    def carries_key(self) -> bool:
        """Whether the step sends an idempotency key."""
        return any(name.lower() == "idempotency-key" for name in self.headers)

    @cached_property
    def needs(self) -> frozenset[str]:
        """The names whose values the step uses."""
        data = self.model_dump(by_alias=True, exclude={"name"})
        return frozenset(ref.text for _, text in texts_in(data) for ref in references(text))
