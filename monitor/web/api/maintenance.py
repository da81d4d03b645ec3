"""Maintenance planned by programs, such as a deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from incidents.notices.maintenance import Effect, Scope
from monitor.storage.maintenance import live_windows
from monitor.use_cases.maintenance import (
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    Plan,
    as_json,
    cancel_maintenance,
    plan_maintenance,
)
from monitor.web.params import Number
from monitor.web.permissions import Actor, Permission
from monitor.web.security import require
from monitor.web.services import Given, Services

router = APIRouter(tags=["maintenance"])
Planner = Annotated[Actor, Depends(require(Permission.PLAN_MAINTENANCE))]


class ScopePart(BaseModel):
    """One component and what to expect of it."""

    model_config = ConfigDict(extra="forbid")

    component: str
    effect: Literal["expected_down", "expected_degraded"] = "expected_down"


class MaintenanceRequest(BaseModel):
    """A window to announce; the start is included, the end is not."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    description: str = Field("", max_length=LONGEST_DESCRIPTION)
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    scope: list[ScopePart] = Field(min_length=1, max_length=100)


@router.get("/api/v1/maintenance", dependencies=[Depends(require(Permission.VIEW))])
def list_windows(services: Given) -> dict[str, Any]:
    """Give the windows that are not over, the next one first."""
    now = services.clock.now()
    with services.store.read() as connection:
        windows = live_windows(connection, now)
    return {"maintenance": [_view(services, as_json(w, now)) for w in windows]}


@router.post("/api/v1/maintenance", status_code=201)
def plan(body: MaintenanceRequest, actor: Planner, services: Given) -> dict[str, Any]:
    """Announce a window."""
    now = services.clock.now()
    window = plan_maintenance(
        services.store,
        services.configuration.current,
        Plan(
            title=body.title,
            description=body.description,
            starts_at=_utc(body.starts_at),
            ends_at=_utc(body.ends_at),
            scope=tuple(Scope(part.component, Effect(part.effect)) for part in body.scope),
        ),
        by=actor.name,
        now=now,
    )
    return _view(services, as_json(window, now))


@router.post("/api/v1/maintenance/{number}/cancel")
def cancel(number: Number, actor: Planner, services: Given) -> dict[str, Any]:
    """Cancel a window that has not ended."""
    now = services.clock.now()
    configuration = services.configuration.current
    window = cancel_maintenance(services.store, configuration, number, by=actor.name, now=now)
    return _view(services, as_json(window, now))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _view(services: Services, window: dict[str, object]) -> dict[str, Any]:
    return {**window, "url": f"{services.settings.public_url}/maintenance/{window['id']}"}
