"""`monitor token …` on a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.accounts.token_secrets import is_token
from monitor.cli import app


def command(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command and return its exit code and everything it said."""
    result = CliRunner().invoke(app, [*words, "--data", str(folder)])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is the one in the folder, and ann has an account in it."""
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)
    command(tmp_path, "user", "add", "ann")


def test_a_token_is_printed_once_and_listed_without_its_secret(tmp_path: Path) -> None:
    """Made, listed, revoked."""
    given = ("--user", "ann", "--scope", "read", "--scope", "metrics:read")
    code, said = command(tmp_path, "token", "add", "deploy", *given)
    secret = said.splitlines()[-1]
    assert code == 0
    assert is_token(secret)
    listed = command(tmp_path, "token", "list")[1]
    assert secret not in listed
    assert "live     user ann" in listed
    assert "read metrics:read" in listed
    assert command(tmp_path, "token", "revoke", "1") == (0, "Token 1 (deploy) is revoked.\n")
    assert "revoked  user ann" in command(tmp_path, "token", "list")[1]


def test_a_sources_token_does_not_end_by_itself(tmp_path: Path) -> None:
    """It belongs to no account."""
    assert command(tmp_path, "token", "add", "prom", "--source", "eu-prom")[0] == 0
    listed = command(tmp_path, "token", "list")[1]
    assert "source eu-prom" in listed
    assert "ends never" in listed
    assert "alerts:send" in listed


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("add", "x"), 2, "either --user or --source"),
        (("add", "x", "--user", "ann", "--source", "eu"), 2, "either --user or --source"),
        (("add", "x", "--source", "eu", "--scope", "read"), 2, "give no"),
        (("add", "x", "--user", "bob", "--scope", "read"), 1, "account 'bob'"),
        (("add", "x", "--user", "ann"), 1, "at least one scope"),
        (("revoke", "7"), 1, "token 7"),
    ],
)
def test_a_refusal_is_told_in_words(
    tmp_path: Path, words: tuple[str, ...], code: int, told: str
) -> None:
    """Wrong usage ends with 2, what the rules refuse with 1."""
    ended, said = command(tmp_path, "token", *words)
    assert ended == code
    assert told in " ".join(said.replace("│", " ").split())
