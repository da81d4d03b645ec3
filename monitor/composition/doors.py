"""The web application with what its pages and API may reach."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from monitor.composition.built_in import BuiltInRules
from monitor.composition.ground import Ground
from monitor.composition.watch import Watch
from monitor.desks import Journeys, Rules
from monitor.metrics import ServiceMetrics
from monitor.use_cases.entrance import Entrance
from monitor.web.app import create_app
from monitor.web.events import Events
from monitor.web.queries import Queries
from monitor.web.services import Services


def build_web(
    ground: Ground,
    *,
    entrance: Entrance,
    metrics: ServiceMetrics,
    watch: Watch,
    events: Events,
    built_in: BuiltInRules | None,
    ready: Callable[[], list[str]],
) -> FastAPI:
    """Return the application; where a Prometheus evaluates it has no rules and no samples."""
    queries = None
    if built_in is not None:
        queries = Queries(built_in.samples, built_in.engine, metrics.metadata)
    return create_app(
        Services(
            settings=ground.settings,
            configuration=ground.holder,
            store=ground.store,
            entrance=entrance,
            clock=ground.clock,
            metrics=metrics,
            journeys=Journeys(watch.scheduler, ground.holder, watch.run_now),
            rules=Rules(built_in.engine if built_in else None),
            ready=ready,
            seal=ground.seal,
            secrets=ground.secrets,
            policy=ground.policy,
            events=events,
            queries=queries,
        )
    )
