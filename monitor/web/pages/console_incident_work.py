"""What people do on an incident's page; every form leads back there and says what was done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse

from incidents.errors import InvalidInputError
from incidents.lifecycle import Severity, Status
from monitor.use_cases.incidents import IncidentDesk
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.security import Submitted, require
from monitor.web.services import Given, Services

router = APIRouter(include_in_schema=False)
Worker = Annotated[Actor, Depends(require(Permission.WORK_INCIDENTS))]
Publisher = Annotated[Actor, Depends(require(Permission.PUBLISH))]
Writer = Annotated[Actor, Depends(require(Permission.NOTE))]

DONE = {
    "opened": "The incident is open, and the on-call channels are told.",
    "acknowledged": "You have taken this incident.",
    "noted": "Your note is on the timeline.",
    "published": "Your update is published and goes to everybody who was told of the incident.",
    "changed": "The status is changed.",
    "resolved": "The incident is resolved, and everybody who was told of it is told so.",
    "taken": "Automation leaves this incident to you now.",
    "escalated": "The next step is taken: whoever it names is called now.",
    "reassigned": "They are called now. Until they take it, the incident is nobody's.",
    "returned": "Automation looks after this incident again.",
    "split": "This is what was split out; both timelines say why.",
    "moved": "What you chose is here now; both timelines say why.",
    "merged": "The other incident is a part of this one now.",
    "linked": "The two are linked.",
    "unlinked": "The two are no longer linked.",
    "assigned": "The roles are as you said.",
    "task": "The task is on the list.",
    "task_done": "The task is done.",
    "task_open": "The task is to be done after all.",
    "task_changed": "The task is changed.",
    "overruled": "It is as you said; the timeline says why.",
}


def _desk(services: Services) -> IncidentDesk:
    return IncidentDesk(services.store, services.configuration.current, services.policy)


def _back(number: int, done: str) -> RedirectResponse:
    return RedirectResponse(f"/console/incidents/{number}?done={done}", 303)


@router.post("/console/incidents")
def open_incident(form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Open an incident by hand; with words for customers it is published at once."""
    incident = _desk(services).open(
        title=form.get("title", ""),
        severity=_severity(form.get("severity", "")),
        component=form.get("component") or None,
        message=form.get("message", ""),
        by=actor.name,
        now=services.clock.now(),
    )
    return _back(incident.number, "opened")


@router.post("/console/incidents/{number}/acknowledge")
def acknowledge(number: Number, actor: Worker, services: Given) -> RedirectResponse:
    """Record who has taken the incident."""
    _desk(services).acknowledge(number, by=actor.name, now=services.clock.now())
    return _back(number, "acknowledged")


@router.post("/console/incidents/{number}/note")
def note(number: Number, form: Submitted, actor: Writer, services: Given) -> RedirectResponse:
    """Write a note for colleagues."""
    text = form.get("text", "")
    _desk(services).add_note(number, text, by=actor.name, now=services.clock.now())
    return _back(number, "noted")


@router.post("/console/incidents/{number}/update")
def update(number: Number, form: Submitted, actor: Publisher, services: Given) -> RedirectResponse:
    """Tell users something, with the status it comes with."""
    _desk(services).publish_update(
        number,
        form.get("body", ""),
        status=_status(form.get("status", "")),
        by=actor.name,
        now=services.clock.now(),
    )
    return _back(number, "published")


@router.post("/console/incidents/{number}/status")
def status(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """Move the incident without a word to users; a resolved one is opened again."""
    to = _status(form.get("status", ""))
    _desk(services).change_status(number, to, by=actor.name, now=services.clock.now())
    return _back(number, "changed")


@router.post("/console/incidents/{number}/resolve")
def resolve(number: Number, form: Submitted, actor: Worker, services: Given) -> RedirectResponse:
    """End the incident, with last words to users where there are any."""
    desk, now, by = _desk(services), services.clock.now(), actor.name
    text, despite = form.get("text", "").strip(), form.get("despite") == "yes"
    if text and not despite:
        desk.publish_update(number, text, status=Status.RESOLVED, by=by, now=now)
        return _back(number, "resolved")
    if text:
        desk.publish_update(number, text, by=by, now=now)
    desk.change_status(number, Status.RESOLVED, despite_firing=despite, by=by, now=now)
    return _back(number, "resolved")


@router.post("/console/incidents/{number}/take-over")
def take_over(number: Number, actor: Worker, services: Given) -> RedirectResponse:
    """Keep automation from closing the incident."""
    _desk(services).take_over(number, by=actor.name, now=services.clock.now())
    return _back(number, "taken")


@router.post("/console/incidents/{number}/hand-back")
def hand_back(number: Number, actor: Worker, services: Given) -> RedirectResponse:
    """Let automation close the incident again."""
    _desk(services).hand_back(number, by=actor.name, now=services.clock.now())
    return _back(number, "returned")


def _status(word: str) -> Status:
    if word not in set(Status):
        raise InvalidInputError(f"no status {word[:20]!r}: expected one of {', '.join(Status)}")
    return Status(word)


def _severity(word: str) -> Severity:
    if word not in set(Severity):
        raise InvalidInputError(f"no severity {word[:20]!r}: expected critical or warning")
    return Severity(word)
