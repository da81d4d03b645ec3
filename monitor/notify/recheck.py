"""Whether a claimed notification is still worth sending: a pure decision from fresh facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from incidents.lifecycle import Status
from incidents.muted import reason_of
from incidents.outbox import OPENINGS, Event, NotSent

ACCOUNT_CHANGED = "account_changed"  # the event of a notice about the way into an account
OVER = "the incident was over before it could go out"


class Unsent(StrEnum):
    """Why a queued notification was never delivered; kept in the outbox and on the timeline."""

    REJECTED = "rejected"
    DEADLINE = "deadline"
    SUPERSEDED = "superseded"
    MUTED_BY_WINDOW = NotSent.MUTED_BY_WINDOW.value
    MUTED_BY_SILENCE = NotSent.MUTED_BY_SILENCE.value
    SUPPRESSED_BY_PARENT = NotSent.SUPPRESSED_BY_PARENT.value
    THROTTLED = NotSent.THROTTLED.value
    ACKNOWLEDGED = "acknowledged"
    OVER_MEANWHILE = "over_meanwhile"
    OPENING_NOT_SENT = "opening_not_sent"
    NO_MAIL_SERVER = "no_mail_server"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says just before a notification leaves."""

    event: str
    incident_status: str | None = None
    """None: it is about no incident, or the incident is gone."""
    opening: tuple[str, str] | None = None
    """(state, reason) of the opening that the same recipient was sent; None: there was none."""
    opening_tried: bool = False
    """Whether that opening was given to the receiver at least once, and so may have arrived."""
    taken_by: str = ""
    """Who has acknowledged the incident."""
    mails: bool = True
    """Whether there is a mail server."""
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

    A page asks somebody to act: it is not sent once another has taken the incident, or it is over.
    A late opening is sent all the same, and says so: everyone who was to know hears of it once. An
    update about a resolved incident is not worth a message any more. A closing and an
    acknowledgement go to whoever may have received the opening, and are never muted.
    """
    if facts.event == ACCOUNT_CHANGED and not facts.mails:
        return Verdict(drop=Unsent.NO_MAIL_SERVER, text="there is no mail server")
    if facts.event == Event.RESOLVED:
        return _recheck_closing(facts)
    taken = facts.event == Event.ACKNOWLEDGED
    if facts.muted_by and facts.event.startswith("incident_") and not taken:
        return Verdict(drop=reason_of(facts.muted_by), text=f"muted by {facts.muted_by}")
    if facts.incident_status is None:
        return Verdict()
    if Status(facts.incident_status).is_open:
        return _recheck_closing(facts) if taken else _recheck_taken(facts)
    if facts.event == Event.PAGED:
        return Verdict(drop=Unsent.OVER_MEANWHILE, text=OVER)
    if facts.event in OPENINGS:
        return Verdict(remark="This is already over; the message was delayed.")
    if facts.event.startswith("incident_"):
        return Verdict(
            drop=Unsent.SUPERSEDED, text="the incident was resolved before it could go out"
        )
    return Verdict()


def taken_words(name: str) -> str:
    """Return why a page is not sent, where somebody has taken its incident."""
    return f"{name} had taken the incident before it could go out"


def _recheck_taken(facts: Facts) -> Verdict:
    if not facts.taken_by or facts.event not in OPENINGS:
        return Verdict()
    if facts.event == Event.PAGED:
        return Verdict(drop=Unsent.ACKNOWLEDGED, text=taken_words(facts.taken_by))
    return Verdict(remark=f"{facts.taken_by} has taken it already.")


def _recheck_closing(facts: Facts) -> Verdict:
    state, reason = facts.opening or ("sent", "")
    if state in ("dropped", "failed") and not facts.opening_tried:
        return Verdict(drop=Unsent.OPENING_NOT_SENT, text="the opening was not sent either")
    if state == "failed" and reason == Unsent.REJECTED:  # a deadline leaves room for doubt
        return Verdict(drop=Unsent.OPENING_NOT_SENT, text="the opening was refused there")
    return Verdict()
