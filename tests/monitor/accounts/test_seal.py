"""The installation's key: `monitor.accounts.seal`."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.accounts.seal import FILE, BrokenSeal, Seal, open_seal
from monitor.settings import load_settings
from probes.faults import FaultyInput

KEY = "a key for tests, and for tests alone"


@given(st.text(max_size=80), st.text(max_size=20))
def test_what_is_sealed_opens_for_its_purpose_alone(text: str, purpose: str) -> None:
    """With the same key and purpose, and with nothing else."""
    sealed = Seal(KEY).close(text, purpose)
    assert Seal(KEY).open(sealed, purpose) == text
    for seal, asked in ((Seal(KEY), purpose + "!"), (Seal(KEY + "!"), purpose)):
        with pytest.raises(BrokenSeal):
            seal.open(sealed, asked)


@given(st.text(max_size=80))
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    """Whatever a form brings back is refused in one way."""
    with pytest.raises(BrokenSeal):
        Seal(KEY).open(text, "any")


def test_a_derived_secret_belongs_to_key_purpose_and_name() -> None:
    """It is the same every time, and for nothing else."""
    derived = {
        Seal(key).derive(purpose, name)
        for key in (KEY, KEY + "!")
        for purpose in ("a", "b")
        for name in ("1", "2")
    }
    assert len(derived) == 8
    assert Seal(KEY).derive("a", "1") in derived


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """Every later start, and every process that starts at the same time, uses the same one."""
    settings = load_settings({}, data=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        seals = list(pool.map(lambda _: open_seal(settings), range(8)))
    assert len({seal.derive("a", "1") for seal in (*seals, open_seal(settings))}) == 1
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_key_that_is_given_needs_no_file(tmp_path: Path) -> None:
    """Replicas share it by their environment."""
    settings = load_settings({"MONITOR_SEAL_KEY": KEY}, data=tmp_path)
    assert open_seal(settings).derive("a", "1") == Seal(KEY).derive("a", "1")
    assert not list(tmp_path.iterdir())


def test_a_key_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With what to set instead, and no traceback."""
    with pytest.raises(FaultyInput, match="MONITOR_SEAL_KEY"):
        open_seal(load_settings({}, data=tmp_path / "missing"))
