"""`monitor user …` on a data folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from typer.testing import CliRunner

from monitor.accounts.factors import switch_on
from monitor.accounts.people import authenticate, known_user
from monitor.accounts.seal import Seal
from monitor.accounts.second_factor import new_secret
from monitor.cli import app
from monitor.storage.engine import open_engine
from monitor.storage.store import Store


def user(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command and return its exit code and everything it said."""
    result = CliRunner().invoke(app, ["user", *words, "--data", str(folder)])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is the one in the folder."""
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)


def test_a_new_account_signs_in_with_the_password_that_was_printed(tmp_path: Path) -> None:
    """The password is shown once and is the right one; the account is listed with its role."""
    code, said = user(tmp_path, "add", "ann", "--role", "responder")
    assert code == 0
    store = Store(open_engine(f"sqlite:///{tmp_path / 'monitor.db'}"))
    password = said.split("with  ")[1].split("  and")[0]
    assert authenticate(store, "ann", password, datetime.now(UTC)) is not None
    store.close()
    assert user(tmp_path, "list")[1].split() == ["ann", "responder"]


def test_an_account_can_be_changed_and_shut(tmp_path: Path) -> None:
    """Role, password and door, each by a command of its own."""
    user(tmp_path, "add", "ann")
    assert user(tmp_path, "role", "ann", "--to", "agent") == (0, "ann is agent now.\n")
    assert user(tmp_path, "reset", "ann")[0] == 0
    assert user(tmp_path, "shut", "ann")[0] == 0
    assert user(tmp_path, "list")[1].split() == ["ann", "agent", "shut"]
    assert user(tmp_path, "shut", "ann", "--open") == (0, "ann is open again.\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "ann", "--role", "king"), "expected one of"),
        (("add", "An n"), "cannot be used"),
        (("add", "monitor"), "cannot be used"),
        (("add", "reporter"), "cannot be used"),
        (("reset", "nobody"), "there is no account"),
    ],
)
def test_a_refusal_is_told_in_words(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Exit code 1, no traceback."""
    code, said = user(tmp_path, *words)
    assert code == 1
    assert told in said


def test_how_a_person_is_reached_is_shown_and_changed_field_by_field(tmp_path: Path) -> None:
    """What is not given stays; what is given empty goes."""
    user(tmp_path, "add", "ann")
    user(tmp_path, "contact", "ann", "--email", "Ann@Shop.example", "--phone", "+27 82 123 4567")
    code, said = user(tmp_path, "contact", "ann", "--phone", "")
    assert code == 0
    assert [line.split()[-1] for line in said.splitlines()] == ["–", "ann@shop.example", "–", "–"]
    assert user(tmp_path, "contact", "ann", "--time-zone", "Mars/Olympus")[0] == 1


def test_a_lost_second_factor_is_taken_away(tmp_path: Path) -> None:
    """And where there was none, the command says so."""
    user(tmp_path, "add", "ann")
    assert user(tmp_path, "reset-2fa", "ann") == (0, "ann had no second factor.\n")
    store = Store(open_engine(f"sqlite:///{tmp_path / 'monitor.db'}"))
    ann, now = known_user(store, "ann"), datetime.now(UTC)
    secret = new_secret()
    assert switch_on(store, Seal("k" * 32), ann, secret, pyotp.TOTP(secret).at(now), now)
    store.close()
    assert user(tmp_path, "reset-2fa", "ann") == (0, "ann has no second factor now.\n")
    assert user(tmp_path, "reset-2fa", "nobody")[0] == 1


def test_the_last_administrator_stays_one(tmp_path: Path) -> None:
    """The refusal names what to do first."""
    user(tmp_path, "add", "root", "--role", "administrator")
    for words in (("shut", "root"), ("role", "root", "--to", "viewer")):
        code, said = user(tmp_path, *words)
        assert code == 1
        assert "make somebody else administrator first" in said
