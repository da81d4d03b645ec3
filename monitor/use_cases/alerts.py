"""Alerts come in, time passes: incidents open, join, reopen and resolve.

Doors and the built-in evaluator deliver by way of `monitor.use_cases.entrance`, which calls
`receive_batches`; the scheduler calls `sweep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import IntegrityError, OperationalError

from incidents.alerts.model import Alert, identify
from incidents.lifecycle import Status
from monitor.config.model import Configuration
from monitor.storage import alerts as alert_rows
from monitor.storage import incidents as incident_rows
from monitor.storage.incidents import Incident
from monitor.storage.numbers import lock_incidents
from monitor.storage.store import Store, Transaction
from monitor.storage.tasks import open_task_counts
from monitor.use_cases import silences
from monitor.use_cases.holding import held_by
from monitor.use_cases.intake import Intake
from monitor.use_cases.muting import Mute
from monitor.use_cases.placing import Counted
from monitor.use_cases.policy import AlertPolicy, alert_policy

STANDARD = alert_policy()
TRIES = 5  # transactions of two replicas may collide; each loser starts again

_Result = TypeVar("_Result")


@dataclass(slots=True)
class Batch:
    """Deliveries of one source, applied as of one moment."""

    source: str
    now: datetime
    alerts: list[Alert]


def receive_batches(
    store: Store,
    batches: Sequence[Batch],
    configuration: Configuration,
    policy: AlertPolicy = STANDARD,
) -> list[Counted]:
    """Record batches one after the other in one transaction, and return what each did.

    Deliveries of one identity are applied in their order; late and doubled ones change nothing.

    Raises:
        OperationalError: the database is unwell; nothing is recorded.
    """

    def transact() -> list[Counted]:
        with store.begin() as tx:
            return [_receive(tx, batch, configuration, policy) for batch in batches]

    return _until_alone(transact)


def _receive(
    tx: Transaction, batch: Batch, configuration: Configuration, policy: AlertPolicy
) -> Counted:
    identify(batch.alerts)
    intake = Intake(tx, configuration, policy, batch.now, batch.source)
    for part in in_rounds(batch.alerts):
        intake.take(part)
    return intake.finish()


def sweep(
    store: Store, configuration: Configuration, now: datetime, policy: AlertPolicy = STANDARD
) -> Counted:
    """Let time pass: alerts lapse, silence ends, windows end, held recoveries become final."""
    with store.read() as connection:
        if not _is_anything_due(connection, now, policy):
            return Counted()

    def transact() -> Counted:
        with store.begin() as tx:
            intake = Intake(tx, configuration, policy, now, "sweep")
            intake.lapse(alert_rows.lapsing(tx.connection, now, lock=True))
            silent_since = now - policy.lapse_hold
            intake.close_silent(alert_rows.silent_since(tx.connection, silent_since, lock=True))
            silences.apply(tx, intake)
            freed = policy.lifted(tx.connection, now, alert_rows.mute_names(tx.connection))
            muted = alert_rows.muted(tx.connection, freed, lock=True)
            intake.reconsider(muted)
            lock_incidents(tx)
            for incident in _recovered(tx.connection, now, policy):
                intake.placing.resolve(incident)
            return intake.finish()

    return _until_alone(transact)


def in_rounds(alerts: Iterable[Alert]) -> list[list[Alert]]:
    """Return the alerts in parts that name each identity once, deliveries in their order."""
    rounds: list[list[Alert]] = []
    seen: dict[str, int] = {}
    for alert in alerts:
        turn = seen.get(alert.fingerprint, 0)
        seen[alert.fingerprint] = turn + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(alert)
    return rounds


def _is_anything_due(connection: Connection, now: datetime, policy: AlertPolicy) -> bool:
    freed = policy.lifted(connection, now, alert_rows.mute_names(connection))
    mute: Mute = policy.muting(connection, now) if freed else lambda _: ""
    return bool(
        any(_is_free(row, mute) for row in alert_rows.muted(connection, freed))
        or silences.is_due(connection, now)
        or alert_rows.lapsing(connection, now)
        or alert_rows.silent_since(connection, now - policy.lapse_hold)
        or _recovered(connection, now, policy)
    )


def _is_free(row: RowMapping, mute: Mute) -> bool:
    return mute(row["labels"]) != str(row["muted_by"])


def _recovered(connection: Connection, now: datetime, policy: AlertPolicy) -> list[Incident]:
    """Return the incidents whose recovery has been watched for long enough."""
    watched = [i for i in incident_rows.open_incidents(connection) if _is_watched(i, now, policy)]
    tasks = open_task_counts(connection, (incident.id for incident in watched))
    waiting = [i for i in watched if not held_by(connection, i, tasks.get(i.id, 0))]
    firing = {
        row["incident_id"]
        for row in alert_rows.open_alerts_of(connection, (incident.id for incident in waiting))
    }
    return [incident for incident in waiting if incident.id not in firing]


def _is_watched(incident: Incident, now: datetime, policy: AlertPolicy) -> bool:
    return (
        incident.status is Status.MONITORING
        and incident.monitoring_at is not None
        and incident.monitoring_at + policy.recovery_hold <= now
    )


def _until_alone(transact: Callable[[], _Result]) -> _Result:
    """Return what a transaction gives that no other collided with.

    Raises:
        IntegrityError, OperationalError: it collided every time, or the database is unwell.
    """
    for _ in range(TRIES - 1):
        try:
            return transact()
        except IntegrityError:
            continue  # another replica opened the same identity first: read what it wrote
        except OperationalError as error:
            if not _is_collision(error):
                raise
    return transact()


def _is_collision(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}  # PostgreSQL, appendix A
