"""Tests of where secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.secrets import EnvironmentSecrets, MissingSecret, UnfitSecret

GOOD = "correct-horse-battery"


def test_the_variable_holds_the_value() -> None:
    """The name is put in capitals behind the prefix."""
    assert EnvironmentSecrets({"MONITOR_SECRET_SHOP": GOOD}).get("shop") == GOOD


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_holds_the_value(tmp_path: Path, end: str) -> None:
    """One line end is dropped, for editors add it."""
    path = tmp_path / "shop"
    path.write_bytes(GOOD.encode() + end.encode())
    assert EnvironmentSecrets({"MONITOR_SECRET_SHOP_FILE": str(path)}).get("SHOP") == GOOD


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    """A value set by hand is the one that counts."""
    environ = {"MONITOR_SECRET_SHOP": GOOD, "MONITOR_SECRET_SHOP_FILE": str(tmp_path / "none")}
    assert EnvironmentSecrets(environ).get("SHOP") == GOOD


@pytest.mark.parametrize("environ", [{}, {"MONITOR_SECRET_SHOP_FILE": "/nowhere/shop"}])
def test_a_missing_secret_says_how_to_set_it(environ: dict[str, str]) -> None:
    """The refusal names the variable."""
    with pytest.raises(MissingSecret, match="MONITOR_SECRET_SHOP"):
        EnvironmentSecrets(environ).get("SHOP")


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("1234567", False),
        ("abcdefg", False),
        ("abcdefgh", True),
        ("Password", False),
        ("12345678", False),
        ("123456789012", True),
        ("aaaaaaaaaa", False),
        ("abcabcabc", False),
        ("x" * 20_000, False),
    ],
)
def test_a_value_unfit_to_be_searched_for_is_refused(value: str, fits: bool) -> None:
    """Short, common or monotonous values would shred every record."""
    source = EnvironmentSecrets({"MONITOR_SECRET_SHOP": value})
    if fits:
        assert source.get("SHOP") == value
    else:
        with pytest.raises(UnfitSecret):
            source.get("SHOP")


def test_the_refusal_does_not_repeat_the_value() -> None:
    """An unfit secret is still nobody's business."""
    with pytest.raises(UnfitSecret) as raised:
        EnvironmentSecrets({"MONITOR_SECRET_SHOP": "hunter2"}).get("SHOP")
    assert "hunter2" not in str(raised.value)
