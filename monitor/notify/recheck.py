"""Whether a claimed notification is still worth sending: a pure decision from fresh facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from incidents.lifecycle import Status
from incidents.muted import reason_of
from incidents.outbox import OPENINGS, Event, NotSent


class Unsent(StrEnum):
    """Why a queued notification was never delivered; kept in the outbox and on the timeline."""

    REJECTED = "rejected"
    DEADLINE = "deadline"
    SUPERSEDED = "superseded"
    MUTED_BY_WINDOW = NotSent.MUTED_BY_WINDOW.value
    MUTED_BY_SILENCE = NotSent.MUTED_BY_SILENCE.value
    SUPPRESSED_BY_PARENT = NotSent.SUPPRESSED_BY_PARENT.value
    THROTTLED = NotSent.THROTTLED.value
    OVER_MEANWHILE = "over_meanwhile"
    OPENING_NOT_SENT = "opening_not_sent"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says just before a notification leaves."""

    event: str
    incident_status: str | None = None
    """None: it is about no incident, or the incident is gone."""
    opening: tuple[str, str] | None = None
    """(state, reason) of the opening that the same recipient was sent; None: there was none."""
    muted_by: str = ""
    """The name of what mutes it since it was queued."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Send, perhaps with a remark put first; or drop with a reason of the closed set."""

    drop: str = ""
    remark: str = ""
    text: str = ""


def recheck(facts: Facts) -> Verdict:
    """Return what to do with a notification that was right when it was queued.

    A late opening is sent even when the trouble is over, and says so: everyone who was to know
    hears of it once. An update about a resolved incident is not worth a message any more. A closing
    goes to whoever may have received the opening; it and an acknowledgement are never muted.
    """
    if facts.event == Event.RESOLVED:
        return _recheck_closing(facts.opening)
    taken = facts.event == Event.ACKNOWLEDGED
    if facts.muted_by and facts.event.startswith("incident_") and not taken:
        return Verdict(drop=reason_of(facts.muted_by), text=f"muted by {facts.muted_by}")
    if facts.incident_status is None or Status(facts.incident_status).is_open:
        return Verdict()
    if facts.event in OPENINGS:
        return Verdict(remark="This is already over; the message was delayed.")
    if facts.event.startswith("incident_"):
        return Verdict(
            drop=Unsent.SUPERSEDED, text="the incident was resolved before it could go out"
        )
    return Verdict()


def _recheck_closing(opening: tuple[str, str] | None) -> Verdict:
    state, reason = opening or ("sent", "")
    if state == "dropped":
        return Verdict(drop=Unsent.OPENING_NOT_SENT, text="the opening was not sent either")
    if state == "failed" and reason == Unsent.REJECTED:  # a deadline leaves room for doubt
        return Verdict(drop=Unsent.OPENING_NOT_SENT, text="the opening was refused there")
    return Verdict()
