"""Rule files: what is read from them, and that everything wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.rules.files import load_rule_files
from monitor.rules.model import AlertingRule, RecordingRule, rule_keys
from probes.faults import FaultyInput

GOOD = """\
groups:
  - name: g
    interval: 30s
    limit: 5
    query_offset: 1m
    labels: {team: shop}
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {zone: 1}
      - alert: Down
        expr: up == 0
        for: 1m30s
        keep_firing_for: 5m
        labels: {severity: critical}
        annotations:
          summary: '{{ $labels.job }} is down'
"""
FAULTY = """\
groups:
  - name: g
    rules:
      - alert: Unparsable
        expr: sum(up
      - alert: OutOfScope
        expr: histogram_count(rate(x[5m])) > info(up)
      - alert: Range
        expr: up[5m]
      - alert: TooFar
        expr: avg_over_time(up[30d]) < 1
      - alert: Both
        record: both
        expr: up
      - record: bad name
        expr: up
      - record: fine
        expr: up
        annotations: {summary: no}
      - alert: Template
        expr: up
        annotations:
          summary: |
            one
            {{ $nothing }}
      - alert: Unknown
        expr: up
        fore: 5m
        for: soon
  - name: g
    rules: []
"""


def load(folder: Path, text: str) -> FaultyInput | tuple[object, ...]:
    """Return the groups of a text, or what is wrong with it."""
    path = folder / "rules.yml"
    path.write_text(text)
    try:
        return load_rule_files([path], retention_seconds=86_400)
    except FaultyInput as faulty:
        return faulty


def test_rule_file_is_read_whole(tmp_path: Path) -> None:
    """Every key of the format finds its place."""
    path = tmp_path / "rules.yml"
    path.write_text(GOOD)
    [group] = load_rule_files([path])
    record, alert = group.rules
    assert (group.interval_seconds, group.limit, group.query_offset_seconds) == (30, 5, 60)
    assert isinstance(record, RecordingRule)
    assert record.labels == {"team": "shop", "zone": "1"}
    assert isinstance(alert, AlertingRule)
    assert (alert.for_seconds, alert.keep_firing_seconds, alert.line) == (90, 300, 11)


@pytest.mark.parametrize(
    ("rule", "line", "words"),
    [
        ("Unparsable", 5, "PromQL"),
        ("OutOfScope", 7, "info|histogram_count"),
        ("Range", 9, "instant vector or a scalar, not a range vector"),
        ("TooFar", 11, "at most 86400 s"),
        ("Both", 12, "either alert or record"),
        ("bad name", 15, "name of a metric"),
        ("fine", 19, "only an alert"),
        ("Template", 25, "undefined variable"),
    ],
)
def test_every_fault_of_the_rules_is_told_with_its_line(
    tmp_path: Path, rule: str, line: int, words: str
) -> None:
    """One look at the message repairs the file."""
    faulty = load(tmp_path, FAULTY.replace("        fore: 5m\n        for: soon\n", ""))
    assert isinstance(faulty, FaultyInput)
    [fault] = [one for one in faulty.faults if one.place.startswith(f"g.{rule}")]
    assert fault.line == line
    assert any(word in fault.expected for word in words.split("|"))


@pytest.mark.parametrize(("line", "words"), [(28, "fore"), (29, "duration")])
def test_unknown_keys_and_wrong_values_are_told_with_their_lines(
    tmp_path: Path, line: int, words: str
) -> None:
    """A mistyped `for` is not an alert without patience."""
    faulty = load(tmp_path, FAULTY)
    assert isinstance(faulty, FaultyInput)
    assert any(fault.line == line and words in str(fault) for fault in faulty.faults)


@pytest.mark.parametrize(
    "text",
    [
        GOOD + GOOD.removeprefix("groups:\n"),
        GOOD + "\n      - {alert: A, expr: up}\n      - {alert: A, expr: up}\n",
    ],
    ids=["group", "rule"],
)
def test_what_stands_there_twice_is_a_fault(tmp_path: Path, text: str) -> None:
    """Of two equal names one would be forgotten."""
    assert isinstance(load(tmp_path, text), FaultyInput)


def test_rule_keeps_its_key_when_it_moves_to_another_group_and_file(tmp_path: Path) -> None:
    """State is found by name and labels."""
    one, other = tmp_path / "one.yml", tmp_path / "other.yml"
    one.write_text(GOOD)
    other.write_text(GOOD.replace("name: g", "name: moved").replace("up == 0", "up < 1"))
    keys = [set(rule_keys(load_rule_files([path])).values()) for path in (one, other)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 2


def test_empty_file_of_groups_is_no_fault(tmp_path: Path) -> None:
    """Somebody may have switched all rules off."""
    assert load(tmp_path, "groups:\n") == ()
