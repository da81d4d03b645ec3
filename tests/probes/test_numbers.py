"""Tests of reading printed numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.numbers import parse_number


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("12", ".", "12"),
        ("$19.40", ".", "19.40"),
        ("R 1,234.50", ".", "1234.50"),
        ("R 1 234,50", ",", "1234.50"),
        ("1.234.567,89 €", ",", "1234567.89"),
        ("1’234.50 CHF", ".", "1234.50"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("−$5.00", ".", "-5.00"),
        ("-5", ".", "-5"),
        ("$ -5", ".", "-5"),
        ("(5.00)", ".", "-5.00"),
        ("Total: 12.50 (incl. VAT)", ".", "12.50"),
        ("2 results", ".", "2"),
        ("5.", ".", "5"),
    ],
)
def test_printed_amounts_are_read(text: str, decimal: str, value: str) -> None:
    """Currency, grouping and the ways of printing less than nothing are understood."""
    assert parse_number(text, decimal) == Decimal(value)


@pytest.mark.parametrize("text", ["", "free", "1 of 2", "12/39", "1.2.3"])
def test_what_is_not_one_number_is_refused(text: str) -> None:
    """No guessing between two numbers, and none from none."""
    with pytest.raises(ValueError, match="numbers in"):
        parse_number(text)


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["${}", "{} €", "R {}"]))
def test_any_amount_reads_as_it_was_printed(value: Decimal, form: str) -> None:
    """Printing with thousands and reading again is the identity."""
    assert parse_number(form.format(f"{value:,.2f}")) == value


@given(st.text(max_size=60))
def test_no_text_raises_otherwise(text: str) -> None:
    """Any text is a number or a value error."""
    for decimal in ".,":
        try:
            assert isinstance(parse_number(text, decimal), Decimal)
        except ValueError as error:
            assert "numbers in" in str(error)  # noqa: PT017 - either ending is right
