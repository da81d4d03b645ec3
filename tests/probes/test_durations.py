"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5.0), ("1m30s", 90.0), ("2h", 7200.0), ("30d", 2_592_000.0)],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    """Each unit counts as its own number of seconds, and parts add up."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "5s later", "1y"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    """A number without a unit is never guessed at."""
    with pytest.raises(ValueError, match="expected a duration such as"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=10**12))
def test_formatting_and_reading_agree(milliseconds: int) -> None:
    """What is written can be read back to the millisecond."""
    assert round(parse_duration(format_duration(milliseconds / 1000)) * 1000) == milliseconds
