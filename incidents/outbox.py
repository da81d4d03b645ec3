"""Who is told of what: pure decisions, whose rows are committed together with their cause.

Openings go to every channel that asks for the incident's severity; everything later goes to those
who got the opening, and to all of them. Whoever is not told has a reason from `NotSent`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

LONGEST_KEY = 200  # characters; a longer one ends in a hash of itself


class Event(StrEnum):
    """What a notification about an incident can be of."""

    OPENED = "incident_opened"
    REOPENED = "incident_reopened"
    ESCALATED = "incident_escalated"  # its severity rose
    PAGED = "incident_paged"  # a step of its escalation reached this recipient
    ACKNOWLEDGED = "incident_acknowledged"
    UPDATE = "incident_update"
    RESOLVED = "incident_resolved"

    @property
    def word(self) -> str:
        """Return what happened, as it stands in a subject."""
        return self.value.removeprefix("incident_")


OPENINGS = frozenset({Event.OPENED, Event.REOPENED, Event.ESCALATED, Event.PAGED})
PRIORITY = {  # lower goes first: a first page overtakes whatever waits
    Event.OPENED: 0,
    Event.REOPENED: 0,
    Event.ESCALATED: 0,
    Event.PAGED: 0,
    Event.ACKNOWLEDGED: 5,
    Event.RESOLVED: 10,
    Event.UPDATE: 20,
}


class NotSent(StrEnum):
    """Why somebody was not told; every case leaves a line on the timeline with one of these."""

    MUTED_BY_WINDOW = "muted_by_window"
    MUTED_BY_SILENCE = "muted_by_silence"
    DEDUPLICATED = "deduplicated"
    THROTTLED = "throttled"
    SUPPRESSED_BY_PARENT = "suppressed_by_parent"
    NOBODY_ON_CALL = "nobody_on_call"
    CHANNEL_FAILED = "channel_failed"
    OPTED_OUT = "recipient_opted_out"
    NOBODY_WAS_TOLD = "nobody_was_told"
    NO_WAY_TO_REACH = "no_way_to_reach"

    @property
    def words(self) -> str:
        """Return the reason as people read it."""
        return {
            NotSent.NOBODY_ON_CALL: "nobody is on call, and no channel takes this severity",
            NotSent.OPTED_OUT: "the channel does not take this severity",
            NotSent.NOBODY_WAS_TOLD: "nobody had been told of its opening",
        }.get(self, self.value.replace("_", " "))


class ChannelFacts(Protocol):
    """What is needed of a configured channel."""

    @property
    def name(self) -> str: ...
    @property
    def severities(self) -> Collection[str]: ...


class Recipient(NamedTuple):
    """One address behind one channel; empty where the channel itself is the address."""

    channel: str
    address: str = ""


def incident_name(number: int) -> str:
    """Return what an incident is called; a number below zero is a canary's."""
    return f"INC-{number}" if number >= 0 else f"CANARY-{-number}"


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What a notification says of its incident."""

    number: int
    title: str
    severity: str
    status: str
    impact: str
    started_at: datetime
    round: int = 0  # how often it was reopened
    component: str = ""
    journey: str = ""
    step: str = ""
    reason: str = ""
    resolved_at: datetime | None = None
    runbook_url: str = ""
    url: str = ""  # of its page, where that is known

    @property
    def name(self) -> str:
        """Return its name in conversation, such as `INC-7`."""
        return incident_name(self.number)


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one recipient; the same key means the same message."""

    key: str
    event: Event
    channel: str
    recipient: str
    severity: str
    subject: str
    body: str
    priority: int
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsent:
    """Somebody who is not told, and why; without a channel it speaks of everybody."""

    reason: NotSent
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from one event."""

    notifications: tuple[Notification, ...] = ()
    unsent: tuple[Unsent, ...] = ()


def told(rows: Iterable[tuple[str, str, str]]) -> tuple[Recipient, ...]:
    """Return who got an opening that no closing has followed.

    `rows` are (event, channel, recipient) of one incident, oldest first.
    """
    open_for: dict[Recipient, None] = {}
    for event, channel, address in rows:
        recipient = Recipient(channel, address)
        if event in OPENINGS:
            open_for[recipient] = None
        elif event == Event.RESOLVED:
            open_for.pop(recipient, None)
    return tuple(open_for)


def openings(
    event: Event,
    incident: IncidentFacts,
    channels: Sequence[ChannelFacts],
    *,
    text: str = "",
    also: Sequence[Recipient] = (),
    paged: bool = False,
) -> Plan:
    """Return whom to tell that an incident was opened, reopened or became worse.

    Channels are told by severity, and `also` those who were called before. `text` says who is on
    call. `paged`: an escalation calls somebody now, so that nobody need take the severity.
    """
    wanted = [c for c in channels if incident.severity in c.severities]
    mark = f"{incident.round}-{incident.severity}" if event is Event.ESCALATED else incident.round
    recipients = dict.fromkeys([*(Recipient(c.name) for c in wanted), *also])
    sent = tuple(_notification(event, incident, r, str(mark), text) for r in recipients)
    if not sent and not paged:
        return Plan(unsent=(Unsent(NotSent.NOBODY_ON_CALL),))
    names = {c.name for c in wanted}
    out = tuple(Unsent(NotSent.OPTED_OUT, c.name) for c in channels if c.name not in names)
    return Plan(sent, out)


def closings(incident: IncidentFacts, recipients: Sequence[Recipient]) -> Plan:
    """Return the closing for everybody who got the opening, whatever the channels take now."""
    return _to(recipients, Event.RESOLVED, incident, str(incident.round))


def pages(
    incident: IncidentFacts, recipients: Sequence[Recipient], *, sequence: int, text: str
) -> Plan:
    """Return the messages of one step of an escalation; `text` says who is called and why."""
    mark = f"{incident.round}-{sequence}"
    return Plan(tuple(_notification(Event.PAGED, incident, r, mark, text) for r in recipients))


def acknowledgements(
    incident: IncidentFacts, recipients: Sequence[Recipient], *, mark: str, text: str
) -> Plan:
    """Return the word, to those who were called as well, that somebody has taken the incident."""
    event = Event.ACKNOWLEDGED
    return Plan(tuple(_notification(event, incident, r, mark, text) for r in recipients))


def update(
    incident: IncidentFacts, recipients: Sequence[Recipient], *, mark: str, text: str
) -> Plan:
    """Return an update for everybody who got the opening; `mark` tells updates apart."""
    return _to(recipients, Event.UPDATE, incident, mark, text)


def render_body(event: Event, incident: IncidentFacts, text: str = "") -> str:
    """Return the message's text: what is wrong, where, since when, and what to do next."""
    lines = [incident.title, ""]
    lines += [text, ""] if text else []
    facts = {
        "Severity": f"{incident.severity} (impact {incident.impact})",
        "Status": incident.status,
        "Component": incident.component,
        "Journey": incident.journey,
        "Failing step": incident.step,
        "Reason": incident.reason,
        "Since": f"{incident.started_at:%Y-%m-%d %H:%M:%S} UTC",
        "Resolved": f"{incident.resolved_at:%Y-%m-%d %H:%M:%S} UTC"
        if event is Event.RESOLVED and incident.resolved_at
        else "",
        "Runbook": incident.runbook_url,
        "Ticket": incident.url,
    }
    lines += [f"{name}: {value}" for name, value in facts.items() if value]
    return "\n".join(lines) + "\n"


