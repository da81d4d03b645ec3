"""Deployment settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.settings import Settings, load_settings
from probes.faults import FaultyInput

DOCUMENTED = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_every_fault_of_the_environment_is_told_at_once() -> None:
    """Nobody repairs one variable only to learn of the next."""
    with pytest.raises(FaultyInput) as caught:
        load_settings({"MONITOR_PORT": "eighty", "MONITOR_RULES": "none", "MONITOR_HOST": "::1"})
    assert [fault.place for fault in caught.value.faults] == ["MONITOR_PORT", "MONITOR_RULES"]


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    """Secrets mounted as files need no shell in between; a last line break is not part of them."""
    (tmp_path / "token").write_text("sixteen letters!\n")
    settings = load_settings({"MONITOR_API_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.api_token == "sixteen letters!"


def test_a_faulty_token_is_never_repeated() -> None:
    """The message names the variable and not what stood in it."""
    with pytest.raises(FaultyInput) as caught:
        load_settings({"MONITOR_API_TOKEN": "tooshort"})
    assert "tooshort" not in str(caught.value)


def test_the_command_line_overrules_the_environment() -> None:
    """An option given is what the person meant now."""
    assert load_settings({"MONITOR_PORT": "1"}, port=2, host=None).port == 2


@pytest.mark.parametrize(
    ("host", "public", "expected"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:81"),
        ("0.0.0.0", "", "http://127.0.0.1:81"),
        ("0.0.0.0", "https://status.example/", "https://status.example"),
    ],
)
def test_links_start_with_the_public_address(host: str, public: str, expected: str) -> None:
    """Without one given, the address listened on serves for links."""
    settings = Settings(host=host, public_url=public).listening_on(81)
    assert (settings.public_url, settings.port) == (expected, 81)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    """An operator finds each variable in docs/configuration.md."""
    assert f"`MONITOR_{name.upper()}`" in DOCUMENTED.read_text("utf-8")
