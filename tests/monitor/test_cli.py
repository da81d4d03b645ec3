"""Every command as a person types it: what it says and how it ends."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from monitor.cli import app, main
from monitor.demo import RunningShop, running_shop
from monitor.demo_run import write_demo_folder

ROOT = Path(__file__).parents[2]
PASSWORD = "a-password-only-for-probes"
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run `monitor` with words; gives the exit code and everything it said."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["monitor", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningShop]:
    """A running demo shop."""
    with running_shop(probe_password=PASSWORD) as running:
        yield running


@pytest.fixture
def folder(shop: RunningShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A configuration that watches the shop."""
    monkeypatch.setenv("MONITOR_SECRET_SHOP_PASSWORD", PASSWORD)
    write_demo_folder(tmp_path / "config", shop.url)
    yield tmp_path / "config"
    shop.clear_faults()


def test_a_started_folder_has_no_fault(command: Command, tmp_path: Path) -> None:
    """What `init` writes, `check` accepts; written again nothing is overwritten."""
    folder = tmp_path / "mine"
    code, said = command("init", "https://my-shop.example", "--config", folder)
    assert (code, "wrote" in said, f"monitor check --config {folder}" in said) == (0, True, True)
    assert command("init", "https://my-shop.example", "--config", folder)[1].count("wrote") == 0
    code, said = command("check", "--config", folder)
    assert code == 0
    assert "4 components, 1 journey, " in said


def test_init_refuses_what_is_no_address(command: Command, tmp_path: Path) -> None:
    """And writes nothing."""
    code, said = command("init", "ftp://my-shop.example", "--config", tmp_path / "mine")
    assert code == 1
    assert "expected an address such as https://my-shop.example" in said
    assert not (tmp_path / "mine").exists()


def test_check_lists_the_faults_of_every_file_with_their_lines(
    command: Command, folder: Path
) -> None:
    """Two broken files, both told."""
    for name, old, new in (
        ("monitor.yml", "kind: console", "kind: pigeon"),
        ("journeys/search.yml", "interval: 5s", "interval: soon"),
    ):
        path = folder / name
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    code, said = command("check", "--config", folder)
    assert code == 1
    assert re.search(r"monitor\.yml:\d+: .*pigeon", said)
    assert re.search(r"journeys/search\.yml:\d+: .*soon", said)
    assert "2 faults found" in said


def test_check_names_a_secret_that_is_not_set(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first run does."""
    monkeypatch.delenv("MONITOR_SECRET_SHOP_PASSWORD")
    code, said = command("check", "--config", folder)
    assert (code, "set MONITOR_SECRET_SHOP_PASSWORD" in said) == (1, True)


@pytest.mark.parametrize(
    ("fault", "password", "code", "told"),
    [
        (None, PASSWORD, 0, "✓ passed in"),
        ("login_500", PASSWORD, 1, "✗ failed in"),
        (None, "short", 3, "! errored in"),
    ],
)
def test_probe_shows_the_run_and_its_exit_code_tells_the_outcome(
    command: Command,
    folder: Path,
    shop: RunningShop,
    monkeypatch: pytest.MonkeyPatch,
    fault: str | None,
    password: str,
    code: int,
    told: str,
) -> None:
    """Steps and verdict as a table: 0 passed, 1 the shop failed, 3 the prober could not tell."""
    monkeypatch.setenv("MONITOR_SECRET_SHOP_PASSWORD", password)
    if fault:
        shop.set_fault(fault)
    ended, said = command("probe", "login", "--config", folder)
    assert ended == code
    for words in ("Open the log-in page", "Log in", "first byte", told):
        assert words in said
    assert password not in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("probe", "logon"), "expected one of: checkout, login, search"),
        (("probe", "login", "--location", "mars"), "expected one of: local"),
        (("notify-test", "pigeon"), "known: on-call"),
        (("grafana", "push"), "MONITOR_SECRET_GRAFANA"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_those_that_are(
    command: Command, folder: Path, words: tuple[str, ...], told: str
) -> None:
    """Exit code 1 and what would be right."""
    code, said = command(*words, "--config", folder)
    assert code == 1
    assert told in said


def test_notify_test_shows_what_the_receiver_said(command: Command, folder: Path) -> None:
    """The message itself goes to the channel, here the terminal."""
    code, said = command("notify-test", "on-call", "--config", folder)
    assert code == 0
    assert "NOTIFY INFO · Test message" in said
    assert "on-call: written to stdout" in said


def test_test_rules_passes_the_shipped_rules_and_fails_on_a_missing_file(
    command: Command, tmp_path: Path
) -> None:
    """Exit code 0 or 1."""
    code, said = command("test-rules", ROOT / "alert_rules" / "tests" / "reports.yml")
    assert (code, "all passed" in said) == (0, True)
    assert command("test-rules", tmp_path / "nowhere.yml")[0] == 1


@pytest.mark.parametrize("words", [("serve", "--config"), ("run",)])
def test_a_taken_port_says_what_to_do(
    command: Command, folder: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Nothing is started, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        own = (folder,) if words[-1] == "--config" else ()
        code, said = command(*words, *own, "--data", tmp_path / "data", "--port", port)
    assert code == 1
    assert f"127.0.0.1:{port}; expected a free address" in said
    assert "--port or MONITOR_PORT" in said
    assert "Traceback" not in said


def test_serve_refuses_a_folder_with_faults_before_it_starts(
    command: Command, tmp_path: Path
) -> None:
    """A newcomer is told how to get a folder."""
    code, said = command("serve", "--config", tmp_path / "no", "--data", tmp_path / "d")
    assert (code, "monitor init" in said) == (1, True)
    assert not (tmp_path / "d").exists()


def test_settings_that_cannot_be_are_all_told(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every variable at once."""
    monkeypatch.setenv("MONITOR_PORT", "many")
    monkeypatch.setenv("MONITOR_LOG_FORMAT", "poem")
    code, said = command("serve")
    assert code == 1
    assert "MONITOR_PORT" in said
    assert "MONITOR_LOG_FORMAT" in said


def commands() -> list[tuple[str, list[str]]]:
    """Return every command with its options, those of groups as `group command`."""
    found = []
    for name, one in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for below, leaf in getattr(one, "commands", {"": one}).items():
            options = [max(param.opts, key=len) for param in leaf.params]
            options = [option for option in options if option.startswith("--")]
            found.append((f"{name} {below}".strip(), options))
    return found


def test_help_lists_every_command(command: Command) -> None:
    """The first thing typed shows all there is."""
    code, said = command("--help")
    assert code == 0
    assert all(f" {name.split()[0]} " in said for name, _ in commands())


@pytest.mark.parametrize(("name", "options"), commands(), ids=[name for name, _ in commands()])
def test_every_command_and_option_is_documented(name: str, options: list[str]) -> None:
    """docs/cli.md has a heading for each command, and below it each of its options."""
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    parts = re.split(r"^#+ ", text, flags=re.MULTILINE)
    part = next((one for one in parts if one.startswith(f"`monitor {name}")), "")
    assert part, f"docs/cli.md has no heading `monitor {name}`"
    assert [option for option in options if f"`{option}" not in part] == []
