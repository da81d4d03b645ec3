"""Alerts of our own rules, kept so that a restart forgets none: the table `rule_alerts`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select

from monitor.rules.alerts import Active, AlertState
from monitor.rules.model import Labels, labels_of
from monitor.rules.state import StoredAlert, labels_key
from monitor.storage.schema import rule_alerts
from monitor.storage.store import Store

TIMES = ("active_at", "fired_at", "resolved_at", "keep_firing_since", "last_sent_at")


class DatabaseStateStore:
    """Keeps the alerts of rules in the database, one transaction an evaluation."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> Iterable[StoredAlert]:
        """Return every alert that was kept."""
        with self._store.read() as connection:
            rows = connection.execute(select(rule_alerts)).mappings().all()
        return [StoredAlert(row["rule_key"], _alert(dict(row))) for row in rows]

    def save(self, changed: Sequence[StoredAlert], removed: Collection[tuple[str, Labels]]) -> None:
        """Keep the changed alerts and forget the removed ones, all of them or none."""
        keys = [(one.rule_key, labels_key(one.alert.labels)) for one in changed]
        keys += [(rule_key, labels_key(labels)) for rule_key, labels in removed]
        with self._store.begin() as transaction:
            for rule_key, key in keys:
                transaction.connection.execute(
                    delete(rule_alerts).where(
                        rule_alerts.c.rule_key == rule_key, rule_alerts.c.labels_key == key
                    )
                )
            if changed:
                transaction.connection.execute(
                    rule_alerts.insert(), [_row(stored) for stored in changed]
                )


def _row(stored: StoredAlert) -> dict[str, Any]:
    alert = stored.alert
    times = {name: _instant(getattr(alert, name)) for name in TIMES}
    return {
        "rule_key": stored.rule_key,
        "labels_key": labels_key(alert.labels),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state.value,
        "value": None if alert.value != alert.value else alert.value,  # NaN is no number in SQL
        **times,
    }


def _alert(row: dict[str, Any]) -> Active:
    times = {name: _seconds(row[name]) for name in TIMES}
    value = row["value"]
    return Active(
        labels_of(row["labels"]),
        row["annotations"],
        float("nan") if value is None else value,
        AlertState(row["state"]),
        times.pop("active_at") or 0.0,
        **times,
    )


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()
