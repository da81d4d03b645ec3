"""Whose fault a failure is: the shop's, or ours after all.

Two questions are asked before a shop is accused. Is the prober itself offline? And, where one test
account is refused, does a second one still log in? Both refused is the shop's fault, or a broken
login would hide behind a locked account.
"""

from __future__ import annotations

from dataclasses import replace

from probes.control import is_online
from probes.egress import EgressDenied
from probes.failing import StepFailed
from probes.journey import Journey
from probes.opening import RunOptions, open_runner
from probes.result import Outcome, ProbeRun, Reason, StepResult
from probes.secrets import MissingSecret, SecretSource, UnfitSecret

_NETWORK = frozenset({Reason.DNS, Reason.CONNECT, Reason.TLS, Reason.TIMEOUT})
_REFUSALS = frozenset({Reason.STATUS, Reason.CONTENT, Reason.EXTRACT})


def put_blame(
    run: ProbeRun, journey: Journey, secrets: SecretSource, options: RunOptions, stop_at: float
) -> ProbeRun:
    """Return the run, errored instead of failed where the fault is the prober's."""
    failing = run.failing
    if failing is None or run.outcome is not Outcome.FAILED:
        return run
    if run.reason in _NETWORK and options.control_targets:
        if not is_online(options.control_targets):
            return _reblamed(run, failing, Reason.SELF_NETWORK, "no control target answers either")
    elif (
        run.reason in _REFUSALS
        and journey.second_account
        and _is_login(journey, failing)
        and _second_logs_in(run, journey, secrets, options, stop_at)
    ):
        note = "the second account logs in where this one is refused"
        return _reblamed(run, failing, Reason.CREDENTIALS, note)
    return run


def decided(run: ProbeRun, failing: StepResult) -> ProbeRun:
    """Return the run ending as its failing step did."""
    return replace(
        run,
        outcome=failing.outcome,
        reason=failing.reason,
        failed_step=failing.name,
        detail=failing.detail,
    )


def _reblamed(run: ProbeRun, failing: StepResult, reason: Reason, note: str) -> ProbeRun:
    """Return the run with its failing step errored for `reason`."""
    detail = f"{note}; {failing.detail}"[:1000]
    changed = replace(failing, outcome=reason.outcome, reason=reason, detail=detail)
    steps = tuple(changed if step is failing else step for step in run.steps)
    return decided(replace(run, steps=steps), changed)


def _is_login(journey: Journey, failing: StepResult) -> bool:
    """Whether the failing step is one that logs in."""
    return any(step.login and step.name == failing.name for step in journey.steps)


def _second_logs_in(
    run: ProbeRun, journey: Journey, secrets: SecretSource, options: RunOptions, stop_at: float
) -> bool:
    """Whether the second account passes every step up to the login, in the time that is left."""
    upto = next(n for n, step in enumerate(journey.steps) if step.name == run.failed_step) + 1
    account = journey.second_account
    try:
        runner = open_runner(journey, secrets, run, options, account=account)
    except (MissingSecret, UnfitSecret, StepFailed, EgressDenied):
        return False
    with runner.client:
        results = runner.run_steps(journey.steps[:upto], stop_at)
    return all(result.outcome is Outcome.PASSED or result.soft for result in results)
