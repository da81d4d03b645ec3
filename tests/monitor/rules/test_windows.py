"""The reopen window of an alert follows its rule."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.rules.files import load_rule_files
from monitor.rules.windows import reopen_windows

RULES = """
groups:
- name: slow
  interval: 5m
  rules:
  - {alert: Long, expr: up == 0, for: 1h}
  - {alert: Short, expr: up == 0}
  - {record: level:up:sum, expr: sum(up)}
- name: fast
  interval: 10s
  rules:
  - {alert: Long, expr: up == 0, for: 1m, labels: {severity: warning}}
"""


def test_a_window_leaves_time_for_the_hold_the_resends_and_two_evaluations(tmp_path: Path) -> None:
    """Never under a quarter of an hour; of two rules of one name the longer counts."""
    file = tmp_path / "rules.yml"
    file.write_text(RULES)
    assert reopen_windows(load_rule_files([file])) == {
        "Long": timedelta(minutes=60 + 4 + 10),
        "Short": timedelta(minutes=15),
    }
