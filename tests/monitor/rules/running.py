"""An engine over a sample store in memory, with time that is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from incidents.alerts.model import Alert
from monitor.promql import Vector, evaluate_instant, parse
from monitor.rules.engine import Engine, EngineSettings
from monitor.rules.files import load_rule_files
from monitor.rules.model import Group
from monitor.rules.state import AlertStateStore
from monitor.samples import SampleStore

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def groups_of(folder: Path, *rules: Mapping[str, object], **group: object) -> tuple[Group, ...]:
    """Return one group of these rules, loaded from a file as any other."""
    path = folder / "rules.yml"
    shape = {"name": "g", "interval": "15s", "rules": [dict(rule) for rule in rules], **group}
    path.write_text(yaml.safe_dump({"groups": [shape]}))
    return load_rule_files([path])


class Running:
    """A store, an engine and what it told; `now` counts in seconds from START."""

    def __init__(
        self,
        groups: tuple[Group, ...],
        *,
        state: AlertStateStore | None = None,
        store: SampleStore | None = None,
        settings: EngineSettings | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.store = store or SampleStore()
        self.told: list[Alert] = []
        self.refuse: Exception | None = None
        self.engine = Engine(
            groups, self.store, send=self.send, state=state, settings=settings, timer=timer
        )

    def send(self, alerts: list[Alert] | tuple[Alert, ...] | object) -> None:
        """Take what is told, or refuse it."""
        if self.refuse is not None:
            raise self.refuse
        assert isinstance(alerts, list)
        self.told += alerts

    def at(self, now: float) -> datetime:
        """Return the moment `now` seconds after START."""
        return START + timedelta(seconds=now)

    def feed(self, now: float, **values: float) -> None:
        """Write these metrics of a journey `a` at `now`; those of before that lack have ended."""
        rows = [({"__name__": name, "journey": "a"}, value) for name, value in values.items()]
        self.store.writer("test").ingest(self.at(now).timestamp(), rows)

    def due(self, now: float, **values: float) -> list[Alert]:
        """Feed, evaluate what is due, and return what was told."""
        if values:
            self.feed(now, **values)
        return self.engine.evaluate_due(self.at(now))

    def event(self, now: float, **values: float) -> list[Alert]:
        """Feed, evaluate what reads these metrics, and return what was told."""
        self.feed(now, **values)
        return self.engine.evaluate_for(values, {"journey": "a"}, self.at(now))

    def value(self, expression: str, now: float) -> dict[tuple[tuple[str, str], ...], float]:
        """Return what an expression gives at `now`."""

        result = evaluate_instant(parse(expression), self.store, self.at(now).timestamp())
        assert isinstance(result, Vector)
        return {tuple(sorted(one.labels.items())): one.value for one in result}
