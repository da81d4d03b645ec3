"""What an escalation does next: a pure decision of where it stands, fresh facts and the time.

Waits run from the moment the step before was really taken. A service that was away takes the step
that is overdue, once, and then waits in full: people get the time to answer that they were
promised. A clock that is set back cannot hold an escalation up for longer than one wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from incidents.oncall.policy import Policy, Target, TargetKind

SKEW = timedelta(minutes=1)  # clocks of two replicas may differ by this much


class State(StrEnum):
    """Where an escalation stands."""

    RUNNING = "running"  # nobody has acknowledged: further steps follow
    ACKNOWLEDGED = "acknowledged"  # somebody has, for as long as the policy lets it hold
    EXHAUSTED = "exhausted"  # every step was taken and nobody has acknowledged
    ENDED = "ended"  # the incident is resolved


class Why(StrEnum):
    """What a step was taken for."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    WAITED = "waited"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "acknowledgement_timed_out"
    DEMANDED = "demanded"
    REASSIGNED = "reassigned"


@dataclass(frozen=True)
class Escalation:
    """Where one incident's escalation stands; the policy is the copy it was opened with."""

    policy: Policy
    anchor_at: datetime  # since when the present wait, or acknowledgement, runs
    state: State = State.RUNNING
    position: int = 0  # of the next step; `policy.length` is the last resort
    sequence: int = 0  # steps ever taken on the incident: never goes back
    held_by: str = ""  # what mutes it: the next step waits for its end

    @property
    def due_at(self) -> datetime | None:
        """Return when something follows if nobody does anything; None: nothing does."""
        if self.state is State.RUNNING:
            wait = self.policy.wait_after(self.position - 1) if self.position else timedelta(0)
            return self.anchor_at + wait
        if self.state is State.ACKNOWLEDGED and self.policy.acknowledge_timeout is not None:
            return self.anchor_at + self.policy.acknowledge_timeout
        return None

    @property
    def level(self) -> int | None:
        """Return the position that was told last, None before the first step."""
        return self.position - 1 if self.position else None


@dataclass(frozen=True)
class Facts:
    """What is known of the incident at the moment of deciding."""

    muted_by: str = ""  # the title of what mutes every alert of it
    unreachable: bool = False  # every message of the last step has failed for good
    acknowledged_by: str = ""
    worked_at: datetime | None = None  # when whoever acknowledged last did something on it


@dataclass(frozen=True)
class Call:
    """One step to take: who is to be told, and what for."""

    sequence: int
    why: Why
    targets: tuple[Target, ...]
    position: int | None = None  # None: beside the policy's steps, to the person named
    by: str = ""  # who demanded it


@dataclass(frozen=True)
class Move:
    """What an escalation does: how it stands afterwards, and whom it tells, if anybody."""

    after: Escalation
    call: Call | None = None
    held_by: str = ""  # it has just begun to wait for the end of this mute
    released: bool = False  # the mute it waited for is over


def begin(policy: Policy, why: Why, now: datetime, *, sequence: int = 0) -> Move:
    """Return the first step of an incident that has just opened, reopened or become worse."""
    return _take(Escalation(policy, now, sequence=sequence), 0, why, now)


def decide(escalation: Escalation, facts: Facts, now: datetime) -> Move | None:
    """Return what is to be done at `now`, or None where nothing is."""
    if escalation.state is State.RUNNING:
        return _run(escalation, facts, now)
    if escalation.state is State.ACKNOWLEDGED:
        return _keep_waiting(escalation, facts, now)
    return None


def _run(escalation: Escalation, facts: Facts, now: datetime) -> Move | None:
    if escalation.anchor_at - now > SKEW:
        return Move(replace(escalation, anchor_at=now))
    due_at = escalation.due_at
    assert due_at is not None  # while it runs, something always follows
    if now < due_at and not facts.unreachable:
        return None
    if facts.muted_by:
        if escalation.held_by == facts.muted_by:
            return None
        return Move(replace(escalation, held_by=facts.muted_by), held_by=facts.muted_by)
    why = Why.WAITED if now >= due_at else Why.UNREACHABLE
    move = _take(escalation, escalation.position, why, now)
    return replace(move, released=bool(escalation.held_by))


def _keep_waiting(escalation: Escalation, facts: Facts, now: datetime) -> Move | None:
    """Let an acknowledgement hold while its owner works; past its time, tell that level again."""
    if escalation.anchor_at - now > SKEW:
        return Move(replace(escalation, anchor_at=now))
    due_at = escalation.due_at
    if due_at is None or now < due_at:
        return None
    if facts.worked_at is not None and escalation.anchor_at < facts.worked_at <= now:
        return Move(replace(escalation, anchor_at=facts.worked_at))
    level = escalation.level or 0
    again = level if level < escalation.policy.length else 0
    owner = (Target(TargetKind.PERSON, facts.acknowledged_by),) if facts.acknowledged_by else ()
    return _take(escalation, again, Why.TIMED_OUT, now, also=owner)


def acknowledge(escalation: Escalation, now: datetime) -> Escalation:
    """Return the escalation stopped: somebody has taken the incident, or still works on it."""
    if escalation.state is State.ENDED:
        return escalation
    return replace(escalation, state=State.ACKNOWLEDGED, anchor_at=now, held_by="")


def escalate_now(escalation: Escalation, by: str, now: datetime) -> Move:
    """Return the next step, taken because a person demands it; after the last, the first."""
    position = escalation.position if escalation.position <= escalation.policy.length else 0
    return _take(escalation, position, Why.DEMANDED, now, by=by)


def reassign(escalation: Escalation, person: str, by: str, now: datetime) -> Move:
    """Return a step of its own to one person; the next of the policy follows after its wait."""
    sequence = escalation.sequence + 1
    target = (Target(TargetKind.PERSON, person),)
    after = replace(
        escalation,
        state=State.RUNNING,
        anchor_at=now,
        position=min(max(escalation.position, 1), escalation.policy.length),
        sequence=sequence,
        held_by="",
    )
    return Move(after, Call(sequence, Why.REASSIGNED, target, by=by))


def _take(
    escalation: Escalation,
    position: int,
    why: Why,
    now: datetime,
    *,
    by: str = "",
    also: tuple[Target, ...] = (),
) -> Move:
    policy, sequence = escalation.policy, escalation.sequence + 1
    last = position == policy.length
    after = replace(
        escalation,
        state=State.EXHAUSTED if last else State.RUNNING,
        anchor_at=now,
        position=position + 1,
        sequence=sequence,
        held_by="",
    )
    targets = tuple(dict.fromkeys((*policy.targets_of(position), *also)))
    return Move(after, Call(sequence, why, targets, position, by))
