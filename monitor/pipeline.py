"""One tick told as a story: run → confirm → record → evaluate → open, update or resolve.

Answers for the order of these and for what happens between them. How a run is done is in
`probes`, what a verdict is in `probes.verdict`, when a rule fires in `monitor.rules`, and what
follows from an alert in `monitor.use_cases.alerts`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from monitor.clock import Clock
from monitor.log import logger
from monitor.probe_metrics import ProbeMetrics
from monitor.storage.runs import load_verdicts, record_run, save_verdict
from monitor.storage.store import Store
from probes.journey import Journey
from probes.result import Outcome, ProbeRun, Reason
from probes.run import errored_run
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
        self._unended: dict[str, int] = {}  # journey → attempt under way
        self._lock = threading.Lock()
        self.stopping = threading.Event()

    def move_to(self, location: str) -> None:
        """Judge journeys at `location` from now on, from where they stood there last."""
        if location != self._location:
            self._location = location
            with self._lock:
                self._states.clear()
            self.restore()

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
        run = self._run(journey, 1)
        if lost():
            return
        before = self.state(journey.name)
        self.record(journey, run)
        if not wants_confirmation(before, run, journey):
            return
        if self.stopping.wait(journey.confirm_after_seconds):
            return
        confirmation = self._run(journey, 2)
        if not lost():
            self.record(journey, confirmation)

    def _run(self, journey: Journey, attempt: int) -> ProbeRun:
        self._unended[journey.name] = attempt
        run = self.run_journey(journey, attempt)
        del self._unended[journey.name]
        return run

    def record_crash(self, journey: Journey) -> None:
        """Record a run that a bug of ours ended; nothing where a run had ended already."""
        attempt = self._unended.pop(journey.name, None)
        if attempt is not None:
            detail = "the monitor itself failed; its log has the traceback"
            self.record(journey, self._without_result(journey, Reason.INTERNAL, detail, attempt))

    def record(self, journey: Journey, run: ProbeRun) -> VerdictState:
        """Count and store a finished run with the verdict that follows, then let the rules see it.

        It is counted first: what a scraper reads does not depend on the database.
        """
        with self._lock:
            before = self._states.get(journey.name, VerdictState())
            state = after_run(before, run, journey, self._clock.now())
            self._states[journey.name] = state
        self._metrics.record(run)
        flaky = was_flaky(before, run)
        self._metrics.judge(journey.name, self._location, state, run, flaky=flaky)
        try:
            with self._store.begin() as tx:
                record_run(tx, run)
                save_verdict(tx, journey.name, self._location, state)
                tx.touch("runs")
        finally:  # rules judge what was found even where it could not be stored
            self._tell(journey, run, before, state)
        return state

    def _tell(
        self, journey: Journey, run: ProbeRun, before: VerdictState, state: VerdictState
    ) -> None:
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
        detail = f"the run did not end within its {journey.total_seconds:g} s and was given up"
        run = self._without_result(journey, Reason.OVERLOAD, detail, 1)
        self.record(journey, replace(run, duration_seconds=journey.total_seconds))

    def _without_result(
        self, journey: Journey, reason: Reason, detail: str, attempt: int
    ) -> ProbeRun:
        return errored_run(
            journey,
            location=self._location,
            reason=reason,
            detail=detail,
            started_at=self._clock.now(),
            attempt=attempt,
        )

    def forget_all_but(self, journeys: set[str]) -> None:
        """Drop the state of journeys that are no longer configured."""
        with self._lock:
            self._states = {name: s for name, s in self._states.items() if name in journeys}
