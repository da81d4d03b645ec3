"""What is doubtful about who is on call: no fault, but perhaps not what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from incidents.oncall.policy import Policy, TargetKind
from incidents.oncall.schedule import gaps
from incidents.oncall.wallclock import local_of
from monitor.config.model import Configuration

AHEAD = timedelta(days=14)


def oncall_doubts(configuration: Configuration, now: datetime) -> Iterator[str]:
    """Yield what a person should look at: gaps ahead, policies and schedules nothing comes to.

    Overrides are not known here: they are in the database.
    """
    oncall = configuration.oncall
    for schedule in oncall.schedules.values():
        found = [] if schedule.gaps_allowed else gaps(schedule, now, now + AHEAD)
        if found:
            zone = schedule.layers[0].zone
            first = local_of(found[0].starts_at, zone)
            yield (
                f"monitor.yml: schedule {schedule.name} has {_count(found)} in the next 14 days, "
                f"the first from {first:%A %-d %B %H:%M}; `gaps: allowed` says that this is meant"
            )
    for index, policy in enumerate(oncall.policies):
        earlier = next((p for p in oncall.policies[:index] if _covers_all_of(p, policy)), None)
        if earlier is not None:
            yield (
                f"monitor.yml: escalation {policy.name} never applies: "
                f"{earlier.name}, which stands before it, covers all its incidents"
            )
    called = {
        target.name
        for policy in oncall.policies
        for position in range(policy.length + 1)
        for target in policy.targets_of(position)
        if target.kind is TargetKind.SCHEDULE
    }
    for name in oncall.schedules:
        if name not in called:
            yield f"monitor.yml: no escalation policy calls schedule {name}"


def _covers_all_of(earlier: Policy, later: Policy) -> bool:
    parts = not earlier.components or (
        bool(later.components) and later.components <= earlier.components
    )
    return parts and later.severities <= earlier.severities


def _count(found: Sequence[object]) -> str:
    return "a gap" if len(found) == 1 else f"{len(found)} gaps"
