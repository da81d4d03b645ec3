"""The status of one component, from what probes saw, what is published and what was announced.

Pure: facts and `now` in, one status out. Loading the facts and recording changes is left to the
service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from incidents.notices.maintenance import Effect, Maintenance, State

STALE_AFTER_INTERVALS = 3  # a run older than this many intervals says nothing about now


class ComponentStatus(StrEnum):
    """A component's standing: five words that the public formats know, and `unknown`."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"
    UNKNOWN = "unknown"
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"

    @property
    def word(self) -> str:
        """Return the status as a person reads it."""
        return self.value.replace("_", " ").capitalize()

    @property
    def severity(self) -> int:
        """Return its rank, 0 the best: outages outrank maintenance, and unknown is never good."""
        return _ORDER[self]

    @property
    def is_trouble(self) -> bool:
        """Return whether users are known to be hindered by something nobody announced."""
        return self.severity >= ComponentStatus.DEGRADED_PERFORMANCE.severity


_ORDER = {status: rank for rank, status in enumerate(ComponentStatus)}


@dataclass(frozen=True)
class JourneySignal:
    """What one journey last saw from one location; `verdict` is `up`, `down` or `unknown`."""

    journey: str
    component: str
    location: str
    verdict: str
    interval_seconds: float
    last_run_at: datetime | None = None
    last_success_at: datetime | None = None
    degraded: bool = False

    def is_fresh(self, now: datetime) -> bool:
        """Return whether its last run is at most three intervals old, that moment included."""
        if self.last_run_at is None or self.verdict == "unknown":
            return False
        return now - self.last_run_at <= timedelta(
            seconds=self.interval_seconds * STALE_AFTER_INTERVALS
        )


@dataclass(frozen=True)
class OpenIncident:
    """What a published, unresolved incident says about one component."""

    public_id: str
    component: str
    status: ComponentStatus


@dataclass(frozen=True)
class Standing:
    """A component's status, the reason for it, and when it was last checked (None: never)."""

    status: ComponentStatus
    cause: str
    last_checked_at: datetime | None = None


def component_standing(
    component: str,
    signals: Iterable[JourneySignal],
    incidents: Iterable[OpenIncident],
    windows: Iterable[Maintenance],
    *,
    quorum: int,
    now: datetime,
) -> Standing:
    """Return how `component` stands at `now`: the worst that holds, what was announced taken out.

    A window hides only the effect it announced. A published incident is never hidden by a window,
    and stays until it is resolved even when probes are green again.
    """
    own = [signal for signal in signals if signal.component == component]
    checked = max((s.last_run_at for s in own if s.last_run_at), default=None)
    effects = [
        effect
        for window in windows
        if window.state(now) in (State.IN_PROGRESS, State.VERIFYING)
        and (effect := window.effect_on(component))
    ]
    probed = _without_announced(probed_status(own, quorum=quorum, now=now), effects)
    published = [i for i in incidents if i.component == component]
    told = max((i.status for i in published), key=lambda s: s.severity, default=None)
    if told is not None and told.severity >= probed.severity:
        return Standing(told, "incident", checked)
    if effects and not probed.is_trouble:
        return Standing(ComponentStatus.UNDER_MAINTENANCE, "maintenance", checked)
    return Standing(probed, "probes", checked)


def _without_announced(status: ComponentStatus, effects: Sequence[Effect]) -> ComponentStatus:
    """Return `status`, or under maintenance where a window announced as much or worse."""
    if Effect.EXPECTED_DOWN in effects:
        return ComponentStatus.UNDER_MAINTENANCE
    if Effect.EXPECTED_DEGRADED in effects and status is ComponentStatus.DEGRADED_PERFORMANCE:
        return ComponentStatus.UNDER_MAINTENANCE
    return status


def probed_status(
    signals: Sequence[JourneySignal], *, quorum: int, now: datetime
) -> ComponentStatus:
    """Return what the probes of one component say: trouble first, then doubt, then good news.

    All journeys down everywhere is a major outage, anything less than all a partial one. One
    journey without fresh data makes the component unknown, unless another is known to be in
    trouble.
    """
    journeys = sorted({signal.journey for signal in signals})
    if not journeys:
        return ComponentStatus.UNKNOWN
    found = [
        _journey_status([s for s in signals if s.journey == name], quorum=quorum, now=now)
        for name in journeys
    ]
    if all(status is ComponentStatus.MAJOR_OUTAGE for status in found):
        return ComponentStatus.MAJOR_OUTAGE
    worst = max(found, key=lambda status: status.severity)
    return ComponentStatus.PARTIAL_OUTAGE if worst is ComponentStatus.MAJOR_OUTAGE else worst


def _journey_status(
    signals: Sequence[JourneySignal], *, quorum: int, now: datetime
) -> ComponentStatus:
    """Return one journey's status over its locations; too few fresh ones make it unknown."""
    needed = max(1, min(quorum, len(signals)))
    fresh = [signal for signal in signals if signal.is_fresh(now)]
    down = sum(signal.verdict == "down" for signal in fresh)
    if down >= needed:
        everywhere = down == len(fresh)
        return ComponentStatus.MAJOR_OUTAGE if everywhere else ComponentStatus.PARTIAL_OUTAGE
    if len(fresh) < needed:
        return ComponentStatus.UNKNOWN
    if sum(signal.degraded or signal.verdict == "down" for signal in fresh) >= needed:
        return ComponentStatus.DEGRADED_PERFORMANCE
    return ComponentStatus.OPERATIONAL
