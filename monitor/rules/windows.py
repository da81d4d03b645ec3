"""How long after its end an alert reopens its incident, computed from the rule that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from incidents.correlation import reopen_window
from monitor.rules.model import AlertingRule, Group


def reopen_windows(groups: Iterable[Group]) -> dict[str, timedelta]:
    """Return the window of each alert by name; of rules that share a name, the longest."""
    windows: dict[str, timedelta] = {}
    for group in groups:
        interval = timedelta(seconds=group.interval_seconds)
        for rule in group.rules:
            if isinstance(rule, AlertingRule):
                window = reopen_window(timedelta(seconds=rule.for_seconds), interval)
                windows[rule.name] = max(window, windows.get(rule.name, window))
    return windows
