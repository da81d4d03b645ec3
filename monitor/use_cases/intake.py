"""How a batch of alerts changes what is known, inside one transaction.

What a delivery does is decided by `incidents.alerts.expiry`; what follows for incidents is in
`placing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import RowMapping

from incidents.alerts import inhibition
from incidents.alerts.expiry import Effect, Held, effect_of, later_end
from incidents.alerts.inhibition import Source
from incidents.alerts.model import Alert, AlertState, begun
from incidents.correlation import opens_incident
from incidents.lifecycle import Severity
from incidents.outbox import NotSent
from incidents.timeline import Kind
from monitor.config.model import Configuration
from monitor.storage import alerts as alert_rows
from monitor.storage.store import Transaction
from monitor.use_cases.muting import Inhibition, Mute
from monitor.use_cases.placing import Counted, Placing
from monitor.use_cases.policy import AlertPolicy


@dataclass
class Intake:
    """One transaction's work on alerts and the incidents they belong to."""

    tx: Transaction
    configuration: Configuration
    policy: AlertPolicy
    now: datetime
    source: str = ""
    counted: Counted = field(default_factory=Counted)

    def __post_init__(self) -> None:
        self.placing = Placing(
            self.tx, self.configuration, self.policy, self.now, counted=self.counted
        )

    @cached_property
    def mute(self) -> Mute:
        """What tells which window or silence mutes an alert."""
        return self.policy.muting(self.tx.connection, self.now)

    @cached_property
    def inhibition(self) -> Inhibition:
        """What tells which alert explains another away."""
        return Inhibition(self.tx.connection, self.configuration.inhibit_rules)

    def take(self, alerts: Sequence[Alert]) -> None:
        """Apply deliveries of different identities."""
        alerts = self._extend(alerts)
        held = alert_rows.lock_held(self.tx, (alert.fingerprint for alert in alerts))
        by_effect: dict[Effect, list[tuple[Alert, RowMapping | None]]] = {e: [] for e in Effect}
        for alert in alerts:
            row = held.get(alert.fingerprint)
            effect = effect_of(alert, _held(row) if row else None, self.now)
            by_effect[effect].append((alert, row))
        self._refresh(by_effect[Effect.REFRESHED] + by_effect[Effect.RETURNED])
        self._welcome_back([row for _, row in by_effect[Effect.RETURNED] if row])
        self._begin([alert for alert, _ in by_effect[Effect.NEW]])
        self.end([(row, a.ends_at) for a, row in by_effect[Effect.RESOLVED] if row])
        self.counted.ignored += len(by_effect[Effect.IGNORED])

    def _extend(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Have alerts that fire on unchanged go on; return the others. It is what most do."""
        likely = [alert for alert in alerts if alert.ends_at and self.now < alert.ends_at]
        if not likely:
            return alerts
        extended = alert_rows.extend(self.tx, likely, self.source, self.now)
        self.counted.refreshed += len(extended)
        return [alert for alert in alerts if alert.fingerprint not in extended]

    def _told(self, alert: Alert) -> str:
        """Return what a later delivery must equal to change nothing but the end.

        Nothing does while the start is ahead of our clock: it is kept as of now instead.
        """
        return alert.digest if alert.starts_at <= self.now else ""

    def end(self, ended: Sequence[tuple[RowMapping, datetime | None]]) -> None:
        """Close alerts that their source resolved, and the incidents nothing holds open."""
        if not ended:
            return
        alert_rows.close_alerts(
            self.tx, [self._closing(row, AlertState.RESOLVED, ends_at) for row, ends_at in ended]
        )
        self.counted.ended += len(ended)
        self.tx.touch("alerts")
        self.placing.follow([row for row, _ in ended], Kind.ALERT_RESOLVED, "resolved")

    def close_silent(self, rows: Sequence[RowMapping]) -> None:
        """Close alerts whose source has been silent for too long."""
        if not rows:
            return
        closings = [self._closing(row, AlertState.LAPSED, row["ends_at"]) for row in rows]
        alert_rows.close_alerts(self.tx, closings)
        self.tx.touch("alerts")
        self.placing.follow(rows, Kind.ALERT_CLOSED, "closed: the source stayed silent")

    def lapse(self, rows: Sequence[RowMapping]) -> None:
        """Mark alerts whose end has passed in silence; their incidents stay open."""
        if not rows:
            return
        alert_rows.mark_lapsed(self.tx, [row["id"] for row in rows], self.now)
        self.counted.lapsed += len(rows)
        self.tx.touch("alerts")
        self.placing.note_alerts(
            rows, Kind.ALERT_LAPSED, "lapsed: the source is silent, which is no resolution"
        )

    def muted_by(self, row: RowMapping) -> str:
        """Return the name of what keeps an open alert quiet now, or nothing."""
        if name := self.mute(row["labels"]):
            return name
        source = self.inhibition.source_of(row["fingerprint"], row["labels"])
        explained = source is not None and source.incident_id is None
        return inhibition.PREFIX + source.fingerprint if source and explained else ""

    def reconsider(self, rows: Sequence[RowMapping]) -> None:
        """Let alerts that were kept quiet open their incidents as ever, unless something else does.

        An alert that belongs to an open incident stays there.
        """
        names = {row["id"]: self.muted_by(row) for row in rows}
        rows = [row for row in rows if names[row["id"]] != row["muted_by"]]
        free = [row for row in rows if not names[row["id"]]]
        if free:
            self.placing.load_candidates(row["labels"] for row in free)
        stay, attached = self.placing.at_home(free), []
        for row in rows:
            incident_id, because = row["incident_id"], row["joined_because"]
            if not names[row["id"]] and row["id"] not in stay:
                was = f", muted by {row['muted_by']} until now"
                incident, because = self.placing.place(_alert(row), was)
                incident_id = incident.id
            attached.append(_attached(row, incident_id, names[row["id"]], because))
        for attachment in attached:
            row_id = self.placing.stands_for(attachment["new_incident_id"])
            attachment["new_incident_id"] = row_id
        alert_rows.attach_alerts(self.tx, attached)
        self.placing.note_alerts(
            [row for row in free if row["id"] in stay],
            Kind.ALERT_UNMUTED,
            "no longer muted: what follows is told as ever",
        )
        if attached:
            self.counted.unmuted += len(free)
            self.tx.touch("alerts")

    def hush(self, rows: Sequence[RowMapping], muted_by: str, what: str) -> None:
        """Keep alerts of open incidents quiet from here on; their incidents stay as they are."""
        alert_rows.attach_alerts(
            self.tx,
            [_attached(row, row["incident_id"], muted_by, row["joined_because"]) for row in rows],
        )
        reason = NotSent.MUTED_BY_SILENCE.value
        self.placing.note_alerts(rows, Kind.ALERT_MUTED, what, reason=reason)
        self.tx.touch("alerts")

    def finish(self) -> Counted:
        """Write what is left, and return what was done."""
        self.placing.finish()
        return self.counted

    def _refresh(self, pairs: Sequence[tuple[Alert, RowMapping | None]]) -> None:
        rows = [
            {
                "row_id": row["id"],
                "new_annotations": dict(alert.annotations),
                "new_starts_at": min(alert.starts_at, row["starts_at"]),
                "new_latest_starts_at": max(begun(alert, self.now), row["latest_starts_at"]),
                "new_ends_at": later_end(alert.ends_at, row["ends_at"]),
                "new_state": AlertState.FIRING.value,
                "new_source": self.source,
                "new_generator_url": alert.generator_url,
                "new_told": self._told(alert),
                "new_updated_at": self.now,
            }
            for alert, row in pairs
            if row
        ]
        alert_rows.refresh_alerts(self.tx, rows)
        self.counted.refreshed += len(rows)

    def _welcome_back(self, rows: Sequence[RowMapping]) -> None:
        if rows:
            self.tx.touch("alerts")
            self.placing.note_alerts(
                rows, Kind.ALERT_RETURNED, "returned: told again by the source"
            )

    def _begin(self, alerts: Sequence[Alert]) -> None:
        if not alerts:
            return
        judged = [(Severity.of(alert.labels), alert) for alert in alerts]
        judged.sort(key=lambda of: (of[0].rank, of[1].starts_at, of[1].name))
        serious = [alert for severity, alert in judged if opens_incident(severity)]
        if serious:
            self.placing.load_candidates(alert.labels for alert in serious)
        rows = [self._row(alert, severity) for severity, alert in judged]
        for row in rows:  # a later one of them may have merged the incident of an earlier one
            row["incident_id"] = self.placing.stands_for(row["incident_id"])
        alert_rows.insert_alerts(self.tx, rows)
        self.counted.new += len(rows)
        self.tx.touch("alerts")

    def _row(self, alert: Alert, severity: Severity) -> dict[str, Any]:
        muted_by, because, incident_id = "", "", None
        if opens_incident(severity):
            muted_by = self.mute(alert.labels)
            source = self.inhibition.source_of(alert.fingerprint, alert.labels)
            if source is not None and source.incident_id is None and not muted_by:
                muted_by = inhibition.PREFIX + source.fingerprint
            if muted_by:
                self.counted.muted += 1
                self.placing.note_muted(alert, muted_by)
            else:
                incident, because = self.placing.place(alert, source=source)
                incident_id = incident.id
        if not muted_by:
            self.inhibition.add(Source(alert.fingerprint, alert.labels, incident_id))
        return {
            "fingerprint": alert.fingerprint,
            "open_marker": 1,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "starts_at": begun(alert, self.now),
            "latest_starts_at": begun(alert, self.now),
            "ends_at": alert.ends_at,
            "state": AlertState.FIRING.value,
            "source": self.source,
            "generator_url": alert.generator_url,
            "told": self._told(alert),
            "received_at": self.now,
            "updated_at": self.now,
            "incident_id": incident_id,
            "muted_by": muted_by,
            "severity": severity.value,
            "joined_because": because,
        }

    def _closing(
        self, row: RowMapping, state: AlertState, ends_at: datetime | None
    ) -> dict[str, Any]:
        return {
            "row_id": row["id"],
            "new_state": state.value,
            "new_ends_at": ends_at,
            "new_resolved_at": self.now,
            "new_updated_at": self.now,
        }


def _attached(
    row: RowMapping, incident_id: int | None, muted_by: str, because: str
) -> dict[str, Any]:
    return {
        "row_id": row["id"],
        "new_incident_id": incident_id,
        "new_muted_by": muted_by,
        "new_because": because,
    }


def _held(row: RowMapping) -> Held:
    return Held(
        state=AlertState(row["state"]),
        open=row["open_marker"] == 1,
        starts_at=row["starts_at"],
        latest_starts_at=row["latest_starts_at"],
        ends_at=row["ends_at"],
    )


def _alert(row: RowMapping) -> Alert:
    return Alert(
        row["labels"],
        row["annotations"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        generator_url=row["generator_url"],
    )
