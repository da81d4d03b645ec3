"""Tests of references in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.templates import UnknownName, fill, fill_all, references


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${a}", "1"),
        ("x${a}y${b}", "x1y2"),
        ("$${a}", "${a}"),
        ("$$${a}", "$${a}"),
        ("$a {a}", "$a {a}"),
    ],
)
def test_references_are_replaced_and_escapes_kept(text: str, filled: str) -> None:
    """Only `${…}` means something; `$${` is how to write it literally."""
    assert fill(text, {"a": "1", "b": "2"}) == filled


def test_a_value_is_never_read_as_a_template() -> None:
    """What a shop answers cannot ask for a secret."""
    assert fill("${a}", {"a": "${secret:X}", "secret:X": "s"}) == "${secret:X}"


def test_a_name_without_value_is_refused() -> None:
    """A missing value never becomes an empty text by itself."""
    with pytest.raises(UnknownName):
        fill("${nothing}", {})


def test_json_is_filled_at_every_depth() -> None:
    """Keys, items and texts are filled; numbers stay numbers."""
    data = {"${a}": ["${b}", 3, None, {"c": "${a}"}]}
    assert fill_all(data, {"a": "x", "b": "y"}) == {"x": ["y", 3, None, {"c": "x"}]}


@given(st.text())
def test_text_without_dollar_brace_is_left_alone(text: str) -> None:
    """Filling is the identity where nothing is referred to."""
    if "${" not in text:
        assert fill(text, {}) == text
        assert list(references(text)) == []
