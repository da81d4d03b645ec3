"""Rules evaluated in this process: samples in, evaluations when something changed or fell due.

Our own numbers become samples without going through text: one journey's series the moment a
result arrives, every series of the process at the scrape interval. A series that is gone ends at
once with a stale marker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock

from monitor.clock import Clock
from monitor.metrics import ServiceMetrics
from monitor.probe_metrics import ProbeMetrics
from monitor.rules import Engine
from monitor.rules.samples import Row, RuleOutput, Samples

SELF = {"job": "monitor"}


class EmbeddedRules:
    """Feeds the sample store and the rule engine in step, each journey in its own series."""

    def __init__(
        self,
        engine: Engine,
        samples: Samples,
        probes: ProbeMetrics,
        service: ServiceMetrics,
        clock: Clock,
    ) -> None:
        self.engine = engine
        self._samples = samples
        self._probes = probes
        self._service = service
        self._clock = clock
        self._lock = Lock()
        self._written: dict[tuple[str, str], RuleOutput] = {}
        self._scraped = RuleOutput()
        self._last_ms = 0

    def result_arrived(self, journey: str, location: str) -> None:
        """Take the journey's series as they stand now and evaluate the rules that read them."""
        with self._lock:
            rows = list(self._of_journey(journey, location))
            output = self._written.setdefault((journey, location), RuleOutput())
            output.write(self._samples, rows, self._moment())
        changed = {labels["__name__"] for labels, _ in rows}
        self.engine.evaluate_for(changed, {"journey": journey}, self._clock.now())

    def scrape(self) -> None:
        """Take every series of this process, those of the journeys included."""
        with self._lock:
            rows = [({**SELF, **labels}, value) for labels, value in self._others()]
            rows.append(({"__name__": "up", **SELF}, 1.0))
            at = self._moment()
            self._scraped.write(self._samples, rows, at)
            for (journey, location), output in self._written.items():
                output.write(self._samples, list(self._of_journey(journey, location)), at)

    def evaluate_due(self) -> None:
        """Evaluate the groups whose slot has come."""
        self.engine.evaluate_due(self._clock.now())

    def keep_only(self, journeys: Iterable[tuple[str, str]]) -> None:
        """Have exactly these (journey, location) pairs in the samples; end all others."""
        with self._lock:
            wanted = set(journeys)
            for key in [key for key in self._written if key not in wanted]:
                self._written.pop(key).end(self._samples, self._moment())
            for key in wanted:
                self._written.setdefault(key, RuleOutput())

    def _of_journey(self, journey: str, location: str) -> Iterator[Row]:
        for labels, value in self._probes.samples(journey, location):
            yield {**SELF, **labels}, value

    def _others(self) -> Iterator[Row]:
        return (row for row in self._service.own_samples())

    def _moment(self) -> int:
        """Return the time in ms, later than the last one given out."""
        self._last_ms = max(self._last_ms + 1, round(self._clock.now().timestamp() * 1000))
        return self._last_ms


class RulesElsewhere:
    """A Prometheus evaluates the rules and posts its alerts; nothing is to be done here."""

    def result_arrived(self, journey: str, location: str) -> None:
        """Do nothing: Prometheus scrapes."""
