"""A database that cannot be had is told as a fault of the setting, not as a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.database import open_database
from monitor.settings import Settings
from probes.faults import FaultyInput


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "an address such as postgresql://"),
        ("postgresql://u:canary-password@127.0.0.1:1/x", "a database that answers: conn"),
        ("mysql+nodriver://u:canary-password@127.0.0.1/x", "an address such as postgresql://"),
    ],
)
def test_a_database_that_does_not_answer_is_named(tmp_path: Path, url: str, said: str) -> None:
    """The variable and what was expected are said, and never the password."""
    with pytest.raises(FaultyInput) as raised:
        open_database(Settings(data=tmp_path, database_url=url))
    told = str(raised.value)
    assert ("MONITOR_DATABASE_URL" in told, said in told, "canary" in told) == (True, True, False)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The start ends with what to do."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(FaultyInput, match="MONITOR_DATA"):
        open_database(Settings(data=tmp_path / "file" / "data"))


def test_a_database_file_that_is_none_is_named(tmp_path: Path) -> None:
    """Whatever lies there is not written over."""
    (tmp_path / "monitor.db").write_text("not a database, but longer than a header " * 9, "utf-8")
    with pytest.raises(FaultyInput, match="MONITOR_DATA"):
        open_database(Settings(data=tmp_path))


def test_a_data_folder_made_here_is_for_nobody_else(tmp_path: Path) -> None:
    """It holds accounts and what users wrote."""
    open_database(Settings(data=tmp_path / "data")).dispose()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
