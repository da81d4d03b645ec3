"""Pieces the models of a journey file are made of: a strict base and the short ways of writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from probes.patterns import checked_selector, compiled, json_path


class Strict(BaseModel):
    """A model that takes known keys only and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def as_text(value: object) -> object:
    """Return a scalar as text, the way a person would type it; leaves other things alone."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def as_list(value: object) -> object:
    """Return one thing as a list of it, nothing as an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list | tuple) else [value]


def short_for(key: str) -> BeforeValidator:
    """Return a validator by which plain text stands for a mapping with only `key`."""

    def expand(value: object) -> object:
        return {key: value} if isinstance(value, str | int | float) else value

    return BeforeValidator(expand)


def list_short_for(key: str) -> BeforeValidator:
    """Return a validator for a list, or one item, whose items may be plain text for `key`."""

    def expand(value: object) -> object:
        listed = as_list(value)
        if not isinstance(listed, list | tuple):
            return listed
        return [{key: item} if isinstance(item, str | int | float) else item for item in listed]

    return BeforeValidator(expand)


def _has_variable(text: str) -> bool:
    return "${" in text


def _regex(value: str) -> str:
    """Check a regular expression, unless variables will still change it."""
    if not _has_variable(value):
        compiled(value)
    return value


def _selector(value: str) -> str:
    """Check a CSS selector, unless variables will still change it."""
    return value if _has_variable(value) else checked_selector(value)


def _json_path(value: str) -> str:
    """Check a JSON path, which takes no variables."""
    if _has_variable(value):
        raise ValueError("a JSON path without variables")
    json_path(value)
    return value


Text = Annotated[str, BeforeValidator(as_text)]
Texts = Annotated[tuple[Annotated[Text, Field(min_length=1)], ...], BeforeValidator(as_list)]
Regex = Annotated[str, Field(min_length=1), AfterValidator(_regex)]
Selector = Annotated[str, AfterValidator(_selector)]
JsonPath = Annotated[str, AfterValidator(_json_path)]
TextMap = Mapping[str, Text]
AnyJson = Any
