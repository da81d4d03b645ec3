"""Valid objects for tests; a test overrides only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from probes.journey import Journey
from probes.result import Hop, Outcome, Phases, ProbeRun, Reason, StepResult

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def journey(name: str = "checkout", **changes: Any) -> Journey:
    """Return a journey of one step that checks a status."""
    facts: dict[str, Any] = {
        "name": name,
        "component": name,
        "interval": "10s",
        "deadline": "10s",
        "steps": [{"name": "open", "get": "http://shop.test/", "expect": {"status": 200}}],
    }
    return Journey.model_validate({**facts, **changes})


def run(outcome: Outcome = Outcome.PASSED, **changes: Any) -> ProbeRun:
    """Return a run of the journey above; a failing one failed at `open` with a bad status."""
    bad = outcome is not Outcome.PASSED
    reason = {Outcome.FAILED: Reason.STATUS, Outcome.ERRORED: Reason.INTERNAL}.get(outcome)
    hop = Hop("GET", "http://shop.test/", 500 if bad else 200, "127.0.0.1:80", Phases(), 0.1)
    facts: dict[str, Any] = {
        "id": "r1",
        "journey": "checkout",
        "location": "local",
        "attempt": 1,
        "started_at": NOW,
        "duration_seconds": 0.1,
        "outcome": outcome,
        "reason": reason,
        "failed_step": "open" if bad else "",
        "steps": (StepResult("open", outcome, reason, duration_seconds=0.1, hops=(hop,)),),
    }
    return ProbeRun(**{**facts, **changes})
