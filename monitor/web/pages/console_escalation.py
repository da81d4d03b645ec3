"""What people do with an incident's escalation; every form leads back to the incident."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse

from monitor.web.api.escalation import escalation_desk
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.security import Submitted, require
from monitor.web.services import Given

router = APIRouter(include_in_schema=False)
Worker = Annotated[Actor, Depends(require(Permission.WORK_INCIDENTS))]


@router.post("/console/incidents/{number}/escalate")
def escalate(number: Number, actor: Worker, services: Given) -> RedirectResponse:
    """Take the next step without waiting."""
    escalation_desk(services).escalate_now(number, by=actor.name, now=services.clock.now())
    return RedirectResponse(f"/console/incidents/{number}?done=escalated", 303)


@router.post("/console/incidents/{number}/reassign")
def reassign(number: Number, actor: Worker, form: Submitted, services: Given) -> RedirectResponse:
    """Call one person, who is to take the incident."""
    person, now = form.get("person", ""), services.clock.now()
    escalation_desk(services).reassign(number, person, by=actor.name, now=now)
    return RedirectResponse(f"/console/incidents/{number}?done=reassigned", 303)
