"""How every open alert stands at an instant: active, or kept quiet, and by what.

Silences and inhibition are looked at live, so that a list is right the moment a silence is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from incidents.alerts.inhibition import Inhibitor, InhibitRule, Source
from incidents.alerts.silences import InForce
from incidents.muted import reason_of
from incidents.outbox import NotSent
from monitor.storage.silences import live_silences

Labels = Mapping[str, str]


class OpenAlert(Protocol):
    """What is needed of an open alert's row."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def labels(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def muted_by(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Stands:
    """One alert with what keeps it quiet; `silenced_by` names windows by their name."""

    row: Any
    labels: Labels
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        """Tell whether nothing keeps it quiet."""
        return not self.silenced_by and not self.inhibited_by


def standing(
    connection: Connection,
    rows: Sequence[OpenAlert],
    rules: Sequence[InhibitRule],
    now: datetime,
) -> list[Stands]:
    """Return how each of all open alerts stands, in the order of `rows`."""
    in_force = InForce(live_silences(connection, now), now)
    labels = [json.loads(row.labels) for row in rows]
    quiet = [_silenced_by(row, of, in_force) for row, of in zip(rows, labels, strict=True)]
    inhibitor = Inhibitor(rules)
    if rules:
        inhibitor.add(
            Source(row.fingerprint, of)
            for row, of, by in zip(rows, labels, quiet, strict=True)
            if not by and row.state == "firing"
        )
    return [
        Stands(row, of, by, _inhibited_by(inhibitor, row.fingerprint, of))
        for row, of, by in zip(rows, labels, quiet, strict=True)
    ]


def _silenced_by(row: OpenAlert, labels: Labels, in_force: InForce) -> tuple[str, ...]:
    found = tuple(silence.id for silence in in_force.of(labels)) if in_force.names else ()
    window = row.muted_by
    if window and reason_of(window) is NotSent.MUTED_BY_WINDOW:
        return (window, *found)
    return found


def _inhibited_by(inhibitor: Inhibitor, fingerprint: str, labels: Labels) -> tuple[str, ...]:
    source = inhibitor.source_of(fingerprint, labels)
    return (source.fingerprint,) if source else ()
