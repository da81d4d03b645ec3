"""Journeys in the console: the list, one journey with its runs, one run with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection

from monitor.storage.audit import record
from monitor.storage.console import (
    RunCounts,
    RunRow,
    recent_run_rows,
    run_counts,
    verdict_states,
)
from monitor.storage.incidents import IncidentFilter, list_incidents
from monitor.storage.runs import last_good_run, load_run
from monitor.web.drawing import Sparkline, sparkline, waterfall
from monitor.web.errors import NotFound
from monitor.web.permissions import Actor, Permission
from monitor.web.rendering import page
from monitor.web.security import require
from monitor.web.services import Given, JourneySchedule, Services
from probes.journey import Journey
from probes.result import ProbeRun
from probes.verdict import VerdictState, as_of

router = APIRouter(include_in_schema=False)
READ = Depends(require(Permission.VIEW))
Runner = Annotated[Actor, Depends(require(Permission.RUN_JOURNEYS))]
SPARK_RUNS = 40
PAGE_RUNS = 25
COUNTED = timedelta(hours=24)
ORDER = ("down", "unknown", "up")


@dataclass(frozen=True)
class JourneyView:
    """A journey as lists show it."""

    journey: Journey
    verdicts: Mapping[str, VerdictState]  # by location, as of now
    counts: RunCounts
    runs: Sequence[RunRow]
    spark: Sparkline
    schedule: Sequence[JourneySchedule]

    @property
    def verdict(self) -> str:
        """Return the worst verdict of any location; unknown where nobody knows."""
        held = {state.verdict.value for state in self.verdicts.values()}
        return next((word for word in ORDER if word in held), "unknown")

    @property
    def last(self) -> RunRow | None:
        """Return the last run."""
        return self.runs[0] if self.runs else None

    @property
    def since(self) -> datetime | None:
        """Return since when the worst verdict stands."""
        states = [s for s in self.verdicts.values() if s.verdict == self.verdict]
        return min((s.since for s in states if s.since), default=None)

    @property
    def next_run_at(self) -> datetime | None:
        """Return when it runs next, as far as is known here."""
        return min((s.next_run_at for s in self.schedule if s.next_run_at), default=None)

    @property
    def is_running(self) -> bool:
        """Return whether a run is under way here."""
        return any(s.running for s in self.schedule)


def journey_views(services: Services, connection: Connection) -> list[JourneyView]:
    """Return every configured journey as lists show it, those that are down first."""
    known = services.configuration.current.journeys
    views = _views(services, connection, known)
    return sorted(views, key=lambda view: ORDER.index(view.verdict))


def _views(
    services: Services, connection: Connection, journeys: Sequence[Journey], before: str = ""
) -> list[JourneyView]:
    now = services.clock.now()
    states, counts = verdict_states(connection), run_counts(connection, now - COUNTED)
    schedule = services.journeys.schedule()
    views = []
    for journey in journeys:
        here = {k: as_of(state, journey, now) for k, state in states[journey.name].items()}
        recent = recent_run_rows(connection, journey.name, SPARK_RUNS, parse_instant(before))
        times = [entry for entry in schedule if entry.journey == journey.name]
        spark = sparkline(recent, slots=SPARK_RUNS)
        views.append(JourneyView(journey, here, counts[journey.name], recent, spark, times))
    return views


@router.get("/console/journeys", dependencies=[READ])
def journeys(request: Request, services: Given) -> HTMLResponse:
    """List all journeys with their state and recent runs."""
    with services.store.read() as connection:
        views = journey_views(services, connection)
    return page(request, "console/journeys.html", title="Journeys", views=views)


@router.get("/console/journeys/{name}", dependencies=[READ])
def journey(
    request: Request, name: str, services: Given, before: str = "", asked: bool = False
) -> HTMLResponse:
    """Show one journey: what it does, how its runs went, and the steps of the latest."""
    known = _known(services, name)
    with services.store.read() as connection:
        (view,) = _views(services, connection, [known], before)
        latest = load_run(connection, view.last.run_id) if view.last else None
        about = list_incidents(connection, IncidentFilter(component=known.component, limit=20))
    return page(
        request,
        "console/journey.html",
        title=known.heading,
        view=view,
        latest=latest,
        rows=waterfall(latest) if latest else (),
        incidents=[incident for incident in about if incident.journey in (name, None)][:5],
        shown=view.runs[:PAGE_RUNS],
        more=view.runs[PAGE_RUNS - 1].started_at.isoformat() if len(view.runs) > PAGE_RUNS else "",
        before=before,
        asked=asked,
    )


@router.post("/console/journeys/{name}/run")
def run_now(name: str, services: Given, actor: Runner) -> RedirectResponse:
    """Have a journey run at once."""
    journey, now = _known(services, name).name, services.clock.now()
    with services.store.begin() as tx:
        record(tx, actor=actor.name, action="journey.run_by_hand", target=journey, at=now)
    services.journeys.run_now(journey)
    return RedirectResponse(f"/console/journeys/{name}?asked=true", 303)


@router.get("/console/runs/{run_id}", dependencies=[READ])
def run(request: Request, run_id: str, services: Given) -> HTMLResponse:
    """Show one run: its steps, their requests, what failed, and the last run that was good."""
    with services.store.read() as connection:
        shown = load_run(connection, run_id)
        reference = last_good_run(connection, shown.journey, shown.location, shown.started_at)
    longest = max(_length(shown), _length(reference) if reference else 0.0)
    known = services.configuration.current.journey(shown.journey)
    return page(
        request,
        "console/run.html",
        title=f"Run of {known.heading if known else shown.journey}",
        run=shown,
        known=known,
        rows=waterfall(shown, longest_seconds=longest),
        reference=reference,
        reference_rows=waterfall(reference, longest_seconds=longest) if reference else (),
        reference_seconds=_seconds_by_step(reference),
    )


def _known(services: Services, name: str) -> Journey:
    found = services.configuration.current.journey(name)
    if found is None:
        raise NotFound(f"No journey named {name[:63]!r} is configured.")
    return found


def _length(run: ProbeRun) -> float:
    return sum(step.duration_seconds for step in run.steps)


def _seconds_by_step(run: ProbeRun | None) -> dict[str, float]:
    return {step.name: step.duration_seconds for step in run.steps} if run else {}


def parse_instant(text: str) -> datetime | None:
    """Return the instant that a page's own link named; None for anything else."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
