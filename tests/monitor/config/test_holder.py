"""The configuration in force changes as a whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.clock import FakeClock
from monitor.config.holder import ConfigurationHolder
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from tests.monitor.config.test_load import GOOD, folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A valid folder."""
    return folder(tmp_path)


@pytest.fixture
def holder(path: Path) -> ConfigurationHolder:
    """A holder of that folder."""
    return ConfigurationHolder(load_configuration(path), FakeClock())


def test_a_changed_file_comes_into_force_and_listeners_hear_of_it(
    path: Path, holder: ConfigurationHolder
) -> None:
    """What is told is the whole new configuration."""
    heard: list[Configuration] = []
    holder.subscribe(heard.append)
    (path / "monitor.yml").write_text(GOOD.replace("Shop", "Market"))
    assert holder.reload().successful
    assert [configuration.site.name for configuration in heard] == ["Market"]


def test_a_fault_keeps_the_old_configuration(path: Path, holder: ConfigurationHolder) -> None:
    """A typing mistake does not stop the monitoring."""
    (path / "monitor.yml").write_text("site: [")
    assert not holder.reload().successful
    assert holder.current.site.name == "Shop"


def test_an_unchanged_folder_is_not_read_again(holder: ConfigurationHolder) -> None:
    """Looking costs a few stat calls and no more."""
    assert holder.reload_if_changed() is None


def test_a_change_is_taken_once_the_folder_has_been_quiet(
    path: Path, holder: ConfigurationHolder
) -> None:
    """An editor's half-written file is not mistaken for the new configuration."""
    (path / "monitor.yml").write_text(GOOD.replace("Shop", "Market"))
    assert holder.reload_if_changed() is None
    reload = holder.reload_if_changed()
    assert reload is not None
    assert reload.successful
    assert holder.reload_if_changed() is None
