"""Codes and recovery codes by themselves: `monitor.accounts.second_factor`."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.accounts.second_factor import (
    RECOVERY_CODES,
    matching_step,
    new_recovery_codes,
    new_secret,
    provisioning_uri,
    recovery_hash,
)

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # 12345678901234567890 in base 32


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B: the last six of its eight digits, for SHA-1."""
    now = datetime.fromtimestamp(seconds, UTC)
    assert matching_step(RFC_SECRET, code, now, after=0) == seconds // 30
    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]}", now, after=0) == seconds // 30


def test_a_spent_step_matches_nothing() -> None:
    """Neither its own code nor one before it, whatever the database would say."""
    now = datetime.fromtimestamp(1_111_111_109, UTC)
    step = 1_111_111_109 // 30
    assert matching_step(RFC_SECRET, "081804", now, after=step - 1) == step
    for after in (step, step + 1):
        assert matching_step(RFC_SECRET, "081804", now, after=after) is None


@given(st.text(max_size=12))
def test_whatever_is_typed_is_judged_and_never_breaks(typed: str) -> None:
    """Digits of other scripts, too few, too many, none."""
    step = matching_step(RFC_SECRET, typed, datetime.fromtimestamp(59, UTC), after=0)
    assert step is None or (typed.isascii() and len("".join(typed.split())) == 6)


def test_an_app_reads_who_and_where_from_the_code() -> None:
    """A site's name with a colon in it does not shift into the account's."""
    uri = provisioning_uri(RFC_SECRET, "ann", "Shop: the monitor")
    assert urlsplit(uri).scheme == "otpauth"
    asked = parse_qs(urlsplit(uri).query)
    assert (asked["secret"], asked["issuer"]) == ([RFC_SECRET], ["Shop  the monitor"])


def test_recovery_codes_differ_and_belong_to_one_account() -> None:
    """However they are typed; the same code is kept otherwise for somebody else."""
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert recovery_hash(1, codes[0].upper().replace("-", "  ")) == recovery_hash(1, codes[0])
    assert recovery_hash(1, codes[0]) != recovery_hash(2, codes[0])
    assert new_secret() != new_secret()