def _to(
    recipients: Sequence[Recipient],
    event: Event,
    incident: IncidentFacts,
    mark: str,
    text: str = "",
) -> Plan:
    if not recipients:
        return Plan(unsent=(Unsent(NotSent.NOBODY_WAS_TOLD),))
    return Plan(tuple(_notification(event, incident, r, mark, text) for r in recipients))


def _notification(
    event: Event, incident: IncidentFacts, recipient: Recipient, mark: str, text: str = ""
) -> Notification:
    key = notification_key(incident.name, event, mark, *recipient)
    return Notification(
        key=key,
        event=event,
        channel=recipient.channel,
        recipient=recipient.address,
        severity=incident.severity,
        subject=f"{incident.name} {event.word} [{incident.severity}]: {incident.title}",
        body=render_body(event, incident, text),
        priority=PRIORITY[event],
        payload={"key": key, "event": event.value, "text": text, "incident": _json(incident)},
    )


def notification_key(*parts: str) -> str:
    """Return the stable id made of these parts; the same parts give the same id for ever."""
    key = ":".join(part for part in parts if part)
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[: LONGEST_KEY - 33]}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _json(incident: IncidentFacts) -> dict[str, Any]:
    return {
        "name": incident.name,
        "number": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "impact": incident.impact,
        "component": incident.component,
        "journey": incident.journey,
        "step": incident.step,
        "reason": incident.reason,
        "started_at": incident.started_at.isoformat(),
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
        "reopened_count": incident.round,
        "runbook_url": incident.runbook_url,
        "url": incident.url,
    }
