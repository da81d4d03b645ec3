"""The composition root: builds every part once, starts it, ends it in good order.

Order of start: database, verdicts, rules, notifications, journeys, web. Order of stop: the web
takes nothing new, journeys end or are given up, alerts let in are stored, notifications in flight
are finished or handed back, the sample log is closed. Nothing here decides anything: how each
concern is built is in `monitor.composition`, what it does in its own package.
"""

from __future__ import annotations

import os
import secrets as random_names
import socket
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from monitor.clock import Clock, SystemClock
from monitor.composition.built_in import BuiltInRules
from monitor.composition.doors import build_web
from monitor.composition.duties import Duties, Timetable
from monitor.composition.ground import Ground
from monitor.composition.measuring import export_everything
from monitor.composition.outward import build_outbox_worker, build_watchman
from monitor.composition.watch import Watch
from monitor.config.model import Configuration
from monitor.log import logger
from monitor.metrics import ServiceMetrics
from monitor.probe_metrics import ProbeMetrics
from monitor.reconcile.duty import Reconciler
from monitor.selfwatch.canary import Canary, manner
from monitor.selfwatch.knocking import through_the_door, through_the_entrance
from monitor.settings import Settings
from monitor.shift import Shift
from monitor.storage.changes import Neighbours
from monitor.use_cases.acknowledge_links import ensure_key
from monitor.use_cases.entrance import Entrance
from monitor.web.events import Events
from probes.host import HostFacts
from probes.secrets import SecretSource

log = logger("service")


class Service:
    """Every part of the running service; `start` sets it going, `stop` ends it in good order."""

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        secrets: SecretSource,
        *,
        clock: Clock | None = None,
        read_host: Callable[[], HostFacts] | None = None,
    ) -> None:
        self.clock, self.settings = clock or SystemClock(), settings
        ground = self.ground = Ground(settings, configuration, secrets, self.clock)
        self.holder, self.store = ground.holder, ground.store
        self.entrance = Entrance(
            self.store,
            ground.current,
            self.clock,
            ground.policy,
            canaries=lambda: manner(ground.current(), ground.policy),
        )
        self.probes = ProbeMetrics()
        self.metrics = ServiceMetrics(self.probes)
        self.built_in: BuiltInRules | None = None
        if settings.rules == "embedded":
            self.built_in = BuiltInRules(ground, self.entrance, self.probes, self.metrics)
        replica = f"{socket.gethostname()}:{os.getpid()}:{random_names.token_hex(3)}"
        self.watch = Watch(ground, self.probes, self.built_in, replica)
        self.pipeline, self.scheduler = self.watch.pipeline, self.watch.scheduler
        self.worker = build_outbox_worker(ground)
        self.watchman = build_watchman(ground, self.scheduler, self.worker)
        self.events = Events()
        knock = through_the_entrance(self.entrance)
        self.canary = Canary(self.store, self.clock, ground.current, knock)
        self._duties = Duties(
            ground,
            Shift(self.store, self.clock, "duties", replica, alone=ground.alone),
            self.watch,
            self.worker,
            self._reconciler(),
            self.canary,
            None if ground.alone else Neighbours(self.store, self.clock, self.events.announce),
            self.built_in,
        )
        export_everything(
            self.metrics,
            ground,
            self._duties,
            entrance=self.entrance,
            watchman=self.watchman,
            events=self.events,
            built_in=self.built_in,
            read_host=read_host,
        )
        self.app = build_web(
            ground,
            entrance=self.entrance,
            metrics=self.metrics,
            watch=self.watch,
            events=self.events,
            built_in=self.built_in,
            ready=self.reasons_not_ready,
        )
        self._ready = False

    def _reconciler(self) -> Reconciler:
        ground = self.ground
        return Reconciler(
            self.store,
            self.clock,
            ground.policy,
            ground.current,
            ground.sender,
            lambda alerts, source: self.entrance.receive(alerts, source=source),
        )

    def answers_at(self, host: str, port: int) -> None:
        """Let canaries come in by the door of this address, on which the process listens."""
        self.canary.knock = through_the_door(host, port, self.entrance.canary_key)

    def duties(self) -> Timetable:
        """Return what is done again and again: name → (seconds between, how)."""
        return self._duties.timetable()

    def apply(self, configuration: Configuration) -> None:
        """Bring the running parts to `configuration`, touching only what differs."""
        self.worker.use(self.ground.sender())
        self.watch.use(configuration)

    def reload(self) -> None:
        """Read the configuration folder again now (SIGHUP)."""
        self.ground.reload()

    def prepare(self) -> None:
        """Take up what was known, and listen for news; nothing runs by itself yet."""
        ensure_key(self.store, self.clock.now())
        self.store.subscribe(self._duties.committed)
        self.holder.subscribe(self.apply)
        self.apply(self.holder.current)
        self._duties.renew_shifts()
        self._ready = True

    def start(self) -> None:
        """Set everything going; returns at once."""
        self.prepare()
        self.worker.start()
        for name, (seconds, duty) in self.duties().items():
            self.scheduler.every(seconds, name, duty)
        self.scheduler.start()
        self.watchman.start()
        self.watch.run_first()
        log.info("started", journeys=len(self.holder.current.journeys_here))

    def reasons_not_ready(self) -> list[str]:
        """Return why this process cannot do its work now; empty when it can."""
        if not self._ready:
            return ["starting or stopping"]
        try:
            with self.store.read() as connection:
                connection.execute(select(1))
        except SQLAlchemyError as error:
            return [f"the database cannot be read: {type(error).__name__}"]
        return []

    def stop(self) -> None:
        """End in good order; what is in flight is finished or handed back."""
        self._ready = False
        self.watchman.stop()
        self.pipeline.stopping.set()
        if not self.scheduler.stop(self.settings.shutdown_grace):
            log.warning("some runs did not end in time and were left behind")
        self.entrance.stop()
        self._duties.give_up_shifts()
        self.worker.stop()
        if self.built_in is not None:
            self.built_in.samples.close()
        self.store.close()
        log.info("stopped")
