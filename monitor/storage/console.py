"""What the console's pages read: rows shaped for lists, never whole histories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from incidents.pacing import Held
from incidents.told import WHY
from monitor.storage.schema import incident_updates, incidents, outbox, reports, runs, verdicts
from monitor.storage.store import Transaction
from probes.verdict import VerdictState, verdict_from_json

GOOD = "pass"


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run without its steps."""

    run_id: str
    journey: str
    location: str
    attempt: int
    started_at: datetime
    duration_seconds: float
    outcome: str
    reason: str | None
    failed_step: str | None
    detail: str
    degraded: bool

    @property
    def is_good(self) -> bool:
        """Return whether the run passed."""
        return self.outcome == GOOD


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How the runs of a time ended; a confirmation counts as a run of its own."""

    good: int = 0
    bad: int = 0
    errored: int = 0
    blips: int = 0  # failures that the run made at once to confirm them did not confirm

    @property
    def success_ratio(self) -> float | None:
        """Return the share of conclusive runs that passed, from 0 to 1; None without any.

        A run that the prober itself spoilt says nothing about the shop and counts for neither.
        """
        return self.good / (self.good + self.bad) if self.good + self.bad else None


_RUN = [runs.c[name] for name in RunRow.__dataclass_fields__]


def _run_rows(connection: Connection, statement: Select[Any]) -> list[RunRow]:
    return [RunRow(*row) for row in connection.execute(statement)]


def recent_run_rows(
    connection: Connection, journey: str, limit: int, before: datetime | None = None
) -> list[RunRow]:
    """Return the latest runs of a journey that began before `before`, newest first."""
    statement = select(*_RUN).where(runs.c.journey == journey)
    if before is not None:
        statement = statement.where(runs.c.started_at < before)
    order = (runs.c.started_at.desc(), runs.c.id.desc())
    return _run_rows(connection, statement.order_by(*order).limit(limit))


def run_counts(connection: Connection, since: datetime) -> Mapping[str, RunCounts]:
    """Return by journey how its runs since an instant ended; journeys without runs count 0."""
    statement = (
        select(runs.c.journey, runs.c.outcome, runs.c.attempt, func.count())
        .where(runs.c.started_at >= since)
        .group_by(runs.c.journey, runs.c.outcome, runs.c.attempt)
    )
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    names = {GOOD: "good", "fail": "bad", "error": "errored"}
    for journey, outcome, attempt, count in connection.execute(statement):
        if outcome in names:
            found[journey][names[outcome]] += count
        if outcome == GOOD and attempt > 1:
            found[journey]["blips"] += count
    counts = {journey: RunCounts(**values) for journey, values in found.items()}
    return defaultdict(RunCounts, counts)


def verdict_states(connection: Connection) -> Mapping[str, Mapping[str, VerdictState]]:
    """Return by journey and location what was believed when its last run ended."""
    c = verdicts.c
    statement = select(c.journey, c.location, c.body).order_by(c.journey, c.location)
    found: dict[str, dict[str, VerdictState]] = defaultdict(dict)
    for journey, location, body in connection.execute(statement):
        found[journey][location] = verdict_from_json(body)
    return found


def report_counts(connection: Connection, incident_ids: Sequence[int]) -> Mapping[int, int]:
    """Return how many reports hang on each of the incidents."""
    statement = (
        select(reports.c.incident_id, func.count())
        .where(reports.c.incident_id.in_(incident_ids))
        .group_by(reports.c.incident_id)
    )
    return defaultdict(int, connection.execute(statement).all())


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """A notification, with the number of the incident it is about."""

    id: int
    key: str
    event: str
    channel: str
    recipient: str
    subject: str
    state: str
    attempts: int
    last_error: str
    reason: str
    held: str
    created_at: datetime
    due_at: datetime
    finished_at: datetime | None
    incident_number: int | None

    @property
    def why(self) -> str:
        """Return why it waits, or why it was not sent, as people read it."""
        if self.state == "queued" and self.held in set(Held) and not self.attempts:
            return Held(self.held).words.capitalize()
        if self.state == "folded":
            return "Told in one message with others"
        return WHY.get(self.reason, "").capitalize()


def notification_rows(
    connection: Connection, *, state: str | None, limit: int, before_id: int | None = None
) -> list[NotificationRow]:
    """Return the newest notifications, newest first."""
    own = [outbox.c[name] for name in list(NotificationRow.__dataclass_fields__)[:-1]]
    number = incidents.c.number.label("incident_number")
    statement: Select[Any] = select(*own, number).select_from(
        outbox.outerjoin(incidents, outbox.c.incident_id == incidents.c.id)
    )
    if state is not None:
        statement = statement.where(outbox.c.state == state)
    if before_id is not None:
        statement = statement.where(outbox.c.id < before_id)
    rows = connection.execute(statement.order_by(outbox.c.id.desc()).limit(limit)).mappings()
    return [NotificationRow(**row) for row in rows]


def notification_counts(connection: Connection) -> Mapping[str, int]:
    """Return how many notifications are in each state."""
    statement = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return dict(connection.execute(statement).all())


def retry_notification(tx: Transaction, row_id: int, now: datetime) -> Row[Any] | None:
    """Queue a failed notification again under its own key; return it, or None if it is not failed.

    The condition is part of the change, so that two people retrying at once send it once.
    """
    changed = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == row_id, outbox.c.state == "failed")
        .values(state="queued", due_at=now, attempts=0, finished_at=None)
        .returning(outbox)
    ).one_or_none()
    if changed is not None:
        tx.touch("outbox")
    return changed


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A user report as it stands in lists."""

    number: int
    description: str
    component: str | None
    status: str
    created_at: datetime
    incident_id: int | None
    works_now: str | None


def report_lines(
    connection: Connection, *, limit: int, incident_id: int | None = None
) -> list[ReportLine]:
    """Return the newest reports, of one incident where it is given, newest first."""
    columns = [reports.c[name] for name in ReportLine.__dataclass_fields__]
    statement = select(*columns).order_by(reports.c.number.desc()).limit(limit)
    if incident_id is not None:
        statement = statement.where(reports.c.incident_id == incident_id)
    return [ReportLine(*row) for row in connection.execute(statement)]


def first_bad_run(connection: Connection, journey: str, since: datetime) -> RunRow | None:
    """Return the first run of a journey that did not pass at or after an instant."""
    statement = select(*_RUN).where(runs.c.journey == journey, runs.c.started_at >= since)
    bad = statement.where(runs.c.outcome != GOOD).order_by(runs.c.started_at).limit(1)
    return next(iter(_run_rows(connection, bad)), None)


def failing_runs(
    connection: Connection, journeys: Collection[str], start: datetime, end: datetime, limit: int
) -> list[RunRow]:
    """Return the latest runs of these journeys that did not pass, from `start` to `end`."""
    c = runs.c
    statement = (
        select(*_RUN)
        .where(c.journey.in_(sorted(journeys)), c.started_at >= start, c.started_at <= end)
        .where(c.outcome != GOOD)
    )
    order = (c.started_at.desc(), c.id.desc())
    return _run_rows(connection, statement.order_by(*order).limit(limit))


def published_words(connection: Connection, incident_ids: Sequence[int]) -> Mapping[int, str]:
    """Return the latest published words to customers of each incident that has any."""
    c = incident_updates.c
    statement = (
        select(c.incident_id, c.body)
        .where(c.incident_id.in_(incident_ids), c.published_at.is_not(None), c.body != "")
        .order_by(c.id)
    )
    return dict(connection.execute(statement).all())
