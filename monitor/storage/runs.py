"""Runs as they were, and the verdicts that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, select

from incidents.errors import UnknownObjectError
from incidents.texts import storable
from monitor.storage.schema import runs, verdicts
from monitor.storage.store import Transaction
from monitor.storage.upsert import insert_for
from probes.result import Outcome, ProbeRun, run_from_json, to_json
from probes.verdict import VerdictState, verdict_from_json, verdict_to_json

_c = runs.c


def record_run(tx: Transaction, run: ProbeRun) -> None:
    """Record a finished run with all its steps."""
    row = {
        "run_id": run.id,
        "journey": run.journey,
        "location": run.location,
        "attempt": run.attempt,
        "started_at": run.started_at,
        "duration_seconds": run.duration_seconds,
        "outcome": run.outcome.value,
        "reason": run.reason.value if run.reason else None,
        "failed_step": run.failed_step or None,
        "detail": storable(run.detail),
        "degraded": run.degraded,
        "has_evidence": any(step.evidence is not None for step in run.steps),
        "body": _storable(to_json(run)),
    }
    tx.connection.execute(runs.insert(), row)


def load_run(connection: Connection, run_id: str) -> ProbeRun:
    """Return one run.

    Raises:
        UnknownObjectError: there is none of that id, or it is older than runs are kept.
    """
    body = connection.execute(select(_c.body).where(_c.run_id == run_id)).scalar_one_or_none()
    if body is None:
        raise UnknownObjectError(f"run {run_id}")
    return run_from_json(body)


def last_good_run(
    connection: Connection, journey: str, location: str, before: datetime
) -> ProbeRun | None:
    """Return the latest run that passed and began before an instant, to compare a bad one with."""
    statement = (
        select(_c.body)
        .where(_c.journey == journey, _c.location == location)
        .where(_c.outcome == Outcome.PASSED.value, _c.started_at < before)
        .order_by(_c.started_at.desc())
        .limit(1)
    )
    body = connection.execute(statement).scalar_one_or_none()
    return None if body is None else run_from_json(body)


def save_verdict(tx: Transaction, journey: str, location: str, state: VerdictState) -> None:
    """Record what is now held true of a journey at a location.

    A verdict that no run has led to yet has nothing to record.
    """
    since = state.since or state.last_run_at
    if since is None:
        return
    values = {
        "verdict": state.verdict.value,
        "since": since,
        "bad_runs": state.bad_runs,
        "good_runs": state.good_runs,
        "last_run_at": state.last_run_at,
        "last_success_at": state.last_success_at,
        "body": verdict_to_json(state),
    }
    row = {"journey": journey, "location": location, **values}
    tx.connection.execute(_verdict_upsert(tx.connection.dialect.name), row)


@cache  # built anew for every run it would cost more than the database's own work
def _verdict_upsert(dialect: str) -> Executable:
    """Return the statement that writes a verdict over the one before it."""
    insert = insert_for(dialect, verdicts)
    key = ["journey", "location"]
    changed = {c.name: insert.excluded[c.name] for c in verdicts.c if c.name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=changed)


def load_verdicts(connection: Connection, location: str) -> Mapping[str, VerdictState]:
    """Return the verdicts of one location by journey, as they were recorded last."""
    statement = select(verdicts.c.journey, verdicts.c.body).where(verdicts.c.location == location)
    return {row.journey: verdict_from_json(row.body) for row in connection.execute(statement)}


def without_evidence(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's JSON with what was sent and received left out."""
    steps: Sequence[Mapping[str, Any]] = body.get("steps", ())
    return {**body, "steps": [{**step, "evidence": None} for step in steps]}


def _storable(value: Any) -> Any:
    """Return the data with texts a database can keep: shops answer with any bytes they like."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {name: _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value
