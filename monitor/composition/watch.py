"""The watch over one location: its journeys, when they run, their verdicts, and the rules on them.

Of several replicas at one location one has the watch at a time; the others stand by.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from monitor.composition.built_in import BuiltInRules
from monitor.composition.ground import Ground
from monitor.config.model import Configuration
from monitor.pipeline import Pipeline
from monitor.probe_metrics import ProbeMetrics
from monitor.rules.files import load_rule_files
from monitor.scheduler import Scheduler
from monitor.shift import Shift
from probes.journey import Journey
from probes.result import ProbeRun
from probes.run import RunOptions, run_journey

FIRST_RUN_SPREAD_SECONDS = 0.4


def _watch_of(location: str) -> str:
    return f"watch {location}"


class Watch:
    """Runs journeys on schedule while this process has the watch."""

    def __init__(
        self, ground: Ground, probes: ProbeMetrics, built_in: BuiltInRules | None, replica: str
    ) -> None:
        configuration = ground.current()
        self._ground, self._probes, self._built_in = ground, probes, built_in
        self.shift = Shift(
            ground.store,
            ground.clock,
            _watch_of(configuration.location),
            replica,
            alone=ground.alone,
            begins=self._begin,
            ends=self._end,
        )
        self.scheduler = Scheduler(
            ground.clock,
            configuration.location,
            http_workers=configuration.limits.http_workers,
            browser_workers=configuration.limits.browser_workers,
        )
        self.pipeline = Pipeline(
            store=ground.store,
            clock=ground.clock,
            metrics=probes,
            evaluator=self,
            run_journey=self._run_journey,
            location=configuration.location,
        )
        self.scheduler.on_crash = self.pipeline.record_crash

    # Runs -------------------------------------------------------------------------------------

    def _run_journey(self, journey: Journey, attempt: int) -> ProbeRun:
        configuration = self._ground.current()
        return run_journey(
            journey,
            secrets=self._ground.secrets,
            location=configuration.location,
            attempt=attempt,
            options=RunOptions(control_targets=configuration.control_targets),
        )

    def _tick(self, journey: Journey, lost: Callable[[], bool]) -> None:
        if self.shift.held:
            self.pipeline.tick(journey, lost)

    def run_now(self, journey: Journey) -> bool:
        """Run a journey at once; return False where it is running or no worker is free."""
        if not self.shift.held:
            self.pipeline.restore()  # whoever watches knows more than we do
        return self.scheduler.run_now(journey, self.pipeline.tick, self.pipeline.record_lost)

    def run_first(self) -> None:
        """Run what has not run for an interval soon, rather than only when its slot comes."""
        now = self._ground.clock.now()
        for index, journey in enumerate(self._ground.current().journeys_here):
            last = self.pipeline.state(journey.name).last_run_at
            due = self.scheduler.next_run(journey.name)
            wait = timedelta(seconds=FIRST_RUN_SPREAD_SECONDS * index)
            stale = last is None or now - last > timedelta(seconds=journey.interval_seconds)
            if stale and due is not None and due > now + wait + timedelta(seconds=1):
                self.scheduler.once(now + wait, f"first:{journey.name}", self._first(journey))

    def _first(self, journey: Journey) -> Callable[[], object]:
        return self.shift.when_held(lambda: self.run_now(journey))

    def result_arrived(self, journey: str, location: str) -> None:
        """Have the built-in rules see a result, if they are evaluated, and here."""
        if self._built_in is not None and self.shift.held:
            self._built_in.rules.result_arrived(journey, location)

    def forget_the_silent(self) -> None:
        """Have no verdict any more of a journey that has not run for long."""
        self.pipeline.forget_the_silent(self._ground.current().journeys_here)

    # Who watches ------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Take up journeys and rules from where whoever watched last left them."""
        self._publish(self._ground.current())
        self.pipeline.restore()
        if self._built_in is not None:
            self._built_in.take_up()

    def _end(self) -> None:
        configuration = self._ground.current()
        self._probes.keep_only((), configuration.location, configuration.quorum)

    def _publish(self, configuration: Configuration) -> None:
        """Have metrics of the journeys that are watched here, and of no others."""
        journeys = configuration.journeys_here if self.shift.held else ()
        self._probes.keep_only(journeys, configuration.location, configuration.quorum)

    # What is watched --------------------------------------------------------------------------

    def use(self, configuration: Configuration) -> None:
        """Watch what `configuration` says from now on, touching only what differs."""
        self.shift.move(_watch_of(configuration.location))
        self._publish(configuration)
        self.pipeline.move_to(configuration.location)
        self.pipeline.forget_all_but({journey.name for journey in configuration.journeys_here})
        groups = load_rule_files(configuration.rule_files)
        self._ground.use_rules(groups)
        scheduler = self.scheduler
        if self._built_in is not None:
            self._built_in.use(configuration, groups)
            scheduler.keep_scraping(configuration.targets, self._built_in.scraper.scrape)
        scheduler.location = configuration.location
        scheduler.pools["http"].resize(configuration.limits.http_workers)
        scheduler.pools["browser"].resize(configuration.limits.browser_workers)
        scheduler.schedule(configuration.journeys_here, self._tick, self.pipeline.record_lost)
