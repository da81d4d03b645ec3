"""How the work on an incident is shared, as JSON: roles, tasks, and what a person overrules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import ConfigDict, Field

from incidents.lifecycle import Impact, Severity
from monitor.use_cases.ticket_work import Responsibility, TicketDesk
from monitor.web.api.incident_asked import LARGEST, Asks, Body, Instant, Number, Responder
from monitor.web.api.incident_views import IncidentDetail

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])
TaskNumber = Annotated[int, Path(ge=1, le=LARGEST)]


class RoleGiven(Body):
    """Who has a role from now on; nobody with an empty name."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"role": "lead", "person": "ann", "why": "end of shift"}]}
    )

    role: Responsibility
    person: str
    why: str = ""


class TaskGiven(Body):
    """What is to be done, by whom and until when."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "Roll back", "owner": "ben", "due_at": "2026-11-22T18:00:00+02:00"}
            ]
        }
    )

    text: str
    owner: str = ""
    due_at: Instant | None = None


class TaskDone(Body):
    """Whether a task is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"done": True}]})

    done: bool


class SeverityGiven(Body):
    """The severity that a person sets; null gives it back to automation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"severity": "warning", "why": "no sales at night"}]}
    )

    severity: Severity | None = Field(description="critical or warning, or null.")
    why: str


class ImpactGiven(Body):
    """The impact that a person sets; null gives it back to automation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"impact": "minor", "why": "one country only"}]}
    )

    impact: Impact | None
    why: str


@router.post("/{number}/roles")
def assign(number: Number, body: RoleGiven, by: Responder, ask: Asks) -> IncidentDetail:
    """Give a role to somebody, or take it back."""
    return ask.answer(
        lambda: ask.at(TicketDesk).assign(
            number,
            body.role,
            body.person,
            why=body.why,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.post("/{number}/tasks")
def add_task(number: Number, body: TaskGiven, by: Responder, ask: Asks) -> IncidentDetail:
    """Add a task."""
    return ask.answer(
        lambda: ask.at(TicketDesk).add_task(
            number,
            body.text,
            owner=body.owner,
            due_at=body.due_at,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.put("/{number}/tasks/{task}")
def change_task(
    number: Number, task: TaskNumber, body: TaskGiven, by: Responder, ask: Asks
) -> IncidentDetail:
    """Say anew what a task is, whose and by when."""
    return ask.answer(
        lambda: ask.at(TicketDesk).change_task(
            number,
            task,
            text=body.text,
            owner=body.owner,
            due_at=body.due_at,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.post("/{number}/tasks/{task}/done")
def finish_task(
    number: Number, task: TaskNumber, body: TaskDone, by: Responder, ask: Asks
) -> IncidentDetail:
    """Say that a task is done, or that it is not after all."""
    return ask.answer(
        lambda: ask.at(TicketDesk).finish_task(
            number, task, done=body.done, by=by.name, now=ask.now, once=ask.once(by, body)
        )
    )


@router.post("/{number}/severity")
def overrule_severity(
    number: Number, body: SeverityGiven, by: Responder, ask: Asks
) -> IncidentDetail:
    """Set the severity whatever alerts say, or give it back to automation."""
    return ask.answer(
        lambda: ask.at(TicketDesk).overrule_severity(
            number,
            body.severity,
            why=body.why,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.post("/{number}/impact")
def overrule_impact(number: Number, body: ImpactGiven, by: Responder, ask: Asks) -> IncidentDetail:
    """Set the impact whatever alerts say, or give it back to automation."""
    return ask.answer(
        lambda: ask.at(TicketDesk).overrule_impact(
            number, body.impact, why=body.why, by=by.name, now=ask.now, once=ask.once(by, body)
        )
    )
