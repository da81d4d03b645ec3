"""Folders and files that are not as they should be."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path

import pytest

from monitor.config.init import write_starter
from monitor.doctor.files import (
    examine_configuration_files,
    examine_data,
    examine_secret_files,
    read_configuration,
)
from monitor.doctor.finding import Finding, Level

GIB = 1024**3
Usage = namedtuple("Usage", "total used free")


def levels(findings: object) -> dict[str, Level]:
    return {f.area: f.level for f in findings}  # type: ignore[attr-defined] # an iterator of them


def failures(findings: object) -> list[Finding]:
    return [f for f in findings if f.level is Level.FAIL]  # type: ignore[attr-defined] # as above


def test_a_data_folder_that_is_ours_alone_is_well(tmp_path: Path) -> None:
    """Readable, writable, closed to others."""
    tmp_path.chmod(0o700)
    found = list(examine_data(tmp_path))
    assert {f.level for f in found if f.area != "disk"} == {Level.OK}


@pytest.mark.parametrize("mode", [0o750, 0o755, 0o701, 0o777])
def test_a_data_folder_that_others_can_look_into_fails(tmp_path: Path, mode: int) -> None:
    """Users' words are in it."""
    tmp_path.chmod(mode)
    (found,) = failures(f for f in examine_data(tmp_path) if f.area == "permissions")
    assert found.advice == f"chmod 700 {tmp_path}"


def test_a_data_folder_that_is_not_there_yet_is_no_failure(tmp_path: Path) -> None:
    """It is made at the first start."""
    assert levels(examine_data(tmp_path / "none")) == {"data": Level.WARN}


def test_a_data_folder_that_cannot_be_written_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do about it. (The account of the tests may write everywhere.)"""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert levels(examine_data(tmp_path)) == {"data": Level.FAIL}


@pytest.mark.parametrize(
    ("free", "total", "level"),
    [
        (50 * GIB, 100 * GIB, Level.OK),
        (11 * GIB, 100 * GIB, Level.OK),
        (9 * GIB, 100 * GIB, Level.WARN),
        (1 * GIB, 100 * GIB, Level.FAIL),
        (GIB // 10, GIB, Level.FAIL),  # little is little, whatever its share
    ],
)
def test_a_disk_is_judged_by_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, total: int, level: Level
) -> None:
    """A tenth left is a warning; a fiftieth, or less than 200 MiB, a failure."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(total, total - free, free))
    assert levels(examine_data(tmp_path))["disk"] is level


def test_a_secret_file_that_everybody_can_read_fails(tmp_path: Path) -> None:
    """And so does one that is not there; one for the group is the group's."""
    modes = {"open": 0o644, "shut": 0o640}
    for name, mode in modes.items():
        (tmp_path / name).write_text("hush-hush")
        (tmp_path / name).chmod(mode)
    environ = {
        "MONITOR_SECRET_A_FILE": str(tmp_path / "open"),
        "MONITOR_API_TOKEN_FILE": str(tmp_path / "shut"),
        "MONITOR_SECRET_C_FILE": str(tmp_path / "none"),
        "OTHER_FILE": str(tmp_path / "open"),
    }
    found = failures(examine_secret_files(environ))
    assert [f.advice for f in found] == [
        f"chmod 600 {tmp_path / 'open'}",
        "correct the path, or let the service's account read it",
    ]
    assert "hush-hush" not in repr(found)


def test_a_configuration_is_read_as_the_service_would(tmp_path: Path) -> None:
    """Every fault is a line, a missing secret too."""
    list(write_starter("https://shop.test", tmp_path))
    assert levels(read_configuration(tmp_path, {})) == {"configuration": Level.OK}
    with (tmp_path / "monitor.yml").open("a") as file:
        file.write("\nunknown_key: 1\n")
    (found,) = failures(read_configuration(tmp_path, {}))
    assert "unknown_key" in found.text
    assert f"monitor check --config {tmp_path}" in found.advice


def test_a_configuration_that_everybody_can_change_fails(tmp_path: Path) -> None:
    """Whoever changes it decides what is run and who is told."""
    list(write_starter("https://shop.test", tmp_path))
    assert failures(examine_configuration_files(tmp_path)) == []
    (tmp_path / "monitor.yml").chmod(0o666)
    (found,) = failures(examine_configuration_files(tmp_path))
    assert found.advice == f"chmod o-w {tmp_path / 'monitor.yml'}"
