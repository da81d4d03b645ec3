"""The composition root: the one module that builds every object and ties them together.

Order of start: database, verdicts, rules, notifications, journeys, web. Order of stop: the web
takes nothing new, journeys end or are given up, alerts let in are stored, notifications in flight
are finished or handed back, the sample log is closed. Nothing here decides anything.
"""

from __future__ import annotations

import os
import secrets as random_names
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from incidents.alerts.model import Alert
from incidents.timeline import AUTOMATION
from monitor.accounts.password_reset import fill_in_links
from monitor.accounts.seal import open_seal
from monitor.clock import Clock, SystemClock
from monitor.config.holder import ConfigurationHolder, Reload
from monitor.config.model import Configuration
from monitor.database import open_database
from monitor.desks import Journeys, Rules
from monitor.evaluation import EmbeddedRules
from monitor.log import logger
from monitor.metrics import ServiceMetrics
from monitor.notify.message import Context, MailAccount
from monitor.notify.worker import OutboxWorker
from monitor.oncall_readings import export_oncall
from monitor.pipeline import Pipeline
from monitor.probe_metrics import ProbeMetrics
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
from monitor.reconcile.duty import Reconciler
from monitor.rules.engine import CLOCK_STEP_MS, Engine, EngineSettings
from monitor.rules.files import load_rule_files
from monitor.rules.model import Group
from monitor.rules.windows import reopen_windows
from monitor.samples import SampleStore
from monitor.scheduler import Scheduler
from monitor.scraping import Scraper
from monitor.selfwatch.canary import Canary
from monitor.selfwatch.vitals import Part, Sign, duty_signs
from monitor.selfwatch.watchman import Orders, Watchman, orders_of
from monitor.settings import Settings
from monitor.shift import RENEW_SECONDS, Shift
from monitor.storage.changes import Neighbours
from monitor.storage.retention import apply_retention
from monitor.storage.rules import DatabaseStateStore
from monitor.storage.store import Store
from monitor.storage.watchdog import WatchdogLookup
from monitor.use_cases.acknowledge_links import Linker, ensure_key
from monitor.use_cases.alerts import sweep
from monitor.use_cases.audit import seal_audit
from monitor.use_cases.entrance import Entrance
from monitor.use_cases.escalating import advance_escalations
from monitor.use_cases.maintenance import advance_maintenance
from monitor.use_cases.muting import mute_delivery
from monitor.use_cases.policy import alert_policy
from monitor.use_cases.privacy import erase_old
from monitor.use_cases.reloading import SIGNAL, record_reload
from monitor.use_cases.status import record_component_states
from monitor.web.app import create_app
from monitor.web.events import Events
from monitor.web.queries import Queries
from monitor.web.services import Services
from probes.host import HostFacts, HostReader
from probes.journey import Journey
from probes.result import ProbeRun
from probes.run import RunOptions, run_journey
from probes.secrets import SecretSource

log = logger("service")

RULES_SECONDS = 1.0  # how often it is looked at which groups are due
SWEEP_SECONDS = 2.0
ESCALATION_SECONDS = 1.0
FOLLOW_SECONDS = 0.25  # how soon a change shows in component states
STATUS_EVERY = timedelta(seconds=10)  # and how often they are looked at without one
OVERDUE_SECONDS = 1.0
SILENT_SECONDS = 2.0
OUTBOX_SECONDS = 30.0
OUTBOX_LIMIT_SECONDS = 60.0  # its dispatcher looks every second
CANARY_SECONDS = 1.0
AHEAD_OF_CLOCK = timedelta(milliseconds=CLOCK_STEP_MS)
AUDIT_SECONDS = 1.0  # how soon what was recorded is sealed
NEIGHBOURS_SECONDS = 1.0  # how soon an open page shows what another replica did
RETENTION_SECONDS = 3600.0
RECONCILE_SECONDS = 1.0  # how often it is looked at which servers are due
SAMPLES_SECONDS = 60.0
FIRST_RUN_SPREAD_SECONDS = 0.4


