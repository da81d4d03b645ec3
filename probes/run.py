"""A journey in, a run out: the whole of one execution, from its secrets to its record.

Nothing raises for a target's fault, nor for a secret that is missing: both are results. An
exception that leaves `run_journey` is a bug of ours; the caller logs it and records
`errored_run(..., reason=Reason.INTERNAL, ...)`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from probes.blame import decided, put_blame
from probes.context import Context
from probes.egress import EgressDenied
from probes.evidence import MAX_DETAIL, redact_run
from probes.failing import StepFailed
from probes.journey import Journey
from probes.opening import RunOptions, open_runner
from probes.result import Outcome, ProbeRun, Reason, StepResult
from probes.runner import Runner
from probes.secrets import MissingSecret, SecretSource, UnfitSecret

__all__ = ["RunOptions", "errored_run", "run_journey"]

_BAD = (Outcome.FAILED, Outcome.ERRORED)


def run_journey(
    journey: Journey,
    *,
    secrets: SecretSource,
    location: str,
    attempt: int = 1,
    options: RunOptions = RunOptions(),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ProbeRun:
    """Return what one execution of the journey found, within its deadlines.

    The steps share one cookie jar and one set of connections, new for every run. May be called
    from many threads at once.
    """
    blank = _blank(journey, location, attempt, now())
    if journey.engine != "http":
        return _ended_early(blank, journey, Reason.CONFIG, f"no {journey.engine} engine installed")
    try:
        runner = open_runner(journey, secrets, blank, options)
    except (MissingSecret, UnfitSecret, StepFailed, EgressDenied) as refused:
        return _ended_early(blank, journey, Reason.CONFIG, str(refused))
    stop_at = time.monotonic() + journey.deadline_seconds
    with runner.client:
        run = _run(blank, journey, runner, stop_at)
    run = put_blame(run, journey, secrets, options, stop_at)
    return redact_run(run, runner.context.redactor()) if _may_tell(run, runner.context) else run


def errored_run(
    journey: Journey,
    *,
    location: str,
    reason: Reason,
    detail: str,
    started_at: datetime,
    attempt: int = 1,
) -> ProbeRun:
    """Return the run that stands for one that could not be made: no worker free, a bug of ours."""
    return _ended_early(_blank(journey, location, attempt, started_at), journey, reason, detail)


def _blank(journey: Journey, location: str, attempt: int, started_at: datetime) -> ProbeRun:
    """Return a run in which nothing has happened yet."""
    run_id = uuid.uuid4().hex
    return ProbeRun(run_id, journey.name, location, attempt, started_at, 0.0, Outcome.PASSED)


def _ended_early(run: ProbeRun, journey: Journey, reason: Reason, detail: str) -> ProbeRun:
    """Return the run as ended before its first step, every step skipped."""
    steps = [StepResult(s.name, Outcome.SKIPPED, soft=s.soft) for s in journey.steps]
    steps += [StepResult(s.name, Outcome.SKIPPED, cleanup=True) for s in journey.cleanup]
    return replace(
        run, outcome=reason.outcome, reason=reason, detail=detail[:MAX_DETAIL], steps=tuple(steps)
    )


def _run(blank: ProbeRun, journey: Journey, runner: Runner, stop_at: float) -> ProbeRun:
    """Return the run with all its steps done and its outcome decided."""
    started = time.perf_counter()
    steps = runner.run_steps(journey.steps, stop_at)
    took = time.perf_counter() - started - runner.thought_seconds
    if journey.cleanup:
        cleanup_until = time.monotonic() + journey.cleanup_deadline_seconds
        steps += runner.run_cleanup(journey.cleanup, cleanup_until)
    run = replace(
        blank,
        duration_seconds=took,
        steps=tuple(steps),
        certificate_expires_at=min(runner.expiries, default=None),
        cleanup_failed=any(s.cleanup and s.outcome in _BAD for s in steps),
    )
    failing = _deciding(journey, steps)
    if failing is not None:
        return decided(run, failing)
    return replace(run, degraded=_is_degraded(journey, steps, took))


def _deciding(journey: Journey, steps: list[StepResult]) -> StepResult | None:
    """Return the step that fails the run: the first bad one that is neither soft nor cleanup."""
    bad = [step for step in steps if step.outcome in _BAD and not step.soft]
    first = next((step for step in bad if not step.cleanup), None)
    return first or next(iter(bad if journey.fail_on_cleanup else ()), None)


def _is_degraded(journey: Journey, steps: list[StepResult], took_seconds: float) -> bool:
    """Whether a run that passed did so worse than asked."""
    return (
        (journey.slow_seconds is not None and took_seconds > journey.slow_seconds)
        or any(step.soft and step.outcome in _BAD for step in steps)
        or any(step.slow and not step.cleanup for step in steps)
    )


def _may_tell(run: ProbeRun, context: Context) -> bool:
    """Whether the run holds text that could carry a secret: evidence, details or addresses."""
    if any(step.evidence or step.detail for step in run.steps):
        return True
    urls = "\n".join(hop.url for step in run.steps for hop in step.hops)
    return context.redactor().text(urls) != urls
