"""Evaluates groups when they are due and when something changed; tells alerts and forgets none.

One evaluation runs at a time. Its order is: evaluate the rules, keep the new state, hand what is to
be told to `send`, then keep that it was told. So a process that dies in between tells an alert
twice, never not at all, and nothing was told that the next process does not know to end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from incidents.alerts.model import Alert
from monitor.promql import Options, PromqlError
from monitor.rules import alerts as life
from monitor.rules.alerts import Active, DuplicateAlertError, LimitExceededError
from monitor.rules.book import RuleBook
from monitor.rules.dependencies import Affected, Dependencies
from monitor.rules.evaluation import (
    DuplicateSeriesError,
    alert_rows,
    found,
    querier,
    recorded,
    vector_at,
)
from monitor.rules.model import AlertingRule, Group, Labels, RecordingRule
from monitor.rules.samples import Row, RuleSamples
from monitor.rules.sending import outgoing
from monitor.rules.slots import Slots
from monitor.rules.state import AlertStateStore, MemoryStateStore
from monitor.rules.stats import GroupStats, RuleHealth
from monitor.rules.templates import Environment
from monitor.samples import SampleStore, SeriesLimitError

Send = Callable[[Sequence[Alert]], object]
RULE_ERRORS = (
    PromqlError,
    DuplicateAlertError,
    DuplicateSeriesError,
    LimitExceededError,
    SeriesLimitError,
)
RANGE_REST_SECONDS = 1.0  # rules over ranges alone are evaluated on events so rarely,
RANGE_REST_SHARE = 20  # and rest so many times as long as they took: 5 % of a core
RANGE_REST_LONGEST = 60.0
CLOCK_STEP_MS = 1_000  # a clock that went back by less is waited for, in steps of 1 ms


@dataclass(frozen=True)
class EngineSettings:
    """How an engine evaluates and tells.

    For `restore_hold_seconds` after the start, an alert that was firing before it is not resolved
    for want of data: probes have to report first.
    """

    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    resend_seconds: float = life.RESEND_DELAY_SECONDS
    restore_hold_seconds: float = 60.0
    options: Options = field(default_factory=Options)


class Engine:
    """Groups of rules over one source of samples."""

    def __init__(
        self,
        groups: Iterable[Group],
        samples: SampleStore,
        *,
        send: Send,
        state: AlertStateStore | None = None,
        settings: EngineSettings | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take up the alerts that `state` has kept."""
        self._samples = RuleSamples(samples)
        self._send = send
        self._settings = settings or EngineSettings()
        self._timer = timer
        self._lock = threading.RLock()
        self._state = state or MemoryStateStore()
        self._book = RuleBook(self._state)
        self._slots = Slots()
        self._waiting: dict[str, Affected] = {}
        self._rest_until = 0.0
        self._hold_until: float | None = None
        self._groups: tuple[Group, ...] = ()
        self.reload(groups)

    # What it knows ----------------------------------------------------------------------------

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups as loaded last."""
        return self._groups

    def reload(
        self, groups: Iterable[Group], *, external_labels: Mapping[str, str] | None = None
    ) -> None:
        """Evaluate these groups from now on; alerts are carried over by rule name and labels."""
        with self._lock:
            if external_labels is not None:
                self._settings = replace(self._settings, external_labels=external_labels)
            self._groups = tuple(groups)
            self._book.reload(self._groups)
            self._dependencies = Dependencies(self._groups)
            self._slots.forget_all_but(group.key for group in self._groups)
            self._waiting.clear()

    def hold(self) -> None:
        """Resolve nothing for want of data for a while, as after a start: nobody was looking."""
        with self._lock:
            self._hold_until = None
            self._book.hold_firing()

    def take_over(self) -> None:
        """Know of alerts what the state store has, as after a start: another process kept it."""
        with self._lock:
            self._book = RuleBook(self._state)
            self._hold_until = None
            self.reload(self._groups)

    def stats(self) -> list[tuple[str, GroupStats]]:
        """Return every group's key and counts."""
        return list(self._book.stats.items())

    def health(self, group: Group, position: int) -> RuleHealth:
        """Return how the last evaluation of a loaded rule went."""
        return self._book.health[self._book.key(group, position)]

    def alerts(self, group: Group, position: int) -> tuple[Active, ...]:
        """Return the pending and firing alerts of a loaded rule."""
        with self._lock:
            alerts = self._book.alerts[self._book.key(group, position)]
            return tuple(alert for alert in alerts.values() if alert.is_live)

    # When to evaluate -------------------------------------------------------------------------

    def evaluate_due(self, now: datetime) -> list[Alert]:
        """Evaluate every group whose slot has come, and return what was told.

        A group just loaded is due at once. Slots that passed unused are counted as missed and not
        made up for. What `evaluate_for` put off is evaluated as well, as soon as it may.
        """
        with self._lock:
            told, due = [], set()
            for group in self._groups:
                missed = self._slots.take(group, now.timestamp())
                if missed is not None:
                    self._book.stats[group.key].missed += missed
                    told += self.evaluate_group(group, now)
                    due.add(group.key)
            waiting = {k: one for k, one in self._waiting.items() if one.group.key not in due}
            self._waiting = waiting
            return told + self._evaluate_ranges([], now)

    def evaluate_for(
        self, changed: Iterable[str], labels: Mapping[str, str], now: datetime
    ) -> list[Alert]:
        """Evaluate the rules that new samples may have changed, and return what was told.

        `changed` are the metrics with new values; `labels` are those that the new samples share,
        such as the journey. Rules that look at ranges alone move slowly: all of them together get
        a small share of the time, and otherwise wait for `evaluate_due`.
        """
        with self._lock:
            urgent = []
            for affected in self._dependencies.affected(frozenset(changed), labels):
                if affected.at_once:
                    urgent.append(affected)
                else:
                    key = self._book.key(affected.group, affected.position)
                    self._waiting[key] = affected
            return self._evaluate_ranges(urgent, now)

    def _evaluate_ranges(self, urgent: list[Affected], now: datetime) -> list[Alert]:
        """Evaluate the urgent rules, and after them those that wait, if it is time for them."""
        waiting: list[Affected] = []
        at = now.timestamp()
        if not self._rest_until - RANGE_REST_LONGEST <= at < self._rest_until:
            hurried = {(one.group.key, one.position) for one in urgent}
            found = self._waiting.values()
            waiting = [one for one in found if (one.group.key, one.position) not in hurried]
            self._waiting.clear()
        began = self._timer()
        told = self._evaluate([*urgent, *waiting], now) if urgent or waiting else []
        if waiting:
            rest = max(RANGE_REST_SECONDS, RANGE_REST_SHARE * (self._timer() - began))
            self._rest_until = at + min(rest, RANGE_REST_LONGEST)
        return told

    def evaluate_group(self, group: Group, now: datetime) -> list[Alert]:
        """Evaluate all rules of a loaded group in order, and return what was told."""
        with self._lock:
            stats, began = self._book.stats[group.key], self._timer()
            stats.last_samples = 0
            rules = [Affected(group, position, True) for position in range(len(group.rules))]
            told = self._evaluate(rules, now)
            stats.iterations += 1
            stats.last_duration_seconds = self._timer() - began
            stats.last_evaluated_at = now.timestamp()
            return told

    # Evaluating -------------------------------------------------------------------------------

    def _evaluate(self, rules: Sequence[Affected], now: datetime) -> list[Alert]:
        at = self._moment(rules, now)
        if self._hold_until is None:
            self._hold_until = at + self._settings.restore_hold_seconds
        self._book.end_removed(self._samples, at)
        for affected in rules:
            self._evaluate_rule(affected, at)
        self._book.keep()
        told = self._tell(rules, at)
        if told:
            self._book.keep()
        return told

    def _moment(self, rules: Sequence[Affected], now: datetime) -> float:
        """Return the time of an evaluation in whole ms: later than the rules' last ones."""
        now_ms = round(now.timestamp() * 1000)
        health = (self._book.health[self._book.key(one.group, one.position)] for one in rules)
        times = [round(one.evaluated_at * 1000) for one in health if one.evaluated_at is not None]
        behind = max(times, default=now_ms - 1) - now_ms
        return (now_ms + behind + 1 if 0 <= behind < CLOCK_STEP_MS else now_ms) / 1000

    def _evaluate_rule(self, affected: Affected, at: float) -> None:
        """Evaluate one rule; if that fails its alerts and series stay as they were."""
        group, rule = affected.group, affected.rule
        key = self._book.key(group, affected.position)
        stats, health, began = self._book.stats[group.key], self._book.health[key], self._timer()
        stats.evaluations += 1
        health.evaluated_at, health.error = at, ""
        result_at = at - group.query_offset_seconds
        try:
            result = vector_at(rule.expr, self._samples, result_at, self._settings.options)
            output = self._samples.output(key)
            if isinstance(rule, RecordingRule):
                output.write_vector(result_at, recorded(rule, result, group.limit), result)
                stats.last_samples += len(result)
            else:
                alerts = found(rule, result, self._place(at))
                rows = self._advance(key, group, rule, alerts, at)
                output.write(result_at, rows)
                stats.last_samples += len(rows)
        except RULE_ERRORS as error:
            stats.failures += 1
            health.error = str(error)
        health.duration_seconds = self._timer() - began

    def _place(self, at: float) -> Environment:
        settings = self._settings
        query = querier(self._samples, at, settings.options)
        return Environment(query, at, settings.external_labels, settings.external_url)

    def _advance(
        self, key: str, group: Group, rule: AlertingRule, results: list[life.Found], at: float
    ) -> list[Row]:
        """Move a rule's alerts on and return the series in which they show."""
        by_labels = life.by_labels(results)
        after = life.advance(
            self._book.alerts[key],
            by_labels,
            at,
            for_seconds=rule.for_seconds,
            keep_firing_seconds=rule.keep_firing_seconds,
        )
        holding = self._hold_until is not None and at < self._hold_until
        after |= self._book.held(key, by_labels, still_holding=holding)
        try:
            life.within_limit(after, group.limit)
        except LimitExceededError:
            self._book.alerts[key] = {}
            raise
        self._book.alerts[key] = after
        return alert_rows(after.values())

    def _tell(self, rules: Sequence[Affected], at: float) -> list[Alert]:
        """Hand to `send` what is to be told; what it refuses is told at the next evaluation."""
        told: list[Alert] = []
        sent: list[tuple[str, Labels]] = []
        for affected in rules:
            rule = affected.rule
            if not isinstance(rule, AlertingRule):
                continue
            key = self._book.key(affected.group, affected.position)
            for labels, alert in self._book.alerts[key].items():
                if life.needs_sending(alert, at, self._settings.resend_seconds):
                    told.append(self._outgoing(alert, affected.group, rule, at))
                    sent.append((key, labels))
        if told:
            self._send(told)
            self._book.mark_sent(sent, at)
        return told

    def _outgoing(self, alert: Active, group: Group, rule: AlertingRule, at: float) -> Alert:
        settings = self._settings
        return outgoing(
            alert,
            rule,
            ends_at=life.ends_at(alert, at, group.interval_seconds, settings.resend_seconds),
            external_labels=settings.external_labels,
            external_url=settings.external_url,
        )
