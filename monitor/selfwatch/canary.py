"""The canary: a made-up alert that walks the whole way, and how long each stage of it took.

It comes in by our own door for alerts, opens an incident, is told over its channel, is resolved,
and is told again. The incident has a number below zero: no list, page or statistic shows it, and it
is removed when it has arrived. One process at a time sends canaries.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from incidents.alerts.model import Alert
from incidents.outbox import Event
from monitor.clock import Clock
from monitor.config.model import Channel, Configuration
from monitor.config.oncall import OnCallSettings
from monitor.config.watching import CanarySettings
from monitor.distribution import Distribution
from monitor.log import logger
from monitor.notify.kinds import CANARY
from monitor.selfwatch.knocking import Knock
from monitor.storage.canaries import canary_of, progress_of, remove_canaries
from monitor.storage.facts import read_fact, take_lease, write_fact
from monitor.storage.store import Store
from monitor.use_cases.policy import AlertPolicy

LABEL = "monitor_canary"
FACT = "canary"
LEASE = timedelta(seconds=30)
GIVEN_UP = 5  # times the time it should take
BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

log = logger("canary")


class Stage(StrEnum):
    """A part of the way; the label `stage` of `monitor_canary_stage_seconds`."""

    INTAKE = "intake"  # the alert was received, its incident opened
    DELIVERY = "delivery"  # the opening was accepted by the channel
    RESOLUTION = "resolution"  # the end was received, the incident resolved
    CLOSING = "closing"  # the end was accepted by the channel
    WHOLE = "whole"


class Arrival(StrEnum):
    """How a walk ended; the label `outcome` of `monitor_canary_runs_total`."""

    PASSED = "passed"
    LATE = "late"
    FAILED = "failed"


@dataclass
class _Walk:
    """A canary under way."""

    labels: dict[str, str]
    set_out_at: datetime
    fingerprint: str = ""
    stage: Stage = Stage.INTAKE
    incident_id: int | None = None
    took: dict[Stage, float] = field(default_factory=dict)


@dataclass
class Canary:
    """Sends canaries when they are due and follows each on its way; `step` is a duty."""

    store: Store
    clock: Clock
    configuration: Callable[[], Configuration]
    knock: Knock
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    stages: dict[str, Distribution] = field(
        default_factory=lambda: {stage.value: Distribution(BUCKETS) for stage in Stage}
    )
    runs: Counter[Arrival] = field(default_factory=Counter)
    last_success_at: datetime | None = None
    last_words: str = ""
    _walk: _Walk | None = None

    def step(self) -> None:
        """Set out when it is time, or look how far the canary has come."""
        settings = self.configuration().canary
        if settings is None:
            return
        now = self.clock.now()
        if self._walk is None:
            if self._is_due(settings, now):
                self._set_out(now)
            return
        if Stage.INTAKE not in self._walk.took:
            self._enter(self._walk)
        self._follow(self._walk, now)
        self._judge(self._walk, settings, now)

    def _is_due(self, settings: CanarySettings, now: datetime) -> bool:
        with self.store.read() as connection:
            known: Any = read_fact(connection, FACT) or {}
        if "succeeded_at" in known:
            self.last_success_at = datetime.fromisoformat(known["succeeded_at"])
        last = known.get("set_out_at")
        if last and now - datetime.fromisoformat(last) < timedelta(seconds=settings.every):
            return False
        longest = timedelta(seconds=GIVEN_UP * settings.within)
        with self.store.begin() as tx:
            if not take_lease(tx, FACT, self.holder, now, max(LEASE, longest)):
                return False
            remove_canaries(tx, LABEL, now)
            write_fact(tx, FACT, {**known, "set_out_at": now.isoformat()}, now)
        return True

    def _set_out(self, now: datetime) -> None:
        run = secrets.token_hex(6)
        labels = {"alertname": "Canary", "severity": "critical", LABEL: run, "cause": run}
        self._walk = _Walk(labels, now)
        self._enter(self._walk)

    def _enter(self, walk: _Walk) -> None:
        if not self._receive(walk, Stage.INTAKE, None):
            return
        with self.store.read() as connection:
            walk.incident_id = canary_of(connection, walk.fingerprint)
        if walk.incident_id is not None:
            walk.stage = Stage.DELIVERY

    def _receive(self, walk: _Walk, stage: Stage, ends_at: datetime | None) -> bool:
        """Have the alert received as every other; False where it was not: it is tried again."""
        began = self.clock.monotonic()
        summary = {"summary": "A made-up alert: the way from alert to notification is tested"}
        alert = Alert(walk.labels, summary, starts_at=walk.set_out_at, ends_at=ends_at)
        walk.fingerprint = alert.fingerprint
        if refused := self.knock(alert):
            log.warning("canary not let in", stage=stage.value, reason=refused)
            return False
        walk.took[stage] = self.clock.monotonic() - began
        return True

    def _follow(self, walk: _Walk, now: datetime) -> None:
        if walk.incident_id is None:
            return
        with self.store.read() as connection:
            progress = progress_of(connection, walk.incident_id)
        if walk.stage is Stage.DELIVERY and self._arrived(walk, progress.events, Event.OPENED):
            walk.stage = Stage.RESOLUTION
        if walk.stage is Stage.RESOLUTION and Stage.RESOLUTION not in walk.took:
            if not self._receive(walk, Stage.RESOLUTION, now):
                return
            with self.store.read() as connection:
                progress = progress_of(connection, walk.incident_id)
        if walk.stage is Stage.RESOLUTION and not progress.is_open:
            walk.stage = Stage.CLOSING
        if walk.stage is Stage.CLOSING and self._arrived(walk, progress.events, Event.RESOLVED):
            walk.stage = Stage.WHOLE

    @staticmethod
    def _arrived(
        walk: _Walk, events: dict[str, tuple[str, timedelta | None]], event: Event
    ) -> bool:
        state, took = events.get(event.value, ("", None))
        if state == "sent" and took is not None:
            walk.took[walk.stage] = took.total_seconds()
        return state == "sent"

    def _judge(self, walk: _Walk, settings: CanarySettings, now: datetime) -> None:
        age = (now - walk.set_out_at).total_seconds()
        if walk.stage is Stage.WHOLE:
            walk.took[Stage.WHOLE] = sum(walk.took.values())
            self._end(walk, Arrival.LATE if age > settings.within else Arrival.PASSED, now)
        elif age > GIVEN_UP * settings.within:
            self._end(walk, Arrival.FAILED, now)

    def _end(self, walk: _Walk, arrival: Arrival, now: datetime) -> None:
        self.runs[arrival] += 1
        for stage, seconds in walk.took.items():
            self.stages[stage.value].observe(seconds)
        where = "" if arrival is not Arrival.FAILED else f" at {walk.stage.value}"
        self.last_words = f"{arrival.value}{where}"
        say = log.info if arrival is Arrival.PASSED else log.error
        say("canary", outcome=self.last_words)
        with self.store.begin() as tx:
            remove_canaries(tx, LABEL, now + timedelta(seconds=1))
            known: Any = read_fact(tx.connection, FACT) or {}
            if arrival is not Arrival.FAILED:
                self.last_success_at = now
                known = {**known, "succeeded_at": now.isoformat()}
            write_fact(tx, FACT, {**known, "outcome": self.last_words}, now)
        self._walk = None


def manner(configuration: Configuration, policy: AlertPolicy) -> tuple[Configuration, AlertPolicy]:
    """Return by which configuration and policy canaries are stored: nobody else is told of one."""
    alone = replace(
        policy,
        canary=True,
        muting=_unmuted,
        tell_reporters=_nobody,
        recovery_hold=timedelta(0),
    )
    return quiet_configuration(configuration), alone


def quiet_configuration(configuration: Configuration) -> Configuration:
    """Return the configuration in which nothing but the canary's channel is told."""
    name = configuration.canary.channel if configuration.canary else None
    chosen: Sequence[Channel] = [c for c in configuration.channels if c.name == name]
    channel = chosen[0] if chosen else Channel(name=CANARY, kind="console")
    only = channel.model_copy(update={"severities": frozenset({"critical"}), "audience": "oncall"})
    return replace(configuration, channels=(only,), inhibit_rules=(), oncall=OnCallSettings())


def _unmuted(_connection: Connection, _now: datetime) -> Callable[[Mapping[str, str]], str]:
    """Mute nothing: a silence over everything does not mean that the way is broken."""
    return lambda _labels: ""


def _nobody(*_: object) -> None:
    """Tell nobody: no user reported a canary."""