def _watch_of(location: str) -> str:
    return f"watch {location}"


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
        self.clock = clock or SystemClock()
        self.settings = settings
        self.secrets = secrets
        self.holder = ConfigurationHolder(configuration, self.clock)
        self.store = Store(open_database(settings))
        self.seal = open_seal(settings)
        self._reopen_windows: dict[str, timedelta] = {}
        self.policy = alert_policy(
            settings.public_url, self._reopen_windows, mails=bool(settings.smtp_url)
        )
        self.entrance = Entrance(self.store, lambda: self.holder.current, self.clock, self.policy)
        self.reconciler = Reconciler(
            self.store,
            self.clock,
            self.policy,
            lambda: self.holder.current,
            self._sender,
            lambda alerts, source: self.entrance.receive(alerts, source=source),
        )
        self.duties_shift, self.watch = self._shifts(configuration.location)
        self.probes = ProbeMetrics()
        self.metrics = ServiceMetrics(self.probes)
        self.scheduler = Scheduler(
            self.clock,
            configuration.location,
            http_workers=configuration.limits.http_workers,
            browser_workers=configuration.limits.browser_workers,
        )
        self.worker = self._outbox_worker()
        self.canary = Canary(self.store, self.clock, lambda: self.holder.current, self.policy)
        self.watchdog = WatchdogLookup()
        self.watchman = Watchman(
            clock=self.clock,
            context=self._sender,
            orders=self._watch_orders,
            signs=self._signs_of_life,
            watchdog_seen=self._watchdog_seen,
            own_rules=settings.rules == "embedded",
        )
        self._read_host = read_host or HostReader(settings.data).read
        self.samples: SampleStore | None = None
        self.rules: EmbeddedRules | None = None
        self.scraper: Scraper | None = None
        if settings.rules == "embedded":
            self.samples, self.rules = self._embedded_rules()
            self.scraper = Scraper(self.samples, self._sender(), self.rules.clock)
        self.pipeline = Pipeline(
            store=self.store,
            clock=self.clock,
            metrics=self.probes,
            evaluator=self,
            run_journey=self._run_journey,
            location=configuration.location,
        )
        self.scheduler.on_crash = self.pipeline.record_crash
        self._export()
        self.events = Events()
        export_events(self.metrics, self.events.count)
        self.neighbours: Neighbours | None = None
        if self.store.engine.dialect.name == "postgresql":  # there may be other replicas
            self.neighbours = Neighbours(self.store, self.clock, self.events.announce)
        self.app = self._web()
        self._status_changed = threading.Event()
        self._followed_at = datetime.min.replace(tzinfo=UTC)
        self._ready = False

    # Building ---------------------------------------------------------------------------------

    def _outbox_worker(self) -> OutboxWorker:
        return OutboxWorker(
            self.store,
            lambda: self.holder.current.channels,
            self._sender(),
            mute=mute_delivery,
            link=Linker(self.settings.public_url),
        )

    def _shifts(self, location: str) -> tuple[Shift, Shift]:
        """Return what one replica does for all, and what one does for its location."""
        alone = self.store.engine.dialect.name == "sqlite"
        holder = f"{socket.gethostname()}:{os.getpid()}:{random_names.token_hex(3)}"
        return (
            Shift(self.store, self.clock, "duties", holder, alone=alone),
            Shift(
                self.store,
                self.clock,
                _watch_of(location),
                holder,
                alone=alone,
                begins=self._begin_watch,
                ends=self._end_watch,
            ),
        )

    def _sender(self) -> Context:
        settings = self.settings
        return Context(
            secrets=self.secrets,
            mail=MailAccount(smtp_url=settings.smtp_url or "", mail_from=settings.mail_from),
            site_name=self.holder.current.site.name,
            site_url=settings.public_url,
            time_zone=self.holder.current.site.time_zone,
            clock=self.clock,
            complete=fill_in_links(self.seal, settings.public_url),
        )

    def _embedded_rules(self) -> tuple[SampleStore, EmbeddedRules]:
        configuration = self.holder.current
        samples = SampleStore(
            folder=self.settings.data / "samples",
            retention_seconds=configuration.retention.samples,
            series_limit=configuration.limits.series,
        )
        engine = Engine(
            load_rule_files(configuration.rule_files),
            samples,
            send=self.receive,
            state=DatabaseStateStore(self.store),
            settings=EngineSettings(
                external_labels=configuration.external_labels,
                external_url=self.settings.public_url,
            ),
        )
        return samples, EmbeddedRules(engine, samples, self.probes, self.metrics, self.clock)

    def _export(self) -> None:
        export_configuration(self.metrics, self.holder)
        export_scheduler(self.metrics, self.scheduler, self.holder)
        export_database(
            self.metrics,
            self.store,
            self.clock,
            self.worker,
            self.holder,
            lambda: self.duties_shift.held,
        )
        export_entrance(self.metrics, self.entrance)
        export_self_watch(self.metrics, self.watchman, self.canary, self.holder)
        export_oncall(self.metrics, self.store, self.clock, self.holder)
        export_host(self.metrics, self.settings.data, self._read_host)
        if self.rules is not None and self.samples is not None:
            export_rules(self.metrics, self.rules.engine)
            export_samples(self.metrics, self.samples)

    def _web(self) -> FastAPI:
        return create_app(
            Services(
                settings=self.settings,
                configuration=self.holder,
                store=self.store,
                entrance=self.entrance,
                clock=self.clock,
                metrics=self.metrics,
                journeys=Journeys(self.scheduler, self.holder, self.run_now),
                rules=Rules(self.rules.engine if self.rules else None),
                ready=self.reasons_not_ready,
                seal=self.seal,
                secrets=self.secrets,
                policy=self.policy,
                events=self.events,
                queries=self._queries(),
            )
        )

    def _queries(self) -> Queries | None:
        if self.rules is None or self.samples is None:
            return None
        return Queries(self.samples, self.rules.engine, self.metrics.metadata)

    # The story's joints -----------------------------------------------------------------------

    def _run_journey(self, journey: Journey, attempt: int) -> ProbeRun:
        configuration = self.holder.current
        return run_journey(
            journey,
            secrets=self.secrets,
            location=configuration.location,
            attempt=attempt,
            options=RunOptions(control_targets=configuration.control_targets),
        )

    def run_now(self, journey: Journey) -> bool:
        """Run a journey at once; return False where it is running or no worker is free."""
        if not self.watch.held:
            self.pipeline.restore()  # whoever watches knows more than we do
        return self.scheduler.run_now(journey, self.pipeline.tick, self.pipeline.record_lost)

    def result_arrived(self, journey: str, location: str) -> None:
        """Have the built-in rules see a result, if they are evaluated, and here."""
        if self.rules is not None and self.watch.held:
            self.rules.result_arrived(journey, location)

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Take alerts from the built-in rules by the same entrance as every other source.

        Evaluation times only go forward, so they may be a little ahead of the clock: an end that
        close is a resolution, not a promise for later. Of a clock that was put back they may be
        far ahead: there ends are told as that clock has them.
        """
        now = self.clock.now()
        ahead = self.rules.clock.ahead if self.rules else timedelta(0)
        if ahead > AHEAD_OF_CLOCK:
            alerts = [replace(a, ends_at=a.ends_at - ahead) if a.ends_at else a for a in alerts]
        ends = [alert.ends_at for alert in alerts if alert.ends_at is not None]
        close = max([now, *(end for end in ends if end - now <= AHEAD_OF_CLOCK)])
        self.entrance.receive(alerts, source="rules", not_before=close)

    def _committed(self, topics: frozenset[str]) -> None:
        if "outbox" in topics:
            self.worker.wake()
        if topics & {"incidents", "maintenance", "runs"}:
            self._status_changed.set()

    # Watching ourselves -----------------------------------------------------------------------

    def _signs_of_life(self) -> list[Sign]:
        scheduler = self.scheduler
        return [
            Sign(Part.OUTBOX, self.worker.last_round, OUTBOX_LIMIT_SECONDS),
            *duty_signs(dict(scheduler.duty_done), dict(scheduler.duty_seconds)),
        ]

    def _watchdog_seen(self) -> datetime | None:
        with self.store.read() as connection:
            return self.watchdog.seen_at(connection)

    def _watch_orders(self) -> Orders:
        return orders_of(self.holder.current)

    # Who does what among replicas -------------------------------------------------------------

    def _renew_shifts(self) -> None:
        self.duties_shift.renew()
        self.watch.renew()

    def _begin_watch(self) -> None:
        """Take up journeys and rules from where whoever watched last left them."""
        configuration = self.holder.current
        self._publish_probes(configuration)
        self.pipeline.restore()
        if self.rules is not None:
            self.rules.engine.take_over()
            self.rules.take_up()

    def _end_watch(self) -> None:
        self.probes.keep_only((), self.holder.current.location, self.holder.current.quorum)

    def _publish_probes(self, configuration: Configuration) -> None:
        """Have metrics of the journeys that are watched here, and of no others."""
        journeys = configuration.journeys_here if self.watch.held else ()
        self.probes.keep_only(journeys, configuration.location, configuration.quorum)

    def _tick(self, journey: Journey, lost: Callable[[], bool]) -> None:
        if self.watch.held:
            self.pipeline.tick(journey, lost)

    # Duties -----------------------------------------------------------------------------------

    def _sweep(self) -> None:
        sweep(self.store, self.holder.current, self.clock.now(), self.policy)

    def _escalate(self) -> None:
        advance_escalations(self.store, self.holder.current, self.clock.now(), self.policy)

    def _follow_changes(self) -> None:
        """Close verified windows and record component states soon after whatever changes them."""
        now = self.clock.now()
        if not self._status_changed.is_set() and now - self._followed_at < STATUS_EVERY:
            return
        self._status_changed.clear()
        self._followed_at = now
        advance_maintenance(self.store, self.holder.current, now)
        record_component_states(self.store, self.holder.current, now)

    def _forget_the_silent(self) -> None:
        self.pipeline.forget_the_silent(self.holder.current.journeys_here)

    def _seal_audit(self) -> None:
        seal_audit(self.store, self.settings.data, self.clock.now())

    def _retain(self) -> None:
        now, retention = self.clock.now(), self.holder.current.retention
        counts = dict(apply_retention(self.store, retention, now))
        before = now - timedelta(seconds=retention.personal)
        counts["erased"] = erase_old(self.store, before, now)
        log.debug("retention applied", **counts)

    def duties(self) -> Mapping[str, tuple[float, Callable[[], object]]]:
        """Return what is done again and again: name → (seconds between, how)."""
        duties: dict[str, tuple[float, Callable[[], object]]] = {
            "shift": (RENEW_SECONDS, self._renew_shifts),
            "sweep": (SWEEP_SECONDS, self.duties_shift.when_held(self._sweep)),
            "escalation": (ESCALATION_SECONDS, self._escalate),
            "status": (FOLLOW_SECONDS, self.duties_shift.when_held(self._follow_changes)),
            "outbox": (OUTBOX_SECONDS, self.worker.wake),  # restarts a dispatcher that died
            "silent": (SILENT_SECONDS, self.watch.when_held(self._forget_the_silent)),
            "overdue": (OVERDUE_SECONDS, self.scheduler.give_up_overdue),
            "audit": (AUDIT_SECONDS, self._seal_audit),
            "retention": (RETENTION_SECONDS, self.duties_shift.when_held(self._retain)),
            "reconcile": (
                RECONCILE_SECONDS,
                self.duties_shift.when_held(self.reconciler.run_due),
            ),
            "canary": (CANARY_SECONDS, self.canary.step),
            "reload": (self.settings.watch_interval, self._reload_if_changed),
        }
        if self.neighbours is not None:
            duties["neighbours"] = (NEIGHBOURS_SECONDS, self.neighbours.exchange)
        if self.rules is not None:
            duties["scrape"] = (self.settings.scrape_interval, self.rules.scrape)
            duties["rules"] = (RULES_SECONDS, self.watch.when_held(self.rules.evaluate_due))
            duties["samples"] = (SAMPLES_SECONDS, self.rules.maintain)
        return duties

    # Configuration ----------------------------------------------------------------------------

    def apply(self, configuration: Configuration) -> None:
        """Bring the running parts to `configuration`, touching only what differs."""
        location, journeys = configuration.location, configuration.journeys_here
        names = {journey.name for journey in journeys}
        self.worker.use(self._sender())
        self.watch.move(_watch_of(location))
        self._publish_probes(configuration)
        self.pipeline.move_to(location)
        self.pipeline.forget_all_but(names)
        groups = load_rule_files(configuration.rule_files)
        self._set_reopen_windows(groups)
        if self.rules is not None:
            self.rules.keep_only((name, location) for name in names)
            self.rules.samples.resize(
                retention_seconds=configuration.retention.samples,
                series_limit=configuration.limits.series,
            )
            self.rules.engine.reload(
                groups,
                external_labels=configuration.external_labels,
            )
        self.scheduler.location = location
        if self.scraper is not None:
            self.scraper.keep_only(configuration.targets)
            self.scheduler.keep_scraping(configuration.targets, self.scraper.scrape)
        self.scheduler.pools["http"].resize(configuration.limits.http_workers)
        self.scheduler.pools["browser"].resize(configuration.limits.browser_workers)
        self.scheduler.schedule(journeys, self._tick, self.pipeline.record_lost)

    def _set_reopen_windows(self, groups: tuple[Group, ...]) -> None:
        """Let the policy, which everybody holds, know the windows of these rules."""
        windows = reopen_windows(groups)
        self._reopen_windows.update(windows)
        for name in self._reopen_windows.keys() - windows.keys():
            del self._reopen_windows[name]

    def reload(self) -> None:
        """Read the configuration folder again now (SIGHUP)."""
        self._say_reload(self.holder.reload(), SIGNAL)

    def _reload_if_changed(self) -> None:
        reload = self.holder.reload_if_changed()
        if reload is not None:
            self._say_reload(reload, AUTOMATION)

    def _say_reload(self, reload: Reload, by: str) -> None:
        if reload.successful:
            log.info("configuration reloaded", folder=str(self.holder.current.folder))
        for fault in reload.faults:
            log.error("configuration kept: the new one has a fault", fault=str(fault))
        record_reload(self.store, reload, by)

    # Life -------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Take up what was known, and listen for news; nothing runs by itself yet."""
        ensure_key(self.store, self.clock.now())
        self.store.subscribe(self._committed)
        self.holder.subscribe(self.apply)
        self.apply(self.holder.current)
        self._renew_shifts()
        self._ready = True

    def start(self) -> None:
        """Set everything going; returns at once."""
        self.prepare()
        self.worker.start()
        for name, (seconds, duty) in self.duties().items():
            self.scheduler.every(seconds, name, duty)
        self.scheduler.start()
        self.watchman.start()
        self._run_first()
        log.info("started", journeys=len(self.holder.current.journeys_here))

    def _run_first(self) -> None:
        """Run what has not run for an interval soon, rather than only when its slot comes."""
        now = self.clock.now()
        for index, journey in enumerate(self.holder.current.journeys_here):
            last = self.pipeline.state(journey.name).last_run_at
            due = self.scheduler.next_run(journey.name)
            wait = timedelta(seconds=FIRST_RUN_SPREAD_SECONDS * index)
            stale = last is None or now - last > timedelta(seconds=journey.interval_seconds)
            if stale and due is not None and due > now + wait + timedelta(seconds=1):
                self.scheduler.once(now + wait, f"first:{journey.name}", self._first(journey))

    def _first(self, journey: Journey) -> Callable[[], object]:
        return self.watch.when_held(lambda: self.run_now(journey))

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
        for shift in (self.duties_shift, self.watch):
            shift.give_up()
        self.worker.stop()
        if self.samples is not None:
            self.samples.close()
        self.store.close()
        log.info("stopped")
