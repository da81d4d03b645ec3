"""What is done again and again, how often, and by whom among replicas."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitor.composition.built_in import BuiltInRules
from monitor.composition.ground import Ground
from monitor.composition.watch import Watch
from monitor.log import logger
from monitor.notify.worker import OutboxWorker
from monitor.reconcile.duty import Reconciler
from monitor.selfwatch.canary import Canary
from monitor.shift import RENEW_SECONDS, Shift
from monitor.storage.changes import Neighbours
from monitor.storage.retention import apply_retention
from monitor.use_cases.alerts import sweep
from monitor.use_cases.audit import seal_audit
from monitor.use_cases.escalating import advance_escalations
from monitor.use_cases.maintenance import advance_maintenance
from monitor.use_cases.privacy import erase_old
from monitor.use_cases.status import record_component_states

log = logger("service")

RULES_SECONDS = 1.0  # how often it is looked at which groups are due
SWEEP_SECONDS = 2.0
ESCALATION_SECONDS = 1.0
FOLLOW_SECONDS = 0.25  # how soon a change shows in component states
STATUS_EVERY = timedelta(seconds=10)  # and how often they are looked at without one
OVERDUE_SECONDS = 1.0
SILENT_SECONDS = 2.0
OUTBOX_SECONDS = 30.0
CANARY_SECONDS = 1.0
AUDIT_SECONDS = 1.0  # how soon what was recorded is sealed
NEIGHBOURS_SECONDS = 1.0  # how soon an open page shows what another replica did
RETENTION_SECONDS = 3600.0
RECONCILE_SECONDS = 1.0  # how often it is looked at which servers are due
SAMPLES_SECONDS = 60.0
NEVER = datetime.min.replace(tzinfo=UTC)

Timetable = Mapping[str, tuple[float, Callable[[], object]]]
"""Name → (seconds between, how)."""


@dataclass
class Duties:
    """The timetable, and the work of each line that no part does alone.

    Of several replicas one has `shift`, and does for all what need be done once only.
    """

    ground: Ground
    shift: Shift
    watch: Watch
    worker: OutboxWorker
    reconciler: Reconciler
    canary: Canary
    neighbours: Neighbours | None
    built_in: BuiltInRules | None
    _status_changed: threading.Event = field(default_factory=threading.Event)
    _followed_at: datetime = NEVER

    def timetable(self) -> Timetable:
        """Return every duty this process has."""
        once, here = self.shift.when_held, self.watch.shift.when_held
        duties: dict[str, tuple[float, Callable[[], object]]] = {
            "shift": (RENEW_SECONDS, self.renew_shifts),
            "sweep": (SWEEP_SECONDS, once(self._sweep)),
            "escalation": (ESCALATION_SECONDS, self._escalate),
            "status": (FOLLOW_SECONDS, once(self._follow_changes)),
            "outbox": (OUTBOX_SECONDS, self.worker.wake),  # restarts a dispatcher that died
            "silent": (SILENT_SECONDS, here(self.watch.forget_the_silent)),
            "overdue": (OVERDUE_SECONDS, self.watch.scheduler.give_up_overdue),
            "audit": (AUDIT_SECONDS, self._seal_audit),
            "retention": (RETENTION_SECONDS, once(self._retain)),
            "reconcile": (RECONCILE_SECONDS, once(self.reconciler.run_due)),
            "canary": (CANARY_SECONDS, self.canary.step),
            "reload": (self.ground.settings.watch_interval, self.ground.reload_if_changed),
        }
        if self.neighbours is not None:
            duties["neighbours"] = (NEIGHBOURS_SECONDS, self.neighbours.exchange)
        if self.built_in is not None:
            rules = self.built_in.rules
            duties["scrape"] = (self.ground.settings.scrape_interval, rules.scrape)
            duties["rules"] = (RULES_SECONDS, here(rules.evaluate_due))
            duties["samples"] = (SAMPLES_SECONDS, rules.maintain)
        return duties

    def committed(self, topics: frozenset[str]) -> None:
        """Do soon what follows from a commit that changed these."""
        if "outbox" in topics:
            self.worker.wake()
        if topics & {"incidents", "maintenance", "runs"}:
            self._status_changed.set()

    def renew_shifts(self) -> None:
        """Take or keep what this process may have among replicas."""
        self.shift.renew()
        self.watch.shift.renew()

    def give_up_shifts(self) -> None:
        """Let other replicas have at once what this one had."""
        self.shift.give_up()
        self.watch.shift.give_up()

    def _sweep(self) -> None:
        ground = self.ground
        sweep(ground.store, ground.current(), ground.clock.now(), ground.policy)

    def _escalate(self) -> None:
        ground = self.ground
        advance_escalations(ground.store, ground.current(), ground.clock.now(), ground.policy)

    def _follow_changes(self) -> None:
        """Close verified windows and record component states soon after whatever changes them."""
        ground, now = self.ground, self.ground.clock.now()
        if not self._status_changed.is_set() and now - self._followed_at < STATUS_EVERY:
            return
        self._status_changed.clear()
        self._followed_at = now
        advance_maintenance(ground.store, ground.current(), now)
        record_component_states(ground.store, ground.current(), now)

    def _seal_audit(self) -> None:
        seal_audit(self.ground.store, self.ground.settings.data, self.ground.clock.now())

    def _retain(self) -> None:
        ground, now = self.ground, self.ground.clock.now()
        retention = ground.current().retention
        counts = dict(apply_retention(ground.store, retention, now))
        before = now - timedelta(seconds=retention.personal)
        counts["erased"] = erase_old(ground.store, before, now)
        log.debug("retention applied", **counts)
