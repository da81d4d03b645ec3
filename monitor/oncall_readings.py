"""`monitor_oncall_*` and `monitor_escalations`: whether somebody would come, for rules to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.config.holder import ConfigurationHolder
from monitor.metrics import ServiceMetrics, Values
from monitor.readings import remembered
from monitor.storage.escalations import count_by_state
from monitor.storage.store import Store
from monitor.use_cases.oncall import coverage

if TYPE_CHECKING:
    from monitor.clock import Clock

READING_SECONDS = 10.0  # a scrape reckons the shifts of two weeks at most this often


def export_oncall(
    metrics: ServiceMetrics, store: Store, clock: Clock, holder: ConfigurationHolder
) -> None:
    """Export gaps in schedules, and where escalations stand."""

    @remembered(READING_SECONDS)
    def covered() -> Values:
        with store.read() as connection:
            for schedule, held, gap in coverage(connection, holder.current, clock.now()):
                yield (schedule, "now"), float(held)
                yield (schedule, "gap"), gap

    def reading(what: str) -> Values:
        return [((schedule,), value) for (schedule, kind), value in covered() if kind == what]

    metrics.gauge(
        "monitor_oncall_covered",
        "Whether somebody is on call now: 1 or 0.",
        ("schedule",),
        lambda: reading("now"),
    )
    metrics.gauge(
        "monitor_oncall_gap_seconds",
        "Time in the next 14 days in which nobody is on call.",
        ("schedule",),
        lambda: reading("gap"),
    )

    @remembered(READING_SECONDS)
    def escalations() -> Values:
        with store.read() as connection:
            return [((state,), count) for state, count in count_by_state(connection).items()]

    metrics.gauge(
        "monitor_escalations",
        "Escalations of incidents that are not over, by where they stand.",
        ("state",),
        escalations,
    )
