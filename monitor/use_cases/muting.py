"""What keeps an alert quiet at an instant: a window, a silence, or an alert that explains it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from incidents.alerts.inhibition import Inhibitor, InhibitRule, Source, is_target
from incidents.alerts.silences import InForce
from monitor.storage import alerts as alert_rows
from monitor.storage.deliveries import Delivery
from monitor.storage.maintenance import live_windows
from monitor.storage.silences import live_silences
from monitor.use_cases.maintenance import muting as window_muting

Mute = Callable[[Mapping[str, str]], str]  # labels → the name of what mutes it, or ""


def muting(connection: Connection, now: datetime) -> Mute:
    """Return what tells which window or silence mutes an alert: its name, or nothing."""
    announced = window_muting(connection, now)
    in_force = InForce(live_silences(connection, now), now)
    if not in_force.names:
        return announced

    def muted_by(labels: Mapping[str, str]) -> str:
        return announced(labels) or next((s.name for s in in_force.of(labels)), "")

    return muted_by


def lifted(connection: Connection, now: datetime, names: Collection[str]) -> set[str]:
    """Return the names among these that mute nothing any more; a few of them may still do so.

    A silence's matchers never change while it keeps its id, nor does a window's scope; what an
    alert inhibits is looked at anew each time, as long as it fires.
    """
    in_force = InForce(live_silences(connection, now), now).names
    windows = {window.name for window in live_windows(connection, now) if window.ends_at > now}
    return set(names) - in_force - windows


def mute_delivery(
    connection: Connection,
    delivery: Delivery,
    now: datetime,
) -> str:
    """Return the name of what mutes every alert that an incident has open, or nothing.

    Asked before each send: whatever waits or repeats while all of it is silenced, or announced by
    a window that began since, stays unsent.
    """
    if delivery.incident_id is None:
        return ""
    found = alert_rows.open_mutes_of(connection, delivery.incident_id)
    announced = window_muting(connection, now) if found else None
    names = sorted(
        muted_by or (announced(labels) if announced else "") for muted_by, labels in found
    )
    return names[0] if names and all(names) else ""


class Inhibition:
    """Which alerts explain which others away, inside one transaction; read when first asked."""

    def __init__(self, connection: Connection, rules: Sequence[InhibitRule]) -> None:
        self._connection = connection
        self._rules = rules
        self._begun: list[Source] = []

    @cached_property
    def _inhibitor(self) -> Inhibitor:
        inhibitor = Inhibitor(self._rules)
        for rule in self._rules:
            inhibitor.add(alert_rows.sources(self._connection, rule.source_matchers))
        return inhibitor

    def source_of(self, fingerprint: str, labels: Mapping[str, str]) -> Source | None:
        """Return a firing alert that inhibits this one, or None."""
        if "_inhibitor" not in self.__dict__ and not is_target(self._rules, labels):
            return None  # nothing to read for it
        self._inhibitor.add(self._begun)
        self._begun = []
        return self._inhibitor.source_of(fingerprint, labels)

    def add(self, source: Source) -> None:
        """Let an alert that this transaction begins inhibit those that come after it."""
        self._begun.append(source)
