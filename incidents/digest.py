"""Several notifications of one recipient told in one message: which of them, and in what words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from incidents.lifecycle import Severity
from incidents.outbox import OPENINGS, Event
from incidents.pacing import Held

MOST_LISTED = 40  # lines; a message is for reading
NAMES_IN_SUBJECT = 3
OVER = "opened and already over"
DIGEST = "incident_digest"  # the event of such a message


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification that was held, and how its incident stands by now."""

    id: int
    event: str
    incident_id: int
    name: str
    title: str
    severity: str
    text: str = ""
    is_over: bool = False
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """What becomes of what was held: told together, told singly, or not at all."""

    together: tuple[Waiting, ...] = ()
    singly: tuple[Waiting, ...] = ()
    over: tuple[Waiting, ...] = ()
    subject: str = ""
    body: str = ""
    severity: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)


def fold(waiting: Sequence[Waiting], held: Held, list_url: str = "") -> Digest:
    """Return what is told of what was held, oldest first.

    What began and ended within quiet hours is told to nobody. A storm is told even when it is over
    by then, because its first page went out; so is what a receiver that was away has missed. A
    single incident needs no digest.
    """
    over = _over_meanwhile(waiting) if held is Held.QUIET_HOURS else ()
    rest = tuple(one for one in waiting if one not in over)
    incidents = {one.incident_id for one in rest}
    if len(incidents) < 2:
        return Digest(singly=rest, over=over)
    return replace(tell(rest, held, list_url), over=over)


def tell(waiting: Sequence[Waiting], held: Held, list_url: str = "") -> Digest:
    """Return the one message about these, oldest first, as their incidents stand by now."""
    rest = tuple(waiting)
    stories = [_story([one for one in rest if one.incident_id == i]) for i in _ordered(rest)]
    count = len(stories)
    names = [story.name for story in stories[:NAMES_IN_SUBJECT]]
    more = f" and {count - len(names)} more" if count > len(names) else ""
    body = [f"{_head(stories, held)}:", ""]
    body += [story.line for story in stories[:MOST_LISTED]]
    body += [f"… and {count - MOST_LISTED} more."] if count > MOST_LISTED else []
    body += ["", f"All of them: {list_url}"] if list_url else []
    return Digest(
        together=rest,
        subject=f"{_head(stories, held)}: {', '.join(names)}{more}",
        body="\n".join(body) + "\n",
        severity=min((s.severity for s in stories), key=_rank),
        payload={
            "count": count,
            "reason": held.value,
            "url": list_url,
            "incidents": [{"name": s.name, "title": s.title, "state": s.state} for s in stories],
        },
    )


@dataclass(frozen=True, slots=True)
class _Story:
    name: str
    title: str
    severity: str
    state: str

    @property
    def line(self) -> str:
        return f"{self.name} [{self.severity}] {self.state}: {self.title}"


def _over_meanwhile(waiting: Sequence[Waiting]) -> tuple[Waiting, ...]:
    begun = {one.incident_id for one in waiting if one.event in OPENINGS and one.is_over}
    return tuple(one for one in waiting if one.incident_id in begun)


def _ordered(waiting: Sequence[Waiting]) -> list[int]:
    """Return the incidents, the worst first, then as they came."""
    worst: dict[int, int] = {}
    for one in waiting:
        rank = _rank(one.severity)
        worst[one.incident_id] = min(worst.get(one.incident_id, rank), rank)
    return sorted(worst, key=lambda i: worst[i])


def _story(notifications: Sequence[Waiting]) -> _Story:
    """Return what several notifications of one incident amount to."""
    last = notifications[-1]
    events = [one.event for one in notifications]
    opened = any(event in OPENINGS for event in events)
    if last.is_over or Event.RESOLVED in events:
        state = OVER if opened else "resolved"
    else:
        state = next((Event(e).word for e in reversed(events) if e in OPENINGS), "updated")
    if last.text and last.event == Event.UPDATE:
        state += f" ({last.text})"
    elif last.taken_by and not last.is_over and state != "resolved":
        state += f", {last.taken_by} has it"
    return _Story(last.name, last.title, min((n.severity for n in notifications), key=_rank), state)


def _head(stories: Sequence[_Story], held: Held) -> str:
    count = len(stories)
    if held is Held.QUIET_HOURS:
        return f"{count} incidents during quiet hours"
    ended = all(story.state == "resolved" for story in stories)
    if held is Held.OUTAGE:
        over = all(story.state in ("resolved", OVER) for story in stories)
        return f"{count} incidents while nothing could be delivered here{', all over' * over}"
    return f"{count} incidents are over" if ended else f"{count} incidents opened at once"


def _rank(severity: str) -> int:
    return Severity(severity).rank if severity in set(Severity) else len(Severity)
