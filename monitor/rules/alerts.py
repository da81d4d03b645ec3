"""The life of an alert: inactive → pending → firing → resolved, decided without clock or store.

The rules are Prometheus's, read in its 3.14 source and in `docs/rules.md` put in words. Times are
Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from monitor.rules.model import Labels

RESOLVED_RETENTION_SECONDS = 900.0  # a resolution is told again for so long
RESEND_DELAY_SECONDS = 60.0
VALIDITY_INTERVALS = 4  # an alert is valid for so many intervals if it is not told again


class AlertState(StrEnum):
    """Where one labelled instance of a rule stands."""

    INACTIVE = "inactive"  # resolved; kept only to tell it again
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class Found:
    """One result of an alerting rule, with its labels and annotations filled in."""

    labels: Labels
    annotations: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Active:
    """One alert of a rule, as it stands."""

    labels: Labels
    annotations: Mapping[str, str]
    value: float
    state: AlertState
    active_at: float
    fired_at: float | None = None
    resolved_at: float | None = None
    keep_firing_since: float | None = None
    last_sent_at: float | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is pending or firing."""
        return self.state is not AlertState.INACTIVE


Alerts = Mapping[Labels, Active]


class DuplicateAlertError(Exception):
    """Two results of a rule have the same labels once they are alerts."""


class LimitExceededError(Exception):
    """A rule has more alerts than its group allows."""

    def __init__(self, limit: int, count: int) -> None:
        super().__init__(f"exceeded limit of {limit} with {count} alerts")


def by_labels(results: Iterable[Found]) -> dict[Labels, Found]:
    """Return the results by their labels.

    Raises:
        DuplicateAlertError: two have the same.
    """
    found: dict[Labels, Found] = {}
    for result in results:
        if result.labels in found:
            raise DuplicateAlertError(
                "vector contains metrics with the same labelset after applying alert labels"
            )
        found[result.labels] = result
    return found


def advance(
    alerts: Alerts,
    found: Mapping[Labels, Found],
    now: float,
    *,
    for_seconds: float = 0.0,
    keep_firing_seconds: float = 0.0,
) -> dict[Labels, Active]:
    """Return a rule's alerts as they stand at `now`, when its expression gave `found`.

    Pending turns to firing at exactly `for_seconds`. A pending alert without result is forgotten;
    a firing one goes on for `keep_firing_seconds`, is then resolved, and forgotten later than
    RESOLVED_RETENTION_SECONDS after that. One that comes back after its resolution is new.
    """
    after: dict[Labels, Active] = {}
    for labels, result in found.items():
        before = alerts.get(labels)
        alert = _seen(before, result, now)
        if alert.state is AlertState.PENDING and now - alert.active_at >= for_seconds:
            alert = replace(alert, state=AlertState.FIRING, fired_at=now)
        after[labels] = alert
    for labels, alert in alerts.items():
        if labels not in found:
            left = _missed(alert, now, keep_firing_seconds)
            if left is not None:
                after[labels] = left
    return after


def _seen(before: Active | None, result: Found, now: float) -> Active:
    if before is None or not before.is_live:
        return Active(result.labels, result.annotations, result.value, AlertState.PENDING, now)
    return replace(
        before, annotations=result.annotations, value=result.value, keep_firing_since=None
    )


def _missed(alert: Active, now: float, keep_firing_seconds: float) -> Active | None:
    """Return the alert after an evaluation without it, or None where it is forgotten."""
    if alert.state is AlertState.PENDING:
        return None
    if alert.state is AlertState.INACTIVE:
        resolved_at = alert.resolved_at if alert.resolved_at is not None else now
        return alert if now - resolved_at <= RESOLVED_RETENTION_SECONDS else None
    if keep_firing_seconds > 0:
        since = now if alert.keep_firing_since is None else alert.keep_firing_since
        if now - since < keep_firing_seconds:
            return replace(alert, keep_firing_since=since)
    return replace(alert, state=AlertState.INACTIVE, resolved_at=now)


def within_limit(alerts: Alerts, limit: int) -> None:
    """Do nothing if the rule may have so many alerts; 0 allows any number.

    Raises:
        LimitExceededError: it may not.
    """
    count = sum(alert.is_live for alert in alerts.values())
    if limit and count > limit:
        raise LimitExceededError(limit, count)


def needs_sending(alert: Active, now: float, resend_seconds: float) -> bool:
    """Return whether an alert is to be told: newly firing or resolved, or not told for a while."""
    if alert.state is AlertState.PENDING:
        return False
    if alert.last_sent_at is None:
        return True
    if alert.resolved_at is not None and alert.resolved_at > alert.last_sent_at:
        return True
    return alert.last_sent_at + resend_seconds < now


def ends_at(alert: Active, now: float, interval_seconds: float, resend_seconds: float) -> float:
    """Return when a told alert ends: its resolution, or when it lapses if not told again."""
    if alert.resolved_at is not None:
        return alert.resolved_at
    return now + VALIDITY_INTERVALS * max(interval_seconds, resend_seconds)
