"""Tests of taking secrets out of text, in every form text can carry them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.redaction import PLACEHOLDER, Redactor

VALUE = "pä ss\"w+rd/%&<'\\日-xyz"


def lower_percent(text: str) -> str:
    """Percent-encode with lower-case digits, as some clients do."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": quote,
    "url, everything": lambda v: quote(v, safe=""),
    "url, lower case": lower_percent,
    "form": quote_plus,
    "url twice": lambda v: quote(quote(v, safe=""), safe=""),
    "json": lambda v: json.dumps(v)[1:-1],
    "json, not ascii": lambda v: json.dumps(v, ensure_ascii=False)[1:-1],
    "json in json": lambda v: json.dumps(json.dumps(v))[3:-3],
    "html": html.escape,
    "html, numbers": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "html, hex": lambda v: "".join(f"&#x{ord(c):X};" for c in v),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_each_form(form: str) -> None:
    """Nothing of the value is left, and what stands around it is."""
    text = f"before={FORMS[form](VALUE)}&after"
    assert Redactor([VALUE]).text(text) == f"before={PLACEHOLDER}&after"


@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_a_secret_is_found_in_base64_at_every_alignment(
    before: str, alphabet: Callable[[bytes], bytes]
) -> None:
    """Basic authentication, and any other text that was encoded around the value."""
    encoded = alphabet(f"{before}{VALUE}-tail".encode()).decode()
    cleaned = Redactor([VALUE]).text(encoded)
    assert PLACEHOLDER in cleaned
    assert len(cleaned.replace(PLACEHOLDER, "")) <= len(alphabet(before.encode() + b"-tail")) + 8


secrets = st.text(min_size=8, max_size=40).filter(lambda v: len(set(v)) > 3 and v.strip() == v)
encodable = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=40)


@given(encodable, st.sampled_from(sorted(FORMS)), encodable, encodable)
def test_no_value_survives_in_any_form(value: str, form: str, left: str, right: str) -> None:
    """For any value and any surroundings, the encoded value is gone."""
    encoded = FORMS[form](value)
    assert encoded not in Redactor([value]).text(left + encoded + right)


@given(encodable, st.integers(0, 2))
def test_no_value_survives_in_base64(value: str, offset: int) -> None:
    """For any value at any alignment, decoding what is left does not give it back."""
    encoded = base64.b64encode(b"x" * offset + value.encode()).decode()
    assert encoded not in Redactor([value]).text(encoded)


def test_the_longest_secret_is_taken_out_first() -> None:
    """A secret that holds another one leaves no half of itself behind."""
    assert Redactor(["abcdefgh", "abcdefgh-ijkl"]).text("abcdefgh-ijkl") == PLACEHOLDER


def test_a_very_long_secret_is_taken_out_whole() -> None:
    """A private key is longer than one pattern, and goes all the same."""
    value = "".join(f"{n:04x}" for n in range(1000))
    assert "0f0f" not in Redactor([value]).text(f"key: {value}.")


def test_data_is_redacted_at_every_depth_keys_included() -> None:
    """JSON-like data has no place to hide in."""
    data = {"hunter2-x": ["hunter2-x", {"a": ("hunter2-x", 5, None)}]}
    assert "hunter2" not in json.dumps(Redactor(["hunter2-x"]).data(data))


def test_without_secrets_text_is_left_alone() -> None:
    """Nothing to hide, nothing changed."""
    assert Redactor([]).text("as it was") == "as it was"
