"""`monitor init` writes a folder that is valid and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.init import write_starter
from monitor.config.load import load_configuration
from probes.faults import FaultyInput


def test_what_is_written_is_valid_as_it_stands(tmp_path: Path) -> None:
    """A person can start the service before having understood a single key."""
    list(write_starter("https://my-shop.example", tmp_path))
    configuration = load_configuration(tmp_path)
    assert str(configuration.site.url) == "https://my-shop.example/"
    assert [journey.name for journey in configuration.journeys] == ["home"]


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """Running it twice loses nothing."""
    (tmp_path / "monitor.yml").write_text("mine")
    written = dict(write_starter("https://my-shop.example", tmp_path))
    assert written[tmp_path / "monitor.yml"] is False
    assert (tmp_path / "monitor.yml").read_text() == "mine"


@pytest.mark.parametrize("shop", ["my-shop.example", "ftp://shop", "https://user:pw@shop", ""])
def test_something_that_is_no_web_address_is_refused(tmp_path: Path, shop: str) -> None:
    """Nothing is written for an address that no journey could open."""
    with pytest.raises(FaultyInput):
        list(write_starter(shop, tmp_path))
    assert list(tmp_path.iterdir()) == []
