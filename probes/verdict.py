"""From runs to a verdict: is the journey up, down or unknown at one location?

Pure. The first failure of a journey that was not down asks for a confirmation: the same journey
again at once, as attempt 2, with a fresh session. Two bad runs in a row make it down; from down it
takes `recovery_runs` good ones in a row to be up again. Runs that errored are the prober's trouble:
they say nothing about the shop, and after three intervals without a word the verdict is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from probes.journey import Journey
from probes.result import Outcome, ProbeRun
from probes.step import REPEATABLE_METHODS

CONFIRMED_BY = 2  # bad runs in a row
SILENT_INTERVALS = 3


class Verdict(StrEnum):
    """What is held true of a journey at a location."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class VerdictState:
    """A verdict and what it rests on; all of it is stored, so that a restart changes nothing.

    `bad_runs` and `good_runs` count the latest runs in a row, errored ones passed over.
    `recovering`: it was down, and has not been up since. `flaky_runs` counts failures that a
    confirmation did not bear out. `informed_at` is the last run that said anything of the shop.
    """

    verdict: Verdict = Verdict.UNKNOWN
    since: datetime | None = None
    bad_runs: int = 0
    good_runs: int = 0
    recovering: bool = False
    flaky_runs: int = 0
    informed_at: datetime | None = None
    last_run_at: datetime | None = None
    last_success_at: datetime | None = None


def after_run(state: VerdictState, run: ProbeRun, journey: Journey, now: datetime) -> VerdictState:
    """Return the state once a run that ended at `now` is counted."""
    state = replace(as_of(state, journey, now), last_run_at=now)
    if run.outcome is Outcome.FAILED:
        return _after_bad(state, journey, now)
    if run.outcome is Outcome.PASSED:
        return _after_good(state, run, journey, now)
    return state


def as_of(state: VerdictState, journey: Journey, now: datetime) -> VerdictState:
    """Return the state at `now`: unknown where nothing has been heard of the shop for too long.

    What was counted before a silence does not count after it, except that a journey that was down
    still has to recover.
    """
    known, silence = state.informed_at, silence_of(journey)
    if known is None or now - known <= silence:
        return state
    state = replace(state, bad_runs=0, good_runs=0)
    return _turned(state, Verdict.UNKNOWN, known + silence)


def silence_of(journey: Journey) -> timedelta:
    """Return how long without information makes a verdict unknown."""
    return timedelta(seconds=SILENT_INTERVALS * journey.interval_seconds)


def wants_confirmation(before: VerdictState, run: ProbeRun, journey: Journey) -> bool:
    """Whether the journey should run again at once; `before` is the state without `run`.

    Only the first failure on the way from good asks for it, and only where every step that was
    really sent may be sent again.
    """
    before = as_of(before, journey, run.started_at)
    return (
        journey.confirm
        and run.attempt == 1
        and run.outcome is Outcome.FAILED
        and before.verdict is not Verdict.DOWN
        and not before.recovering
        and before.bad_runs == 0
        and may_repeat(run, journey)
    )


def may_repeat(run: ProbeRun, journey: Journey) -> bool:
    """Whether nothing the run sent would do harm when sent again.

    GET, HEAD, PUT and DELETE may be (RFC 9110 §9.2.2); other requests where their step says
    `idempotent: true` or sends an `Idempotency-Key`; none where it says `idempotent: false`.
    """
    steps = {step.name: step for step in journey.all_steps}
    for result in run.steps:
        step = steps.get(result.name)
        if not result.hops or step is None or result.cleanup:
            continue
        by_method = all(hop.method in REPEATABLE_METHODS for hop in result.hops)
        declared = step.idempotent
        if not (by_method or step.carries_key if declared is None else declared):
            return False
    return True


def was_flaky(before: VerdictState, run: ProbeRun) -> bool:
    """Whether the run is a confirmation that passed: the failure before it was a blip."""
    return run.attempt > 1 and run.outcome is Outcome.PASSED and before.bad_runs > 0


def verdict_to_json(state: VerdictState) -> dict[str, Any]:
    """Return the state as JSON data, to be stored."""
    values = {name: getattr(state, name) for name in VerdictState.__dataclass_fields__}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def verdict_from_json(data: Mapping[str, Any]) -> VerdictState:
    """Return the state that `verdict_to_json` made `data` from."""
    times = {
        key: datetime.fromisoformat(data[key]) if data[key] else None
        for key in ("since", "informed_at", "last_run_at", "last_success_at")
    }
    return VerdictState(**{**data, **times, "verdict": Verdict(data["verdict"])})


def _after_bad(state: VerdictState, journey: Journey, now: datetime) -> VerdictState:
    """Return the state after a failed run."""
    state = replace(state, bad_runs=state.bad_runs + 1, good_runs=0, informed_at=now)
    # One that was down before a silence, and bad after it, was down all the while.
    if state.recovering or state.bad_runs >= (CONFIRMED_BY if journey.confirm else 1):
        return replace(_turned(state, Verdict.DOWN, now), recovering=True)
    return state


def _after_good(
    state: VerdictState, run: ProbeRun, journey: Journey, now: datetime
) -> VerdictState:
    """Return the state after a passed run."""
    flaky = was_flaky(state, run)
    state = replace(
        state,
        good_runs=state.good_runs + 1,
        bad_runs=0,
        flaky_runs=state.flaky_runs + flaky,
        informed_at=now,
        last_success_at=now,
    )
    if state.good_runs >= (journey.recovery_runs if state.recovering else 1):
        return replace(_turned(state, Verdict.UP, now), recovering=False)
    return state


def _turned(state: VerdictState, verdict: Verdict, now: datetime) -> VerdictState:
    """Return the state with this verdict; `since` moves only when it changes."""
    return state if state.verdict is verdict else replace(state, verdict=verdict, since=now)
