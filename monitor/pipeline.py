"""One tick told as a story: run → confirm → record → evaluate → open, update or resolve.

Answers for the order of these and for what happens between them. How a run is done is in
`probes`, what a verdict is in `probes.verdict`, when a rule fires in `monitor.rules`, and what
follows from an alert in `monitor.use_cases.alerts`.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Protocol

from monitor.clock import Clock
from monitor.log import logger
from monitor.probe_metrics import ProbeMetrics
from monitor.storage.runs import load_verdicts, record_run, save_verdict
from monitor.storage.store import Store
from probes.journey import Journey
from probes.result import Outcome, ProbeRun, Reason
from probes.verdict import VerdictState, after_run, as_of, wants_confirmation, was_flaky

log = logger("pipeline")


class Evaluator(Protocol):
    """What is told of fresh samples; alerts that follow are sent on by it."""

    def result_arrived(self, journey: str, location: str) -> None:
        """Take the journey's series as they stand now and evaluate the rules that read them."""
        ...


class Pipeline:
    """Carries runs from the engine to everything that depends on them."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        metrics: ProbeMetrics,
        evaluator: Evaluator,
        run_journey: Callable[[Journey, int], ProbeRun],
        location: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._evaluator = evaluator
        self.run_journey = run_journey
        self._location = location
        self._states: dict[str, VerdictState] = {}
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    def restore(self) -> None:
        """Take up the verdicts as they stood when the service last stopped."""
        with self._store.read() as connection:
            states = load_verdicts(connection, self._location)
        with self._lock:
            self._states.update(states)
        for journey, state in states.items():
            self._metrics.judge(journey, self._location, state, None, flaky=False)
            self._metrics.restore(journey, self._location, state.last_run_at)

    def state(self, journey: str) -> VerdictState:
        """Return the confirmed verdict on a journey as it stands."""
        with self._lock:
            return self._states.get(journey, VerdictState())

    def tick(self, journey: Journey, lost: Callable[[], bool]) -> None:
        """Run a journey, at once again where its failure wants confirming, and act on both."""
        run = self.run_journey(journey, 1)
        if lost():
            return
        before = self.state(journey.name)
        self.record(journey, run)
        if not wants_confirmation(before, run, journey):
            return
        if self.stopping.wait(journey.confirm_after_seconds):
            return
        confirmation = self.run_journey(journey, 2)
        if not lost():
            self.record(journey, confirmation)

    def record(self, journey: Journey, run: ProbeRun) -> VerdictState:
        """Store a finished run with the verdict that follows from it, then let the rules see it."""
        with self._lock:
            before = self._states.get(journey.name, VerdictState())
            state = after_run(before, run, journey, self._clock.now())
            self._states[journey.name] = state
        with self._store.begin() as tx:
            record_run(tx, run)
            save_verdict(tx, journey.name, self._location, state)
            tx.touch("runs")
        self._metrics.record(run)
        flaky = was_flaky(before, run)
        self._metrics.judge(journey.name, self._location, state, run, flaky=flaky)
        if run.outcome is not Outcome.PASSED or before.verdict is not state.verdict:
            where = {"step": run.failed_step, "reason": run.reason.value} if run.reason else {}
            log.info(
                f"journey {run.outcome.word}",
                journey=journey.name,
                attempt=run.attempt,
                **where,
                verdict=state.verdict.value,
                run=run.id,
            )
        self._evaluator.result_arrived(journey.name, self._location)
        return state

    def forget_the_silent(self, journeys: Iterable[Journey]) -> None:
        """Make unknown what has not been heard of for three intervals: no data is never green."""
        now = self._clock.now()
        for journey in journeys:
            with self._lock:
                before = self._states.get(journey.name, VerdictState())
                state = self._states[journey.name] = as_of(before, journey, now)
            if state.verdict is before.verdict:
                continue
            with self._store.begin() as tx:
                save_verdict(tx, journey.name, self._location, state)
                tx.touch("runs")
            self._metrics.judge(journey.name, self._location, state, None, flaky=False)
            log.warning("journey silent", journey=journey.name, verdict=state.verdict.value)

    def record_lost(self, journey: Journey) -> None:
        """Record a run that did not end by its deadline: nothing is known about the shop."""
        longest = journey.total_seconds
        self.record(
            journey,
            ProbeRun(
                id=uuid.uuid4().hex,
                journey=journey.name,
                location=self._location,
                attempt=1,
                started_at=self._clock.now(),
                duration_seconds=longest,
                outcome=Outcome.ERRORED,
                reason=Reason.OVERLOAD,
                detail=f"the run did not end within its {longest:g} s and was given up",
            ),
        )

    def forget_all_but(self, journeys: set[str]) -> None:
        """Drop the state of journeys that are no longer configured."""
        with self._lock:
            self._states = {name: s for name, s in self._states.items() if name in journeys}
