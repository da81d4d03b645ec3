"""What a Prometheus or an Alertmanager knows now, and what a Prometheus kept of the past.

A Prometheus leaves its external labels out of `/api/v1/alerts` and of `ALERTS`, but sends them to
us (measured with 2.42.0, 2026-11-22): they are added here from its own configuration, or an
identity would not be found again. Where it relabels alerts before it sends them, what it knows
cannot be told apart from what we have: then nothing is closed and nothing is rebuilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from incidents.alerts.history import Episode, spans
from incidents.alerts.model import Alert, fingerprint
from monitor.fetching import Unanswered
from monitor.reconcile.asking import Asker
from monitor.reconcile.wire import (
    ActiveAlert,
    KnownAlert,
    Range,
    Rule,
    Rules,
    Runtime,
    Status,
    configured,
    data_of,
    read,
)

RESEND = timedelta(minutes=1)  # Prometheus's `--rules.alert.resend-delay`
MOST_POINTS = 10_000  # of a range; Prometheus refuses above 11,000
SHORTEST_STEP = timedelta(seconds=1)
SETTLED_EVALUATIONS = 3  # after its start: before, rules may not have seen their series again
_LEFT_OUT = frozenset({"__name__", "alertstate"})


@dataclass(frozen=True, slots=True)
class Known:
    """What a server knows now.

    `firing` fire; of `alive` it may not be said that they are over (pending ones too, and every
    alert of a rule in `unsure`). `may_close` tells whether what is absent is over.
    """

    firing: tuple[Alert, ...]
    alive: frozenset[str]
    unsure: frozenset[str] = frozenset()
    may_close: bool = True
    external: Mapping[str, str] = field(default_factory=dict)


def ask_prometheus(asker: Asker, now: datetime) -> Known:
    """Return what a Prometheus knows now.

    Raises:
        Unanswered: it gave no answer that can be used.
    """
    told = asker.get("/api/v1/status/config")
    said = configured(told.get("data") if isinstance(told, dict) else None)
    external = said.global_.external_labels
    started = data_of(Runtime, asker.get("/api/v1/status/runtimeinfo")).started_at
    firing: list[Alert] = []
    alive: set[str] = set()
    unsure: set[str] = set()
    for group in data_of(Rules, asker.get("/api/v1/rules", type="alert")).groups:
        interval = timedelta(seconds=group.interval)
        for rule in group.rules:
            settled = started and started + SETTLED_EVALUATIONS * interval
            evaluated, healthy = rule.evaluated_at, rule.health == "ok"
            if evaluated is None or settled is None or evaluated < settled or not healthy:
                unsure.add(rule.name)
            for item in rule.alerts:
                alert = _alert(item, rule, external, now + 4 * max(interval, RESEND))
                alive.add(alert.fingerprint)
                if item.state == "firing":
                    firing.append(alert)
    if said.alerting.alert_relabel_configs:
        return Known((), frozenset(), may_close=False, external=external)
    return Known(tuple(firing), frozenset(alive), frozenset(unsure), external=external)


def ask_alertmanager(asker: Asker, now: datetime) -> Known:
    """Return what an Alertmanager knows now; one that has just started knows too little.

    Raises:
        Unanswered: it gave no answer that can be used.
    """
    started = read(Status, asker.get("/api/v2/status")).started_at
    chosen = {"receiver": asker.server.receiver} if asker.server.receiver else {}
    listed = asker.get("/api/v2/alerts", **chosen)
    if not isinstance(listed, list):
        raise Unanswered("/api/v2/alerts answered no list")
    firing, alive = [], set()
    for item in (read(KnownAlert, one) for one in listed):
        alert = Alert(
            item.labels,
            item.annotations,
            starts_at=min(item.starts_at or now, now),
            generator_url=item.generator_url,
        )
        alive.add(alert.fingerprint)
        if item.status.state == "active":  # of others it tells nobody
            firing.append(alert)
    settle = timedelta(seconds=asker.server.settle)
    may_close = started is not None and now - started >= settle
    return Known(tuple(firing), frozenset(alive), may_close=may_close)


def ask_history(
    asker: Asker, external: Mapping[str, str], since: datetime, now: datetime, bridge: timedelta
) -> tuple[list[Episode], timedelta]:
    """Return every episode of firing between two instants, and how exactly its ends are known.

    Raises:
        Unanswered: it gave no answer that can be used.
    """
    step = max(SHORTEST_STEP, timedelta(seconds=round((now - since).total_seconds() / MOST_POINTS)))
    answer = asker.get(
        "/api/v1/query_range",
        query='ALERTS{alertstate="firing"}',
        start=f"{since.timestamp():.3f}",
        end=f"{now.timestamp():.3f}",
        step=f"{step.total_seconds():g}",
    )
    found: list[Episode] = []
    for series in data_of(Range, answer).result:
        labels = _labels(series.metric, external)
        identity = fingerprint(labels)
        points = [datetime.fromtimestamp(at, UTC) for at, _ in series.values]
        found += [Episode(labels, identity, *span) for span in spans(points, max(bridge, step * 2))]
    return found, step


def _alert(item: ActiveAlert, rule: Rule, external: Mapping[str, str], ends: datetime) -> Alert:
    """Return an active alert as it would be sent: it starts when it began to fire."""
    return Alert(
        _labels(item.labels, external),
        item.annotations,
        starts_at=(item.active_at or ends) + timedelta(seconds=rule.duration),
        ends_at=ends,
    )


def _labels(given: Mapping[str, str], external: Mapping[str, str]) -> dict[str, str]:
    labels = {**external, **given}
    return {name: text for name, text in labels.items() if text and name not in _LEFT_OUT}
