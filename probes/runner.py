"""The steps of one run, one after the other: what each one sends, and how each one ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from probes.compose import build_request
from probes.context import Context
from probes.evidence import COOKIE_WORTH_HIDING, MAX_DETAIL, evidence_of
from probes.expect import Facts, findings
from probes.extract import extract
from probes.failing import StepFailed
from probes.http.client import Client
from probes.http.fetch import Fetched, fetch
from probes.http.message import Request
from probes.page import Page
from probes.result import Hop, Outcome, Reason, StepResult
from probes.step import Step


@dataclass
class Attempt:
    """What one step has come to so far; read when it ends, however it ends."""

    request: Request | None = None
    fetched: Fetched | None = None
    duration_seconds: float = 0.0

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The hops made."""
        return self.fetched.hops if self.fetched else ()


@dataclass
class Runner:
    """Runs steps with one context and one client, until the deadline."""

    context: Context
    client: Client
    user_agent: str
    sleep: Callable[[float], None]
    thought_seconds: float = 0.0
    expiries: list[datetime] = field(default_factory=list)

    def run_steps(self, steps: tuple[Step, ...], stop_at: float) -> list[StepResult]:
        """Return how each step ended; the ones after a failure are skipped.

        `stop_at` is on the monotonic clock; after it no further request is sent.
        """
        results: list[StepResult] = []
        failed = False
        for step in steps:
            if failed:
                results.append(StepResult(step.name, Outcome.SKIPPED, soft=step.soft))
                continue
            result = self.run_step(step, stop_at)
            results.append(result)
            failed = result.outcome is not Outcome.PASSED and not step.soft
        return results

    def run_cleanup(self, steps: tuple[Step, ...], stop_at: float) -> list[StepResult]:
        """Return how each cleanup step ended; each one runs, whatever happened before.

        One that needs a value that was never saved has nothing to clean, and is skipped; so is one
        that submits or follows something on the page of a cleanup step that did not pass.
        """
        results: list[StepResult] = []
        for step in steps:
            needless = self._needless(step, results)
            if needless:
                result = StepResult(step.name, Outcome.SKIPPED, detail=needless, cleanup=True)
            else:
                result = self.run_step(step, stop_at, cleanup=True)
            results.append(result)
        return results

    def _needless(self, step: Step, before: list[StepResult]) -> str:
        """Return why a cleanup step has nothing to do, empty where it has."""
        lacking = sorted(step.needs - self.context.values.keys())
        if lacking:
            return f"{lacking[0]} was never saved, so there is nothing to clean up"
        if step.uses_page and before and before[-1].outcome is not Outcome.PASSED:
            return f"the page it starts from, that of {before[-1].name!r}, is not there"
        return ""

    def run_step(self, step: Step, stop_at: float, *, cleanup: bool = False) -> StepResult:
        """Return how the step ended."""
        self._think(step, stop_at)
        attempt = Attempt()
        try:
            self._do(step, attempt, stop_at)
        except StepFailed as failed:
            return self._not_passed(step, attempt, failed, cleanup=cleanup)
        return StepResult(
            step.name,
            Outcome.PASSED,
            duration_seconds=attempt.duration_seconds,
            hops=attempt.hops,
            soft=step.soft,
            cleanup=cleanup,
            slow=_is_slow(step, attempt),
        )

    def _think(self, step: Step, stop_at: float) -> None:
        """Wait as a person would, but not past the deadline."""
        seconds = min(step.think_seconds, stop_at - time.monotonic())
        if seconds > 0:
            self.sleep(seconds)
            self.thought_seconds += seconds

    def _do(self, step: Step, attempt: Attempt, stop_at: float) -> None:
        """Send, expect and save, filling in `attempt` on the way.

        Raises:
            StepFailed: the step did not pass.
        """
        left = stop_at - time.monotonic()
        if left <= 0:
            raise StepFailed(Reason.TIMEOUT, "the run's deadline passed before this step")
        request = build_request(step, self.context, user_agent=self.user_agent)
        attempt.request = request
        started = time.perf_counter()
        fetched = fetch(
            self.client.send,
            request,
            max_redirects=step.redirects,
            timeout_seconds=min(step.timeout_seconds, left),
        )
        attempt.duration_seconds = time.perf_counter() - started
        attempt.fetched = fetched
        if fetched.certificate_expires_at is not None:
            self.expiries.append(fetched.certificate_expires_at)
        if fetched.failure is not None:
            raise StepFailed(fetched.failure.reason, fetched.failure.detail, "an answer")
        page = Page(fetched.last)
        self.context.page = page
        try:
            self._hold_against(step, attempt, page)
        except StepFailed:
            with suppress(StepFailed):  # cleanup may need what was saved of a page that is wrong
                self._save(step, page)
            raise
        self._save(step, page)

    def _hold_against(self, step: Step, attempt: Attempt, page: Page) -> None:
        """Give up on the first expectation that does not hold, naming all of them."""
        expiry = attempt.fetched.certificate_expires_at if attempt.fetched else None
        facts = Facts(attempt.duration_seconds, expiry, self.context.started_at, step.redirects > 0)
        found = findings(step.expect, page, facts, self.context)
        if found:
            details = "; ".join(finding.detail for finding in found)
            raise StepFailed(found[0].reason, details, found[0].expected)

    def _save(self, step: Step, page: Page) -> None:
        """Keep the values later steps use."""
        if not step.save:
            return
        cookies = self.client.cookies() if any(s.cookie for s in step.save.values()) else ()
        for name, save in step.save.items():
            value = extract(name, save, page, self.context, cookies)
            if save.sensitive:
                self._keep_secret(name, value)
            self.context.values[name] = value

    def _keep_secret(self, name: str, value: str) -> None:
        """Hide a saved value from now on; one that is too short to be hidden is refused."""
        self.context.keep_secret(value)
        if value and value not in self.context.sensitive:
            detail = f"the sensitive value {name} has only {len(value)} characters"
            raise StepFailed(Reason.EXTRACT, detail, f"{name} of at least 8 characters")

    def _not_passed(
        self, step: Step, attempt: Attempt, failed: StepFailed, *, cleanup: bool
    ) -> StepResult:
        """Return the result of a step that did not pass, with its evidence."""
        self._hide_sessions()
        redactor = self.context.redactor()
        exchange = attempt.fetched.last if attempt.fetched else None
        return StepResult(
            step.name,
            failed.reason.outcome,
            failed.reason,
            redactor.text(failed.detail)[:MAX_DETAIL],
            duration_seconds=attempt.duration_seconds,
            hops=attempt.hops,
            soft=step.soft,
            cleanup=cleanup,
            slow=_is_slow(step, attempt),
            evidence=evidence_of(attempt.request, exchange, failed.expectation, redactor),
        )

    def _hide_sessions(self) -> None:
        """Take the values of session cookies out of everything from now on."""
        for cookie in self.client.cookies():
            if len(cookie.value) >= COOKIE_WORTH_HIDING:
                self.context.keep_secret(cookie.value)


def _is_slow(step: Step, attempt: Attempt) -> bool:
    """Whether the step took longer than its slow threshold."""
    return step.slow_seconds is not None and attempt.duration_seconds > step.slow_seconds
