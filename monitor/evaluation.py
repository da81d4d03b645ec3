"""Rules evaluated in this process: samples in, evaluations when something changed or fell due.

Our own numbers become samples without going through text: one journey's series the moment a
result arrives, every other series of the process at the scrape interval. Each journey has a
writer of its own in the sample store, which ends a series at once when it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from threading import Lock

from monitor.clock import Clock, SteadyClock
from monitor.log import logger
from monitor.metrics import ServiceMetrics
from monitor.probe_metrics import ProbeMetrics
from monitor.rules.engine import Engine
from monitor.rules.model import Labels
from monitor.rules.samples import Row
from monitor.samples import SampleStore, SeriesLimitError

SELF = {"job": "monitor"}
PAUSE_SECONDS = 60.0  # without a look at the rules: the process or its machine was suspended
OWN_WRITER = "monitor"

log = logger("evaluation")


class EmbeddedRules:
    """Feeds the sample store and the rule engine in step."""

    def __init__(
        self,
        engine: Engine,
        samples: SampleStore,
        probes: ProbeMetrics,
        service: ServiceMetrics,
        clock: Clock,
    ) -> None:
        self.engine = engine
        self.samples = samples
        self._probes = probes
        self._service = service
        newest = samples.stats().newest_seconds
        since = None if newest is None else datetime.fromtimestamp(newest, UTC)
        self.clock = SteadyClock(clock, since)
        self._looked_at: datetime | None = None
        self._lock = Lock()
        self._journeys: set[tuple[str, str]] = set()
        self._evaluated: dict[tuple[str, str], set[tuple[Labels, float]]] = {}
        self._last_ms = 0

    def result_arrived(self, journey: str, location: str) -> None:
        """Take the journey's series as they stand now and evaluate the rules that read them."""
        with self._lock:
            at = self._moment()
            rows = self._write_journey(journey, location, at)
            changed = self._changed(journey, location, rows)
        # Not a moment before the samples, or they would not be seen.
        now = max(self._now(), datetime.fromtimestamp(at, UTC))
        self.engine.evaluate_for(changed, {"journey": journey}, now)

    def scrape(self) -> None:
        """Take every series of this process, those of the journeys included."""
        with self._lock:
            at = self._moment()
            own = [({**SELF, **labels}, value) for labels, value in self._service.own_samples()]
            rows: list[Row] = [*own, ({"__name__": "up", **SELF}, 1.0)]
            self._write(OWN_WRITER, self._steady(rows), at)
            for journey, location in sorted(self._journeys):
                self._write_journey(journey, location, at)

    def take_up(self) -> None:
        """Judge what was known before the start, before anything new arrives.

        An alert of then that still holds is found again so, and can end as soon as it is over;
        otherwise it would be held as one that merely lacks data.
        """
        self.scrape()
        self.evaluate_due()

    def evaluate_due(self) -> None:
        """Evaluate the groups whose slot has come."""
        self.engine.evaluate_due(self._now())

    def maintain(self) -> None:
        """Pack and expire samples."""
        self.samples.maintain(self.clock.now().timestamp())

    def keep_only(self, journeys: Iterable[tuple[str, str]]) -> None:
        """Have exactly these (journey, location) pairs in the samples; end all others."""
        with self._lock:
            wanted = set(journeys)
            for journey, location in self._journeys - wanted:
                self.samples.remove_writer(_writer(journey, location), self._moment())
            self._journeys = wanted
            self._evaluated = {k: seen for k, seen in self._evaluated.items() if k in wanted}

    def _changed(self, journey: str, location: str, rows: list[Row]) -> set[str]:
        """Return the metrics that are not as they were when the journey's last result arrived.

        Times of last runs are left out: rules watch that they move on, which is no hurry.
        """
        present = {(tuple(sorted(labels.items())), value) for labels, value in rows}
        before = self._evaluated.get((journey, location), set())
        self._evaluated[journey, location] = present
        names = {dict(labels)["__name__"] for labels, _ in present ^ before}
        return {name for name in names if not name.endswith("_timestamp_seconds")}

    def _write_journey(self, journey: str, location: str, at: float) -> list[Row]:
        rows: list[Row] = [
            ({**SELF, **labels}, value) for labels, value in self._probes.samples(journey, location)
        ]
        self._write(_writer(journey, location), self._steady(rows), at)
        return rows

    def _write(self, writer: str, rows: Sequence[Row], at: float) -> None:
        try:
            self.samples.writer(writer).ingest(at, rows)
        except SeriesLimitError as error:  # what fits was written; a metric and a rule tell of it
            log.warning("series left out", writer=writer, error=str(error))

    def _moment(self) -> float:
        """Return the time in Unix seconds, a whole millisecond later than the last given out."""
        self._last_ms = max(self._last_ms + 1, round(self.clock.now().timestamp() * 1000))
        return self._last_ms / 1000

    def _now(self) -> datetime:
        """Return the time of an evaluation; after a pause nothing ends for want of data at once."""
        now, before = self.clock.now(), self._looked_at
        self._looked_at = now
        if before is not None and (now - before).total_seconds() > PAUSE_SECONDS:
            log.warning("nobody looked at the rules", seconds=(now - before).total_seconds())
            self.engine.hold()
        return now

    def _steady(self, rows: list[Row]) -> list[Row]:
        """Return the rows with the moments that are their values on the samples' clock."""
        ahead = self.clock.ahead.total_seconds()
        if not ahead:
            return rows
        return [
            (labels, value + ahead * labels["__name__"].endswith("_timestamp_seconds"))
            for labels, value in rows
        ]


def _writer(journey: str, location: str) -> str:
    return f"journey {journey} {location}"
