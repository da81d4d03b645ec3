"""The built-in rules with all they read: our own series, and those of further targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from incidents.alerts.model import Alert
from monitor.composition.ground import Ground
from monitor.config.model import Configuration
from monitor.evaluation import EmbeddedRules
from monitor.metrics import ServiceMetrics
from monitor.probe_metrics import ProbeMetrics
from monitor.rules.engine import CLOCK_STEP_MS, Engine, EngineSettings
from monitor.rules.files import load_rule_files
from monitor.rules.model import Group
from monitor.samples import SampleStore
from monitor.scraping import Scraper
from monitor.storage.rules import DatabaseStateStore
from monitor.use_cases.entrance import Entrance

AHEAD_OF_CLOCK = timedelta(milliseconds=CLOCK_STEP_MS)


class BuiltInRules:
    """The sample store, what fills it, and the engine that evaluates the rule files on it."""

    def __init__(
        self, ground: Ground, entrance: Entrance, probes: ProbeMetrics, metrics: ServiceMetrics
    ) -> None:
        self._clock, self._entrance = ground.clock, entrance
        configuration = ground.current()
        self.samples = SampleStore(
            folder=ground.settings.data / "samples",
            retention_seconds=configuration.retention.samples,
            series_limit=configuration.limits.series,
        )
        self.engine = Engine(
            load_rule_files(configuration.rule_files),
            self.samples,
            send=self.receive,
            state=DatabaseStateStore(ground.store),
            settings=EngineSettings(
                external_labels=configuration.external_labels,
                external_url=ground.settings.public_url,
            ),
        )
        self.rules = EmbeddedRules(self.engine, self.samples, probes, metrics, ground.clock)
        self.scraper = Scraper(self.samples, ground.sender(), self.rules.clock)

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Take alerts from the built-in rules by the same entrance as every other source.

        Evaluation times only go forward, so they may be a little ahead of the clock: an end that
        close is a resolution, not a promise for later. Of a clock that was put back they may be
        far ahead: there ends are told as that clock has them.
        """
        now, ahead = self._clock.now(), self.rules.clock.ahead
        if ahead > AHEAD_OF_CLOCK:
            alerts = [replace(a, ends_at=a.ends_at - ahead) if a.ends_at else a for a in alerts]
        ends = [alert.ends_at for alert in alerts if alert.ends_at is not None]
        close = max([now, *(end for end in ends if end - now <= AHEAD_OF_CLOCK)])
        self._entrance.receive(alerts, source="rules", not_before=close)

    def take_up(self) -> None:
        """Go on from where whoever evaluated last left the alerts."""
        self.engine.take_over()
        self.rules.take_up()

    def use(self, configuration: Configuration, groups: tuple[Group, ...]) -> None:
        """Have these rules, journeys, targets and bounds from now on."""
        names = (journey.name for journey in configuration.journeys_here)
        self.rules.keep_only((name, configuration.location) for name in names)
        self.samples.resize(
            retention_seconds=configuration.retention.samples,
            series_limit=configuration.limits.series,
        )
        self.engine.reload(groups, external_labels=configuration.external_labels)
        self.scraper.keep_only(configuration.targets)
