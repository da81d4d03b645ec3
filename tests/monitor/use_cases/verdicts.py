"""What journeys last saw, recorded as the pipeline records it."""

from __future__ import annotations

from datetime import datetime

from monitor.storage.runs import save_verdict
from monitor.storage.store import Transaction
from probes.verdict import Verdict, VerdictState


def seen(tx: Transaction, journey: str, verdict: str, at: datetime) -> None:
    """Record that a journey ran at `at` with this verdict."""
    good = at if verdict == "up" else None
    state = VerdictState(Verdict(verdict), since=at, last_run_at=at, last_success_at=good)
    save_verdict(tx, journey, "local", state)
    tx.touch("runs")
