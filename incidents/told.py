"""Who was told of an incident, who was not, and why: the table people and programs read.

One line for each recipient and kind of message, its latest state; then those who were never to get
one. The words are complete: no line needs the timeline to be understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from incidents.outage import Outage
from incidents.outbox import OPENINGS, Event, NotSent
from incidents.pacing import Held


class Standing(StrEnum):
    """What became of telling somebody."""

    TOLD = "told"
    WAITING = "waiting"
    HELD = "held"
    FAILED = "failed"
    NOT_TOLD = "not told"


WHY = {  # of `monitor.notify.recheck.Unsent`, as kept with a notification
    "rejected": "the receiver refused it for good",
    "deadline": "not accepted before the channel's deadline",
    "superseded": "something newer made it pointless",
    "muted_by_window": "muted by maintenance that announced it",
    "muted_by_silence": "muted by a silence",
    "suppressed_by_parent": "explained by another alert that fires",
    "throttled": "its turn would have come after its deadline",
    "acknowledged": "somebody had taken the incident before it could go out",
    "over_meanwhile": "it was over before it could go out",
    "no_mail_server": "there is no mail server",
    "opening_not_sent": "they never got the opening",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A notification as the outbox has it; one that was folded fares as the message about it."""

    channel: str
    recipient: str
    event: str
    state: str
    at: datetime
    due_at: datetime
    reason: str = ""
    held: str = ""
    error: str = ""
    attempts: int = 0
    folded: bool = False
    outage: Outage | None = None
    """Of its channel, while that rests."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the table."""

    channel: str
    recipient: str
    event: str
    standing: Standing
    at: datetime
    why: str = ""
    until: datetime | None = None  # when it is tried next, where it waits


def who_was_told(
    sent: Sequence[Sent], never: Iterable[tuple[datetime, str, str]] = ()
) -> list[Told]:
    """Return the table; `never` are (when, channel, reason) of those who were to get nothing.

    Of several messages of a kind to one recipient the latest counts. An empty channel is everybody.
    """
    latest = {(s.channel, s.recipient, _kind(s.event)): s for s in sent}
    lines = [_line(one) for one in latest.values()]
    unsent = {(channel, reason): at for at, channel, reason in never}
    for (channel, reason), at in unsent.items():
        why = NotSent(reason).words if reason in set(NotSent) else reason.replace("_", " ")
        lines.append(Told(channel or "anybody", "", "", Standing.NOT_TOLD, at, why))
    return lines


def _kind(event: str) -> str:
    return "opening" if event in OPENINGS else event


def _line(one: Sent) -> Told:
    standing, why, until = _fate(one)
    word = Event(one.event).word if one.event in set(Event) else one.event.replace("_", " ")
    return Told(one.channel, one.recipient, word, standing, one.at, why, until)


def _fate(one: Sent) -> tuple[Standing, str, datetime | None]:
    together = "in one message with others" if one.folded else ""
    match one.state:
        case "sent":
            return Standing.TOLD, together, None
        case "folded":  # the message about it is no longer kept
            return Standing.TOLD, "in one message with others", None
        case "failed":
            why = WHY.get(one.reason, one.reason)
            return Standing.FAILED, f"{why} ({one.error})" if one.error else why, None
        case "dropped":
            return Standing.NOT_TOLD, WHY.get(one.reason, one.reason.replace("_", " ")), None
    if one.outage and one.held in ("", Held.NO_ANSWER):
        tried = f" (tried {one.attempts} ×: {one.error})" if one.error else ""
        return Standing.WAITING, one.outage.words + tried, one.outage.probe_at
    if one.held in set(Held) and not one.attempts and not one.folded:
        return Standing.HELD, Held(one.held).words, one.due_at
    if one.error:
        return Standing.WAITING, f"tried {one.attempts} × so far: {one.error}", one.due_at
    return Standing.WAITING, together or "on its way", one.due_at
