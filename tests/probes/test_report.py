"""Tests of a run as a table."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from probes.report import render_table
from probes.result import Evidence, Hop, Outcome, Phases, ProbeRun, Reason, StepResult

PHASES = Phases(0.001, 0.002, 0.003, 0.004)
HOPS = (
    Hop(
        "POST",
        "https://shop.example/login",
        302,
        "192.0.2.1",
        Phases(0.001, 0.002, 0.003, 0.004),
        0.01,
    ),
    Hop("GET", "https://shop.example/account", 500, "192.0.2.1", Phases(first_byte=0.2), 0.2),
)
EVIDENCE = Evidence(
    "POST /login", (), 500, (("Server", "x"),), "Oops [bold]\n" * 20, "/account", ""
)
RUN = ProbeRun(
    id="1",
    journey="login",
    location="local",
    attempt=2,
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    duration_seconds=0.31,
    outcome=Outcome.FAILED,
    reason=Reason.STATUS,
    failed_step="Log in",
    detail="expected status 200; found status 500",
    steps=(
        StepResult(
            "Log in", Outcome.FAILED, Reason.STATUS, "", 0.21, HOPS, slow=True, evidence=EVIDENCE
        ),
        StepResult("Log out", Outcome.SKIPPED),
    ),
    certificate_expires_at=datetime(2026, 2, 1, tzinfo=UTC),
    cleanup_failed=True,
)


def printed(run: ProbeRun) -> str:
    """Return the table as a terminal shows it."""
    out = io.StringIO()
    Console(file=out, width=140).print(render_table(run))
    return out.getvalue()


def test_the_table_tells_steps_phases_verdict_and_why() -> None:
    """Everything a person needs at three in the morning is on one screen."""
    text = printed(RUN)
    for part in (
        "login from local, attempt 2", "failed: status", "Log in (slow)", "skipped", "302", "4.0",
        "→ https://shop.example/account", "200.0", "at 'Log in', reason status: expected",
        "2026-02-01", "cleanup did not pass", "Oops [bold]", "8 more lines",
    ):  # fmt: skip
        assert part in text, part


def test_outcome_is_told_by_word_and_sign() -> None:
    """Colour is never the only thing that tells."""
    assert "✗ failed" in printed(RUN)
