"""What comes from outside when somebody means no good: texts, values, and documents half right."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

WORDS = (
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "NaN",
    "+Inf",
    "true",
    "null",
    "\x00",
    "\ud800",
    "²",
    "٣",
    "9" * 5000,  # more digits than Python turns into a number
    "[" * 3000,  # deeper than Python reads JSON
    "{{",
    "${secret:",
    "../..",
    "0001-01-01T00:00:00+14:00",  # before the first year, once it is in UTC
    "9999-12-31T23:59:59-12:00",
    "2026-02-30T00:00:00Z",
    "a" * 300,
)
TEXTS = st.sampled_from(WORDS) | st.text(max_size=30)
NUMBERS = (
    st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 10**400])
    | st.floats()  # NaN and infinities too
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def broken(draw: st.DrawFn, example: Any) -> Any:
    """A good document with up to three of its values replaced or left out."""
    document = copy.deepcopy(example)
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            holder[key] = draw(VALUES)
        else:
            del holder[key]
    return document


def bodies(*examples: Any) -> st.SearchStrategy[bytes]:
    """Bodies of requests: JSON near one of the examples, any JSON, and any bytes."""
    near = st.one_of([broken(example) for example in examples])
    return (near | VALUES).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(document, dict):
        inner = list(document.items())
    elif isinstance(document, list):
        inner = list(enumerate(document))
    else:
        return
    for key, value in inner:
        yield document, key
        yield from _places(value)
