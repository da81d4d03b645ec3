"""Where an incident's escalation stands, as its page and the API show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from incidents.oncall.contacts import reach
from incidents.oncall.escalation import State
from monitor.config.model import Configuration
from monitor.storage import escalations as rows
from monitor.storage.escalations import StepTaken
from monitor.storage.incidents import Incident
from monitor.use_cases.escalation import directory


@dataclass(frozen=True)
class NextStep:
    """What follows if nobody does anything, and whom it would call if it were now."""

    at: datetime
    words: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class EscalationNow:
    """The escalation of one incident."""

    policy: str
    reached: str  # the step taken last
    state: str
    held_by: str
    steps: tuple[StepTaken, ...]
    next: NextStep | None
    acknowledged_until: datetime | None


def escalation_now(
    connection: Connection,
    configuration: Configuration,
    incident: Incident,
    now: datetime,
    *,
    mails: bool,
) -> EscalationNow | None:
    """Return where an incident's escalation stands; None where no policy ever applied."""
    known = rows.load_escalation(connection, incident.id)
    if known is None:
        return None
    acknowledged = known.state is State.RUNNING and incident.acknowledged_at is not None
    state = State.ACKNOWLEDGED if acknowledged else known.state
    following = None
    if state is State.RUNNING and known.due_at is not None:
        people = directory(connection, configuration, now, mails=mails)
        targets = known.policy.targets_of(known.position)
        names = reach(targets, people, now).names
        following = NextStep(known.due_at, known.policy.words_of(known.position), names)
    steps = tuple(rows.steps_of(connection, incident.id))
    return EscalationNow(
        policy=known.policy.name,
        reached=steps[-1].words if steps else "",
        state=state.value if incident.is_open else State.ENDED.value,
        held_by=known.held_by,
        steps=steps,
        next=following if incident.is_open else None,
        acknowledged_until=known.due_at if known.state is State.ACKNOWLEDGED else None,
    )
