"""What belongs together, as JSON: split, move, merge and link."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import ConfigDict, Field

from monitor.use_cases.regrouping import RegroupingDesk
from monitor.web.api.incident_asked import LARGEST, Asks, Body, Number, Responder
from monitor.web.api.incident_views import IncidentDetail

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])
MOST = 1000  # alerts or reports that one request may name
Ids = Annotated[
    list[Annotated[int, Field(ge=1, le=2**63 - 1)]],
    Field(max_length=MOST, description="The `id` of alerts of the incident."),
]
Reports = Annotated[
    list[Annotated[int, Field(ge=1, le=LARGEST)]],
    Field(max_length=MOST, description="Numbers of reports linked to the incident."),
]
Target = Annotated[int, Field(ge=1, le=LARGEST, description="The number of an incident.")]
Why = Annotated[str, Field(description="The reason, for both timelines.")]


class Split(Body):
    """What leaves an incident for one of its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"alerts": [41, 42], "title": "Search is slow", "why": "another index"}]
        }
    )

    alerts: Ids = Field(default_factory=list)
    reports: Reports = Field(default_factory=list)
    title: str = ""
    why: Why


class MoveOut(Body):
    """What leaves an incident for another that is there."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"to": 8, "alerts": [41], "why": "the gateway's doing"}]}
    )

    to: Target
    alerts: Ids = Field(default_factory=list)
    reports: Reports = Field(default_factory=list)
    why: Why


class Merge(Body):
    """The incident that this one becomes a part of."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"into": 6, "why": "one database is down"}]}
    )

    into: Target
    why: Why


class Link(Body):
    """An incident that has to do with this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"other": 3, "why": "same deploy"}]})

    other: Target
    why: Why


@router.post("/{number}/split", status_code=201)
def split(
    number: Number, body: Split, by: Responder, ask: Asks, answer: Response
) -> IncidentDetail:
    """Open a new incident with some alerts and reports of this one; answers with the new one."""
    detail = ask.answer(
        lambda: ask.at(RegroupingDesk).split(
            number,
            alerts=body.alerts,
            reports=body.reports,
            title=body.title,
            why=body.why,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )
    answer.headers["location"] = f"/api/v1/incidents/{detail.number}"
    return detail


@router.post("/{number}/move")
def move(number: Number, body: MoveOut, by: Responder, ask: Asks) -> IncidentDetail:
    """Move some alerts and reports of this incident to another."""
    return ask.answer(
        lambda: ask.at(RegroupingDesk).move(
            number,
            to=body.to,
            alerts=body.alerts,
            reports=body.reports,
            why=body.why,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.post("/{number}/merge")
def merge(number: Number, body: Merge, by: Responder, ask: Asks) -> IncidentDetail:
    """Make this incident a part of another, which takes its alerts, reports and open tasks."""
    return ask.answer(
        lambda: ask.at(RegroupingDesk).merge(
            number,
            into=body.into,
            why=body.why,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.post("/{number}/links")
def link(number: Number, body: Link, by: Responder, ask: Asks) -> IncidentDetail:
    """Note on both incidents that they have to do with each other."""
    return ask.answer(
        lambda: ask.at(RegroupingDesk).link(
            number,
            other=body.other,
            why=body.why,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


@router.delete("/{number}/links/{other}")
def unlink(
    number: Number,
    other: Annotated[int, Path(ge=1, le=LARGEST)],
    why: Annotated[str, Query(max_length=200, description="The reason, for both timelines.")],
    by: Responder,
    ask: Asks,
) -> IncidentDetail:
    """Take the link between two incidents away."""
    return ask.answer(
        lambda: ask.at(RegroupingDesk).unlink(
            number, other=other, why=why, by=by.name, now=ask.now, once=ask.once(by)
        )
    )
