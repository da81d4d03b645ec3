"""What can happen to an incident, as the rows of its append-only timeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

AUTOMATION = "monitor"  # the actor of what no person did


class Kind(StrEnum):
    """What a line tells of."""

    OPENED = "opened"
    REOPENED = "reopened"
    ALERT_JOINED = "alert_joined"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_LAPSED = "alert_lapsed"
    ALERT_RETURNED = "alert_returned"
    ALERT_MUTED = "alert_muted"
    ALERT_UNMUTED = "alert_unmuted"
    SILENCE_ENDING = "silence_ending"
    RECONSTRUCTED = "reconstructed"
    ALERT_CLOSED = "alert_closed"
    ALERT_MOVED = "alert_moved"
    MERGED = "merged"
    SPLIT = "split"
    LINKED = "linked"
    UNLINKED = "unlinked"
    SEVERITY_CHANGED = "severity_changed"
    IMPACT_CHANGED = "impact_changed"
    ROLE_CHANGED = "role_changed"
    TASK_ADDED = "task_added"
    TASK_CHANGED = "task_changed"
    TASK_DONE = "task_done"
    TASK_REOPENED = "task_reopened"
    POSTMORTEM_SAVED = "postmortem_saved"
    STATUS_CHANGED = "status_changed"
    ACKNOWLEDGED = "acknowledged"
    TAKEN_OVER = "taken_over"
    HANDED_BACK = "handed_back"
    NOTE = "note"
    PUBLISHED = "published"
    UPDATE_PUBLISHED = "update_published"
    RESOLUTION_HELD = "resolution_held"
    RESOLVED = "resolved"
    REPORT_LINKED = "report_linked"
    REPORT_UNLINKED = "report_unlinked"
    REPORTER_CONFIRMED = "reporter_confirmed"
    REPORTER_STILL_BROKEN = "reporter_still_broken"
    ESCALATION_STEP = "escalation_step"
    ESCALATION_HELD = "escalation_held"
    ESCALATION_EXHAUSTED = "escalation_exhausted"
    ESCALATION_ENDED = "escalation_ended"
    ACKNOWLEDGEMENT_EXPIRED = "acknowledgement_expired"
    REASSIGNED = "reassigned"
    NOTIFICATION_QUEUED = "notification_queued"
    NOTIFICATION_SENT = "notification_sent"
    NOTIFICATION_FAILED = "notification_failed"
    NOTIFICATION_NOT_SENT = "notification_not_sent"
    NOTIFICATION_DROPPED = "notification_dropped"


# What sources and receivers said is kept with alerts and notifications; all else is a change that
# somebody or something made, and goes to the audit log as well.
NOT_AUDITED = frozenset(
    kind for kind in Kind if kind.value.startswith(("alert_", "notification_"))
) - {Kind.ALERT_MOVED}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: who did what, when and why; `data` holds the facts for programs."""

    at: datetime
    kind: Kind
    text: str
    actor: str = AUTOMATION
    data: Mapping[str, Any] = field(default_factory=dict)


NAMED = 3  # how many alerts a line about several speaks of by name


@dataclass(slots=True)
class Gathered:
    """A line about alerts that all did the same at once: one line however many they are.

    `what` follows their names and fits one as well as many: `LatencyHigh (search) and 49 more
    joined: …`.
    """

    at: datetime
    kind: Kind
    what: str
    data: Mapping[str, Any] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)  # in the order they came, each once
    fingerprints: list[str] = field(default_factory=list)

    def add(self, name: str, fingerprint: str) -> None:
        """Let the line speak of one alert more."""
        if len(self.names) < NAMED:
            self.names[name] = None
        self.fingerprints.append(fingerprint)

    def entry(self) -> Entry:
        """Return the line; its data name one alert by `fingerprint`, several by `fingerprints`."""
        count = len(self.fingerprints)
        text = f"{', '.join(self.names)}{_more(count - len(self.names))} {self.what}."
        told = (
            {"fingerprint": self.fingerprints[0]}
            if count == 1
            else {"alerts": count, "fingerprints": self.fingerprints}
        )
        return Entry(self.at, self.kind, text, data={**self.data, **told})


def _more(count: int) -> str:
    return f" and {count} more" if count else ""
