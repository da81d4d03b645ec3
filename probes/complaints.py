"""What pydantic says about a value, said as what was expected instead."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from probes.faults import shown

Place = tuple[str | int, ...]
Facts = Mapping[str, Any]

_SECRETIVE = ("password", "passwd", "secret", "token", "api_key", "credential", "authorization")

_EXPECTED: Mapping[str, Callable[[Facts], str]] = {
    "missing": lambda _: "this key, which is required",
    "string_type": lambda _: "text (put it in quotes)",
    "int_type": lambda _: "a whole number",
    "int_parsing": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "float_parsing": lambda _: "a number",
    "bool_type": lambda _: "true or false",
    "bool_parsing": lambda _: "true or false",
    "list_type": lambda _: "a list",
    "tuple_type": lambda _: "a list",
    "dict_type": lambda _: "a mapping of names to values",
    "model_type": lambda _: "a mapping of keys to values",
    "literal_error": lambda facts: f"one of {facts['expected']}",
    "enum": lambda facts: f"one of {facts['expected']}",
    "greater_than_equal": lambda facts: f"at least {facts['ge']:g}",
    "greater_than": lambda facts: f"more than {facts['gt']:g}",
    "less_than_equal": lambda facts: f"at most {facts['le']:g}",
    "less_than": lambda facts: f"less than {facts['lt']:g}",
    "too_short": lambda facts: f"at least {facts['min_length']}; it must not be empty",
    "too_long": lambda facts: f"at most {facts['max_length']} of them",
    "string_too_short": lambda facts: f"at least {facts['min_length']} characters",
    "string_too_long": lambda facts: f"at most {facts['max_length']} characters",
    "string_pattern_mismatch": lambda facts: f"text matching {facts['pattern']}",
    "value_error": lambda facts: str(facts["error"]).removeprefix("expected "),
}


def describe(error: ErrorDetails, model: type[BaseModel]) -> tuple[Place, str, str]:
    """Return where the complaint is, what was found there and what was expected."""
    place, facts = tuple(error["loc"]), error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return place, "an unknown key", _known_keys(model, place)
    if error["type"] == "missing":
        return place, "nothing", _EXPECTED["missing"](facts)
    teller = _EXPECTED.get(error["type"])
    expected = teller(facts) if teller else _first_small(error["msg"])
    return place, _found(place, error["input"]), expected


def is_echo(error: ErrorDetails) -> bool:
    """Whether the complaint only repeats that the items of a list were faulty themselves."""
    given = error["input"]
    return (
        error["type"] == "too_short"
        and isinstance(given, list | tuple)
        and len(given) >= error["ctx"]["min_length"]
    )


def is_secretive(name: object) -> bool:
    """Whether a field of this name usually holds something that must not be shown."""
    lowered = str(name).lower().replace("-", "_")
    return any(word in lowered for word in _SECRETIVE)


def _found(place: Place, value: object) -> str:
    """Return what was found, short; nothing of a value whose name suggests a secret."""
    if any(is_secretive(part) for part in place):
        return "a value not shown here"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value)) or 'no keys'}"[:80]
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return "nothing" if value is None else shown(value)


def _known_keys(model: type[BaseModel], place: Place) -> str:
    """Return which keys are known at `place`, the nearest one first."""
    owner = _model_at(model, place[:-1])
    if owner is None:
        return "no such key"
    names = sorted(info.alias or name for name, info in owner.model_fields.items())
    close = difflib.get_close_matches(str(place[-1]), names, n=1)
    hint = f"{close[0]!r}; known keys: " if close else "one of "
    return hint + ", ".join(names)


def _model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Return the model that describes the mapping at `place`."""
    found: type[BaseModel] = model
    for part in place:
        for name, info in found.model_fields.items():
            if part in (name, info.alias):
                found = next(iter(_models_in(info.annotation)), found)
                break
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models named anywhere in a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _first_small(text: str) -> str:
    """Return the library's own words for anything not in the table."""
    return text[:1].lower() + text[1:]
