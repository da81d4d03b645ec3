"""What the web may ask of the running parts: when journeys run, how rules stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from monitor.config.holder import ConfigurationHolder
from monitor.rules.engine import Engine
from monitor.rules.model import AlertingRule, Group, Rule, text_labels
from monitor.scheduler import Scheduler
from monitor.web.services import AlertView, JourneySchedule, RuleGroupView, RuleView
from probes.journey import Journey


class Journeys:
    """The scheduler, as the console sees it."""

    def __init__(
        self,
        scheduler: Scheduler,
        holder: ConfigurationHolder,
        run_now: Callable[[Journey], object],
    ) -> None:
        self._scheduler = scheduler
        self._holder = holder
        self._run_now = run_now

    def schedule(self) -> Sequence[JourneySchedule]:
        """Return every journey of this process's location."""
        configuration = self._holder.current
        return [
            JourneySchedule(
                journey.name,
                configuration.location,
                self._scheduler.next_run(journey.name),
                self._scheduler.pools[journey.engine].is_busy(journey.name),
            )
            for journey in configuration.journeys_here
        ]

    def run_now(self, journey: str) -> None:
        """Have the journey run at once, unless it is running already or not ours to run."""
        for known in self._holder.current.journeys_here:
            if known.name == journey:
                self._run_now(known)


class Rules:
    """The rule engine, as the console sees it; empty where a Prometheus evaluates."""

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine

    def groups(self) -> Sequence[RuleGroupView]:
        """Return all groups in the order of their files."""
        engine = self._engine
        return [] if engine is None else [_group(engine, group) for group in engine.groups]


def _group(engine: Engine, group: Group) -> RuleGroupView:
    rules = tuple(_rule(engine, group, position) for position in range(len(group.rules)))
    return RuleGroupView(group.name, str(group.file), group.interval_seconds, rules)


def _rule(engine: Engine, group: Group, position: int) -> RuleView:
    rule, health = group.rules[position], engine.health(group, position)
    alerts = tuple(
        AlertView(
            dict(alert.labels),
            dict(alert.annotations),
            alert.state.value,
            _at(alert.active_at),
            alert.value,
        )
        for alert in engine.alerts(group, position)
    )
    states = {alert.state for alert in alerts}
    worst = next((state for state in ("firing", "pending") if state in states), "inactive")
    return RuleView(
        name=rule.name,
        expression=rule.expression,
        alerting=isinstance(rule, AlertingRule),
        state=worst if health.evaluated_at else "unknown",
        labels=text_labels(rule),
        annotations=_annotations(rule),
        error=health.error,
        evaluated_at=_at(health.evaluated_at) if health.evaluated_at else None,
        alerts=alerts,
    )


def _annotations(rule: Rule) -> dict[str, str]:
    if not isinstance(rule, AlertingRule):
        return {}
    return {name: template.text for name, template in rule.annotations.items()}


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
