"""Escalations as rows: where each stands, and every step that was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from incidents.oncall.contacts import Reach
from incidents.oncall.escalation import SKEW, Call, Escalation, State
from incidents.oncall.policy import as_json, from_json
from incidents.outbox import Event, Recipient
from incidents.timeline import AUTOMATION
from monitor.storage.schema import escalation_steps, escalations, outbox, timeline
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_into

_c = escalations.c
_LIVE = (State.RUNNING.value, State.ACKNOWLEDGED.value)


@dataclass(frozen=True)
class StepTaken:
    """A step as people look it up: who was told when and what for, and who was not."""

    sequence: int
    at: datetime
    position: int | None
    why: str
    by: str
    words: str
    told: Sequence[Mapping[str, Any]]  # each: target, person, channels
    missed: Sequence[Mapping[str, str]]  # each: target, why


def load_escalation(
    connection: Connection, incident_id: int, *, lock: bool = False
) -> Escalation | None:
    """Return the escalation of an incident, None where no policy ever applied to it."""
    statement = select(escalations).where(_c.incident_id == incident_id)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    return _escalation(row) if row else None


def claim_due(tx: Transaction, now: datetime, limit: int) -> list[tuple[int, Escalation]]:
    """Return (incident id, escalation) of what may have something to do at `now`, locked.

    What another process holds is passed over. A wait that seems to begin in the future belongs to
    a clock that was set back, and is looked at as well.
    """
    statement = (
        select(escalations)
        .where(_c.state.in_(_LIVE), or_(_c.due_at <= now, _c.anchor_at > now + SKEW))
        .order_by(_c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(row.incident_id, _escalation(row)) for row in tx.connection.execute(statement)]


def is_anything_due(connection: Connection, now: datetime) -> bool:
    """Return whether some escalation may have something to do, without taking a write lock."""
    due = and_(_c.state.in_(_LIVE), or_(_c.due_at <= now, _c.anchor_at > now + SKEW))
    return connection.execute(select(_c.incident_id).where(due).limit(1)).first() is not None


def with_failures(connection: Connection, limit: int) -> list[int]:
    """Return incidents whose running escalation has, since its last step, a message that failed."""
    statement = (
        select(_c.incident_id)
        .join(outbox, outbox.c.incident_id == _c.incident_id)
        .where(
            _c.state == State.RUNNING.value,
            outbox.c.state == "failed",
            outbox.c.created_at >= _c.anchor_at,
        )
        .distinct()
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def is_unreachable(connection: Connection, incident_id: int) -> bool:
    """Return whether every message of an incident's last step has failed for good."""
    c = escalation_steps.c
    keys = connection.execute(
        select(c.message_keys)
        .where(c.incident_id == incident_id)
        .order_by(c.sequence.desc())
        .limit(1)
    ).scalar_one_or_none()
    if not keys:
        return False
    found = select(func.count()).where(outbox.c.key.in_(keys), outbox.c.state == "failed")
    return connection.execute(found).scalar_one() == len(keys)


def last_work_of(connection: Connection, incident_id: int, name: str) -> datetime | None:
    """Return when a person last did something on an incident that left a line."""
    c = timeline.c
    statement = select(func.max(c.at)).where(
        c.incident_id == incident_id, c.actor == name, c.actor != AUTOMATION
    )
    found: datetime | None = connection.execute(statement).scalar_one()
    return found


def save_escalation(tx: Transaction, incident_id: int, escalation: Escalation) -> None:
    """Record where an incident's escalation stands."""
    values = {
        "policy": as_json(escalation.policy),
        "state": escalation.state.value,
        "position": escalation.position,
        "sequence": escalation.sequence,
        "anchor_at": escalation.anchor_at,
        "due_at": escalation.due_at,
        "held_by": escalation.held_by,
    }
    statement = insert_into(tx, escalations).values(incident_id=incident_id, **values)
    tx.connection.execute(
        statement.on_conflict_do_update(index_elements=["incident_id"], set_=values)
    )
    tx.touch("incidents")


def end_escalation(tx: Transaction, incident_id: int) -> bool:
    """Record that an incident's escalation is over; False where it has none that was not."""
    going_on = (_c.incident_id == incident_id, _c.state != State.ENDED.value)
    values = {"state": State.ENDED.value, "due_at": None, "held_by": ""}
    return tx.connection.execute(update(escalations).where(*going_on).values(**values)).rowcount > 0


def add_step(
    tx: Transaction,
    incident_id: int,
    call: Call,
    *,
    at: datetime,
    words: str,
    reach: Reach,
    keys: Sequence[str],
) -> None:
    """Record a step.

    Raises:
        IntegrityError: that step of the incident was taken already.
    """
    row = {
        "incident_id": incident_id,
        "sequence": call.sequence,
        "at": at,
        "position": call.position,
        "why": call.why.value,
        "by": call.by,
        "words": words,
        "told": [
            {
                "target": told.target,
                "person": told.person,
                "channels": [recipient.channel for recipient in told.recipients],
            }
            for told in reach.told
        ],
        "missed": [{"target": missed.target, "why": missed.why} for missed in reach.missed],
        "message_keys": list(keys),
    }
    tx.connection.execute(insert(escalation_steps).values(**row))


def steps_of(connection: Connection, incident_id: int) -> list[StepTaken]:
    """Return the steps taken on an incident, the first one first."""
    c = escalation_steps.c
    statement = select(escalation_steps).where(c.incident_id == incident_id).order_by(c.sequence)
    names = tuple(StepTaken.__dataclass_fields__)
    return [
        StepTaken(**{name: row[name] for name in names})
        for row in connection.execute(statement).mappings()
    ]


def called_over(connection: Connection, incident_id: int) -> set[Recipient]:
    """Return every recipient that a step of an incident's escalation was sent to."""
    c = outbox.c
    statement = select(c.channel, c.recipient).where(
        c.incident_id == incident_id, c.event == Event.PAGED.value
    )
    return {Recipient(channel, address) for channel, address in connection.execute(statement)}


def count_by_state(connection: Connection) -> dict[str, int]:
    """Return how many escalations of open incidents stand in each state."""
    statement = (
        select(_c.state, func.count()).where(_c.state != State.ENDED.value).group_by(_c.state)
    )
    counts = {row[0]: row[1] for row in connection.execute(statement)}
    return {state.value: counts.get(state, 0) for state in State if state is not State.ENDED}


def _escalation(row: Row[Any]) -> Escalation:
    return Escalation(
        policy=from_json(row.policy),
        anchor_at=row.anchor_at,
        state=State(row.state),
        position=row.position,
        sequence=row.sequence,
        held_by=row.held_by,
    )
