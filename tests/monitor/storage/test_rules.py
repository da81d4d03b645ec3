"""Alerts of rules in the database: what was kept comes back, on every kind of database."""

from __future__ import annotations

import math
from dataclasses import replace

from monitor.rules.alerts import Active, AlertState
from monitor.rules.state import StoredAlert
from monitor.storage.rules import DatabaseStateStore
from monitor.storage.store import Store

ALERT = Active(
    (("alertname", "A"), ("job", "Zürich")),
    {"summary": "down"},
    0.5,
    AlertState.FIRING,
    1_800_000_000.125,
    fired_at=1_800_000_060.0,
    keep_firing_since=1_800_000_090.5,
    last_sent_at=1_800_000_060.0,
)


def test_alert_comes_back_as_it_was_kept(store: Store) -> None:
    """Every time, label and state survives, to the millisecond."""
    DatabaseStateStore(store).save([StoredAlert("rule#1", ALERT)], [])
    assert list(DatabaseStateStore(store).load()) == [StoredAlert("rule#1", ALERT)]


def test_later_state_replaces_the_earlier_one(store: Store) -> None:
    """There is one row for a rule and a label set."""
    state = DatabaseStateStore(store)
    resolved = replace(ALERT, state=AlertState.INACTIVE, resolved_at=1_800_000_120.0)
    state.save([StoredAlert("rule#1", ALERT), StoredAlert("rule#2", ALERT)], [])
    state.save([StoredAlert("rule#1", resolved)], [("rule#2", ALERT.labels)])
    assert list(state.load()) == [StoredAlert("rule#1", resolved)]


def test_value_that_is_no_number_is_kept(store: Store) -> None:
    """NaN is a value an expression may have, and none that every database knows."""
    state = DatabaseStateStore(store)
    state.save([StoredAlert("rule#1", replace(ALERT, value=math.nan))], [])
    [stored] = state.load()
    assert math.isnan(stored.alert.value)
