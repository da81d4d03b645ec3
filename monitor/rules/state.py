"""Where alerts are kept so that a restart forgets none: what is stored, and a store in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.rules.alerts import Active
from monitor.rules.model import Labels


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert and the rule it belongs to."""

    rule_key: str
    alert: Active


def labels_key(labels: Labels) -> str:
    """Return a short name for a label set; equal for equal sets only (128 bits)."""
    return hashlib.blake2b(repr(labels).encode(), digest_size=16).hexdigest()


class AlertStateStore(Protocol):
    """Something that keeps alerts beyond the life of the process."""

    def load(self) -> Iterable[StoredAlert]:
        """Return every alert that was kept."""
        ...

    def save(self, changed: Sequence[StoredAlert], removed: Collection[tuple[str, Labels]]) -> None:
        """Keep the changed alerts and forget the removed ones, all of them or none."""
        ...


class MemoryStateStore:
    """Keeps alerts for as long as the object lives; for tests and rule unit tests."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Labels], StoredAlert] = {}

    def load(self) -> Iterable[StoredAlert]:
        """Return every alert that was kept."""
        return list(self.kept.values())

    def save(self, changed: Sequence[StoredAlert], removed: Collection[tuple[str, Labels]]) -> None:
        """Keep the changed alerts and forget the removed ones."""
        for key in removed:
            self.kept.pop(key, None)
        for stored in changed:
            self.kept[stored.rule_key, stored.alert.labels] = stored


def difference(
    rule_key: str, before: Mapping[Labels, Active], after: Mapping[Labels, Active]
) -> tuple[list[StoredAlert], list[tuple[str, Labels]]]:
    """Return what has to be saved and removed for `after` to be what is kept.

    A new value or annotation alone is not worth a write: the next evaluation computes it anew.
    """
    changed = [
        StoredAlert(rule_key, alert)
        for labels, alert in after.items()
        if labels not in before or _lasting(before[labels]) != _lasting(alert)
    ]
    removed = [(rule_key, labels) for labels in before if labels not in after]
    return changed, removed


def _lasting(alert: Active) -> tuple[object, ...]:
    return (
        alert.state,
        alert.active_at,
        alert.fired_at,
        alert.resolved_at,
        alert.keep_firing_since,
        alert.last_sent_at,
    )
