"""The escalation of an incident as the JSON API shows it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from monitor.storage.incidents import Incident
from monitor.use_cases.escalation_view import escalation_now
from monitor.web.services import Services


class _View(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Told(_View):
    """Whom a step called, and over what."""

    target: str
    person: str
    channels: list[str]


class Missed(_View):
    """Whom a step could not call, and why."""

    target: str
    why: str


class Step(_View):
    """A step that was taken."""

    sequence: int
    at: datetime
    words: str
    why: str
    by: str
    told: list[Told]
    missed: list[Missed]


class Next(_View):
    """What follows if nobody does anything, and whom it would call if it were now."""

    at: datetime
    words: str
    names: list[str]


class EscalationView(_View):
    """Where an incident's escalation stands."""

    policy: str
    reached: str = Field(description="The step taken last: `step 1 of 2`; empty before any.")
    state: str = Field(description="running, acknowledged, exhausted or ended")
    held_by: str = Field(description="What mutes it, so that the next step waits; else empty.")
    steps: list[Step]
    next: Next | None
    acknowledged_until: datetime | None


def escalation_of(
    services: Services, connection: Connection, incident: Incident
) -> EscalationView | None:
    """Return where an incident's escalation stands; None where no policy ever applied."""
    found = escalation_now(
        connection,
        services.configuration.current,
        incident,
        services.clock.now(),
        mails=services.policy.mails,
    )
    return EscalationView.model_validate(found) if found else None
