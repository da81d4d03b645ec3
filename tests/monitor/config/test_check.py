"""`monitor check`: all that is wrong, in one go, each with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.config.check import check_folder, secret_faults
from monitor.config.init import write_starter
from probes.secrets import EnvironmentSecrets

NO_SECRETS = EnvironmentSecrets({})
MONITOR = """\
site: {name: Shop, url: "https://shop.test", url: "https://shop.test"}
components: [{id: Log In, name: Sign-in}]
channels: [{name: hook, kind: webhook, settings: {url: "https://x.test/${secret:HOOK}"}}]
"""
JOURNEY = """\
name: login
component: nowhere
locations: moon
steps:
  - {name: open, get: "https://shop.test/${gone}", expect: {text: "${secret:HOOK}"}, huh: 1}
"""
RULES = """\
groups:
  - name: mine
    rules:
      - {alert: A, expr: "up ==", fro: 5m}
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with something wrong in every part of it."""
    files = {"monitor.yml": MONITOR, "journeys/login.yml": JOURNEY, "alert_rules/a.yml": RULES}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "fault",
    [
        r"environment: MONITOR_PORT: found 99999",
        r"monitor\.yml:1: site\.url: found twice",
        r"monitor\.yml:2: components\.0\.id: found 'Log In'",
        r"monitor\.yml:3: channels\.0\.settings\.url: found \$\{secret:HOOK\}.*MONITOR_SECRET_HOOK",
        r"login\.yml:2: component: found 'nowhere'",
        r"login\.yml:3: locations: found 'moon'",
        r"login\.yml:5: steps\.0\.get: found \$\{gone\}",
        r"login\.yml:5: steps\.0\.huh: found an unknown key",
        r"login\.yml:5: steps\.0\.expect\.text: found \$\{secret:HOOK\}",
        r"a\.yml:4: .*\.fro: found an unknown key",
        r"a\.yml:4: mine\.A\.expr: found 'up =='",
    ],
)
def test_no_fault_hides_another(broken: Path, fault: str) -> None:
    """Whatever else is wrong, each fault is told with its file and line, and the exit code is 1."""
    environ = {"MONITOR_PORT": "99999", "MONITOR_SECRET_HOOK": None}
    told = CliRunner().invoke(app, ["check", "--config", str(broken)], env=environ)
    assert told.exit_code == 1, told
    assert re.search(fault, told.output), told.output


def test_a_folder_made_by_init_has_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What we write ourselves is valid."""
    list(write_starter("https://my-shop.example", tmp_path))
    assert check_folder(tmp_path, NO_SECRETS) == 0
    assert "No fault found" in capsys.readouterr().out


def test_a_secret_that_is_set_is_no_fault(broken: Path) -> None:
    """Only what cannot be had is told."""
    secrets = EnvironmentSecrets({"MONITOR_SECRET_HOOK": "correct-horse-battery"})
    assert list(secret_faults(broken, secrets)) == []


def test_a_secret_unfit_to_be_one_is_told_without_its_value(broken: Path) -> None:
    """The value of a bad secret is still nobody's business."""
    faults = list(secret_faults(broken, EnvironmentSecrets({"MONITOR_SECRET_HOOK": "hunter2"})))
    assert len(faults) == 2
    assert "hunter2" not in str(faults)
