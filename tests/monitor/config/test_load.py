"""A configuration folder is read whole: every fault of every file, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.load import load_configuration
from probes.faults import FaultyInput

GOOD = """\
site: {name: Shop, url: "https://shop.test"}
components:
  - {id: login, name: Sign-in}
  - {id: checkout, name: Checkout, depends_on: [login]}
channels:
  - {name: terminal, kind: console}
"""
JOURNEY = """\
name: login
component: login
steps:
  - {name: open, get: "https://shop.test/login", expect: {status: 200}}
"""


def folder(path: Path, monitor: str = GOOD, **journeys: str) -> Path:
    """Write a folder with `monitor.yml` and journeys by file name."""
    (path / "journeys").mkdir()
    (path / "monitor.yml").write_text(monitor)
    for name, text in (journeys or {"login": JOURNEY}).items():
        (path / "journeys" / f"{name}.yml").write_text(text)
    return path


def faults(path: Path) -> list[str]:
    """Return what is wrong with a folder, one line each, without the folder's own path."""
    with pytest.raises(FaultyInput) as caught:
        load_configuration(path)
    return [str(fault).replace(f"{path}/", "") for fault in caught.value.faults]


def test_a_valid_folder_is_read_with_its_journeys_and_the_shipped_rules(tmp_path: Path) -> None:
    """A folder without rules of its own uses those that come with the program."""
    configuration = load_configuration(folder(tmp_path))
    assert [journey.name for journey in configuration.journeys] == ["login"]
    assert "journeys.yml" in [path.name for path in configuration.rule_files]


def test_a_missing_folder_says_how_to_get_one(tmp_path: Path) -> None:
    """The first thing a newcomer meets is told what to type next."""
    assert any("monitor init" in fault for fault in faults(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: Shop", "name: ''", "monitor.yml:1: site.name"),
        ("depends_on: [login]", "depends_on: [logon]", "monitor.yml:4: components.1.depends_on"),
        ("{id: login, name: Sign-in}", "{id: login, nam: S}", "monitor.yml:3: components.0.nam"),
        ("kind: console", "kind: pigeon", "monitor.yml:6: channels.0.kind"),
        ("kind: console", "kind: webhook", "monitor.yml:6: channels.0.settings"),
        ("channels:", "quorum: 2\nchannels:", "monitor.yml:5: quorum"),
        ("channels:", "location: mars\nchannels:", "monitor.yml:5: location"),
        ("channels:", "retention: {runs: 3}\nchannels:", "monitor.yml:5: retention.runs"),
        ("id: checkout", "id: login", "monitor.yml:4: components.1"),
    ],
)
def test_a_fault_is_told_with_file_and_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    """A person can go straight to the place."""
    told = faults(folder(tmp_path, GOOD.replace(old, new, 1)))
    assert any(fault.startswith(expected) for fault in told), told


def test_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    """Nobody repairs one file only to learn of the next."""
    broken = JOURNEY.replace("expect: {status: 200}", "timeout: 5s")
    lost = JOURNEY.replace("name: login", "name: lost").replace("component: login", "component: x")
    told = faults(folder(tmp_path, GOOD.replace("Shop", "''"), login=broken, lost=lost))
    assert {fault.split(":")[0] for fault in told} >= {"monitor.yml", "journeys/login.yml"}


def test_a_journey_of_an_unknown_component_is_a_fault_in_its_own_file(tmp_path: Path) -> None:
    """The mistake is where the component is named."""
    told = faults(folder(tmp_path, login=JOURNEY.replace("component: login", "component: log")))
    assert told[0].startswith("journeys/login.yml:2: component")


def test_own_rules_replace_the_shipped_ones(tmp_path: Path) -> None:
    """What a user owns is what is evaluated."""
    path = folder(tmp_path)
    (path / "alert_rules").mkdir()
    (path / "alert_rules" / "mine.yml").write_text(
        "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]\n"
    )
    assert [file.name for file in load_configuration(path).rule_files] == ["mine.yml"]


def test_a_rule_that_reads_further_back_than_samples_are_kept_is_a_fault(tmp_path: Path) -> None:
    """It would be evaluated on half of its data, and nobody would know."""
    folder(tmp_path, GOOD + "retention: {samples: 2h}\n")
    (tmp_path / "alert_rules").mkdir()
    rule = "{alert: Far, expr: 'avg_over_time(up[3h]) < 1'}"
    text = f"groups:\n  - name: g\n    rules:\n      - {rule}\n"
    (tmp_path / "alert_rules" / "far.yml").write_text(text)
    [fault] = faults(tmp_path)
    assert fault.startswith("alert_rules/far.yml:4: g.Far.expr")
    assert "at most 7200 s" in fault
