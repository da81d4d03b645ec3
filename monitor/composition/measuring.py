"""What is measured of ourselves: each part's own numbers, put where a scrape finds them."""

from __future__ import annotations

from collections.abc import Callable

from monitor.composition.built_in import BuiltInRules
from monitor.composition.duties import Duties
from monitor.composition.ground import Ground
from monitor.metrics import ServiceMetrics
from monitor.oncall_readings import export_oncall
from monitor.readings import (
    export_configuration,
    export_database,
    export_entrance,
    export_events,
    export_host,
    export_rules,
    export_samples,
    export_scheduler,
    export_self_watch,
)
from monitor.selfwatch.watchman import Watchman
from monitor.use_cases.entrance import Entrance
from monitor.web.events import Events
from probes.host import HostFacts, HostReader


def export_everything(
    metrics: ServiceMetrics,
    ground: Ground,
    duties: Duties,
    *,
    entrance: Entrance,
    watchman: Watchman,
    events: Events,
    built_in: BuiltInRules | None,
    read_host: Callable[[], HostFacts] | None = None,
) -> None:
    """Have `metrics` read every part when it is scraped."""
    store, clock, holder = ground.store, ground.clock, ground.holder
    export_configuration(metrics, holder)
    export_scheduler(metrics, duties.watch.scheduler, holder)
    export_database(metrics, store, clock, duties.worker, holder, lambda: duties.shift.held)
    export_entrance(metrics, entrance)
    export_self_watch(metrics, watchman, duties.canary, holder)
    export_oncall(metrics, store, clock, holder)
    data = ground.settings.data
    export_host(metrics, data, read_host or HostReader(data).read)
    export_events(metrics, events.count)
    if built_in is not None:
        export_rules(metrics, built_in.engine)
        export_samples(metrics, built_in.samples)
