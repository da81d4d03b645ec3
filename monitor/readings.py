"""The table of `monitor_*` metrics: each name, its meaning, and where its value is read.

Answers for the names only; counting is done by the parts themselves. `probe_*` metrics are in
`monitor.probe_metrics`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial, wraps
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.config.holder import ConfigurationHolder
from monitor.metrics import ServiceMetrics, Values
from monitor.notify.worker import OutboxWorker
from monitor.rules.stats import LABEL, readings
from monitor.scheduler import MISSED_REASONS, Scheduler
from monitor.selfwatch.canary import Arrival, Canary
from monitor.selfwatch.vitals import Part
from monitor.selfwatch.watchman import Beat, Watchman
from monitor.storage.deliveries import backlog
from monitor.storage.reports import newest_report, reports_after
from monitor.storage.store import Store
from monitor.use_cases.entrance import Entrance
from monitor.use_cases.maintenance import active_effects
from monitor.use_cases.report_placing import category_choices
from probes.host import HostFacts

if TYPE_CHECKING:
    from monitor.clock import Clock
    from monitor.rules.engine import Engine
    from monitor.samples import SampleStore

HOST_READING_SECONDS = 1.0
DATABASE_READING_SECONDS = 5.0  # a scrape asks the database at most this often


def remembered(seconds: float) -> Callable[[Callable[[], Values]], Callable[[], Values]]:
    """Return a decorator that keeps the answer of a costly reading for `seconds`."""

    def decorate(read: Callable[[], Values]) -> Callable[[], Values]:
        kept: list[tuple[float, list[tuple[tuple[str, ...], float]]]] = []

        @wraps(read)
        def reading() -> Values:
            now = time.monotonic()
            if not kept or now - kept[0][0] >= seconds:
                kept[:] = [(now, list(read()))]
            return kept[0][1]

        return reading

    return decorate


def export_configuration(metrics: ServiceMetrics, holder: ConfigurationHolder) -> None:
    """Export whether the last reload succeeded, when one last did, and what components are called.

    The names are for rules: what they tell customers says what the status page says.
    """
    metrics.value(
        "monitor_config_last_reload_successful",
        "Whether the folder was valid when last read: 1 or 0.",
        lambda: float(holder.last_reload.successful),
    )
    metrics.value(
        "monitor_config_last_reload_success_timestamp_seconds",
        "When a configuration last came into force.",
        lambda: holder.last_success_at.timestamp(),
    )
    metrics.gauge(
        "monitor_component_info",
        "What the status page calls a component; always 1.",
        ("component", "name"),
        lambda: [((one.id, one.name), 1.0) for one in holder.current.components],
    )


def export_scheduler(
    metrics: ServiceMetrics, scheduler: Scheduler, holder: ConfigurationHolder
) -> None:
    """Export lag, missed runs, pools and duties."""
    metrics.histogram(
        "monitor_scheduler_lag_seconds",
        "Start of a run minus the time it was due.",
        "pool",
        scheduler.lag,
    )

    def missed() -> Values:
        for journey in holder.current.journeys_here:
            for reason in MISSED_REASONS:
                yield (journey.name, reason), scheduler.missed[(journey.name, reason)]

    metrics.counter(
        "monitor_runs_missed", "Runs that did not happen.", ("journey", "reason"), missed
    )
    pools = scheduler.pools
    metrics.gauge(
        "monitor_pool_busy",
        "Runs under way.",
        ("pool",),
        lambda: [((name,), pool.busy) for name, pool in pools.items()],
    )
    metrics.gauge(
        "monitor_pool_capacity",
        "Runs that may be under way at once.",
        ("pool",),
        lambda: [((name,), pool.capacity) for name, pool in pools.items()],
    )
    metrics.counter(
        "monitor_duty_runs",
        "Recurring duties performed, by outcome.",
        ("duty", "outcome"),
        lambda: list(scheduler.duty_runs.items()),
    )


def export_events(metrics: ServiceMetrics, count: Callable[[], int]) -> None:
    """Export how many open pages follow the news."""
    metrics.value("monitor_event_streams", "Open console pages that follow the news.", count)


class ReportCounter:
    """Counts users' reports as they come.

    Never from what is stored now: a report that is sorted anew, or forgotten after its time, would
    take one away from a counter, and rules would see a surge. Of several replicas one counts at a
    time (`counts`), so that their sum is right.
    """

    def __init__(
        self, store: Store, holder: ConfigurationHolder, counts: Callable[[], bool] = lambda: True
    ) -> None:
        self._store, self._holder, self._is_counting = store, holder, counts
        self._counts: Counter[tuple[str, ...]] = Counter()
        with store.read() as connection:
            self._newest = newest_report(connection)

    def read(self) -> Values:
        """Return the counts by component and category, each there from the start."""
        with self._store.read() as connection:
            for row_id, component, category in reports_after(connection, self._newest):
                self._counts[(component, category)] += self._is_counting()
                self._newest = row_id
        configuration = self._holder.current
        components = ["", *(component.id for component in configuration.components)]
        categories = [category for category, _ in category_choices(configuration)]
        for labels in product(components, categories):
            self._counts[labels] += 0
        return [*self._counts.items()]


def export_database(
    metrics: ServiceMetrics,
    store: Store,
    clock: Clock,
    worker: OutboxWorker,
    holder: ConfigurationHolder,
    counts_reports: Callable[[], bool] = lambda: True,
) -> None:
    """Export notifications, the outbox, user reports and maintenance."""
    metrics.counter(
        "monitor_notifications",
        "Attempts to deliver a notification, by how they ended.",
        ("channel", "outcome"),
        lambda: [((c, outcome.value), n) for (c, outcome), n in worker.stats.totals().items()],
    )

    @remembered(DATABASE_READING_SECONDS)
    def waiting() -> Values:
        with store.read() as connection:
            pending, oldest = backlog(connection, clock.now())
        age = 0.0 if oldest is None else max(0.0, (clock.now() - oldest).total_seconds())
        yield ("pending",), pending
        yield ("age",), age

    metrics.value(
        "monitor_outbox_pending",
        "Notifications that wait to be delivered.",
        lambda: dict(waiting())[("pending",)],
    )
    metrics.value(
        "monitor_outbox_oldest_age_seconds",
        "Age of the oldest notification that waits.",
        lambda: dict(waiting())[("age",)],
    )

    metrics.counter(
        "monitor_user_reports",
        "Problems reported by users since the start.",
        ("component", "category"),
        remembered(DATABASE_READING_SECONDS)(ReportCounter(store, holder, counts_reports).read),
    )

    @remembered(1.0)
    def maintenance() -> Values:
        with store.read() as connection:
            yield from ((scope, 1.0) for scope in active_effects(connection, clock.now()))

    metrics.gauge(
        "monitor_maintenance_active",
        "1 while maintenance of a component is announced for now.",
        ("component", "effect"),
        maintenance,
    )


def export_entrance(metrics: ServiceMetrics, entrance: Entrance) -> None:
    """Export what comes in at the doors for alerts, waits, is committed and is refused."""
    stats = entrance.stats
    metrics.counter(
        "monitor_alerts_stored",
        "Deliveries of alerts committed, repeated ones included.",
        ("source",),
        lambda: [((source,), count) for source, count in list(stats.alerts.items())],
    )
    metrics.counter(
        "monitor_alert_refusals",
        "Requests answered 503 because nothing more could be taken, by what was short.",
        ("reason",),
        lambda: [((reason,), count) for reason, count in stats.refused.items()],
    )
    for name, text, read in (
        ("waiting", "Alerts that wait to be committed.", lambda: float(entrance.alerts_waiting)),
        ("waiting_bytes", "Bytes of alerts held.", lambda: float(entrance.bytes_held)),
    ):
        metrics.value(f"monitor_alerts_{name}", text, read)
    metrics.histogram(
        "monitor_alert_commit_seconds",
        "Time to commit what was waiting, with all that follows from it.",
        "outcome",
        stats.commit_seconds,
    )
    metrics.histogram(
        "monitor_alert_commit_alerts",
        "Alerts committed together.",
        "outcome",
        stats.commit_alerts,
    )


def export_self_watch(
    metrics: ServiceMetrics, watchman: Watchman, canary: Canary, holder: ConfigurationHolder
) -> None:
    """Export signs of life, heartbeats, and how the canaries fare where any are sent."""
    metrics.gauge(
        "monitor_part_alive",
        "Whether a part of the monitor does its work: 1 or 0.",
        ("part",),
        lambda: [
            ((part.value,), float(all(stall.part is not part for stall in watchman.found)))
            for part in Part
        ],
    )
    metrics.counter(
        "monitor_heartbeats",
        "Heartbeats that were due, by what became of them.",
        ("outcome",),
        lambda: [((beat.value,), watchman.beats[beat]) for beat in Beat],
    )
    metrics.counter(
        "monitor_canary_runs",
        "Canaries that ended their walk, by how.",
        ("outcome",),
        lambda: [((arrival.value,), canary.runs[arrival]) for arrival in Arrival],
    )
    metrics.histogram(
        "monitor_canary_stage_seconds",
        "How long each stage of a canary's walk took.",
        "stage",
        canary.stages,
    )

    def interval() -> float | None:
        settings = holder.current.canary
        return settings.every if settings else None

    def last_success() -> float | None:
        at = canary.last_success_at
        return at.timestamp() if at and holder.current.canary else None

    metrics.value("monitor_canary_interval_seconds", "How often a canary sets out.", interval)
    metrics.value(
        "monitor_canary_last_success_timestamp_seconds",
        "When a canary last arrived.",
        last_success,
    )


def export_rules(metrics: ServiceMetrics, engine: Engine) -> None:
    """Export how rule evaluation does, as Prometheus exports it of itself."""
    for metric, read in readings(engine.stats):
        export = metrics.counter if metric.is_counter else metrics.gauge
        export(metric.name, metric.help, (LABEL,), read)


def export_host(metrics: ServiceMetrics, data: Path, read: Callable[[], HostFacts]) -> None:
    """Export how busy the machine is, so that a starved prober is known for what it is."""
    kept: list[tuple[float, HostFacts]] = []

    def facts() -> HostFacts:
        now = time.monotonic()
        if not kept or now - kept[0][0] >= HOST_READING_SECONDS:
            kept[:] = [(now, read())]
        return kept[0][1]

    for name, text, attribute in (
        ("host_cpu_ratio", "Share of all cores in use.", "cpu_ratio"),
        ("host_load_per_cpu", "One-minute load by core.", "load_per_cpu"),
        ("host_memory_ratio", "Share of memory in use.", "memory_ratio"),
        ("process_resident_bytes", "Memory this process holds.", "process_memory_bytes"),
        ("process_cpu_ratio", "Share of one core this process uses.", "process_cpu_ratio"),
        ("process_open_files_ratio", "Share of its descriptors.", "process_open_files_ratio"),
    ):
        metrics.value(f"monitor_{name}", text, partial(_fact, facts, attribute))
    metrics.gauge(
        "monitor_host_disk_ratio",
        "Share of the disk that holds the data folder in use.",
        ("mount",),
        lambda: [((str(data),), facts().disk_ratio)],
    )


def _fact(facts: Callable[[], HostFacts], name: str) -> float:
    return float(getattr(facts(), name))


def export_samples(metrics: ServiceMetrics, samples: SampleStore) -> None:
    """Export what the built-in sample store holds and has refused."""
    for name, text, attribute in (
        ("monitor_samples_series", "Series held.", "series"),
        ("monitor_samples_series_limit", "Series that may be held.", "series_limit"),
        ("monitor_samples_hot_bytes", "Memory of recent samples.", "hot_bytes"),
        ("monitor_samples_cold_bytes", "Memory of packed samples.", "cold_bytes"),
        ("monitor_samples_log_bytes", "Size of the sample log on disk.", "log_bytes"),
    ):
        metrics.value(name, text, _attribute(samples, attribute))
    for name, text, attribute in (
        ("monitor_samples_written", "Samples taken in.", "samples_written"),
        ("monitor_samples_series_refused", "Series refused at the limit.", "series_refused"),
        ("monitor_samples_out_of_order", "Samples that came too late.", "out_of_order"),
        ("monitor_samples_log_errors", "Writes to the log that failed.", "log_errors"),
    ):
        metrics.counter(name, text, (), _single(_attribute(samples, attribute)))


def _attribute(samples: SampleStore, name: str) -> Callable[[], float]:
    return lambda: float(getattr(samples.stats(), name))


def _single(read: Callable[[], float]) -> Callable[[], Values]:
    return lambda: [((), read())]
