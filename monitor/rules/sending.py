"""Alerts in the shape in which they are told: as an Alertmanager would be told by Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from incidents.alerts.model import Alert
from monitor.rules.alerts import Active
from monitor.rules.model import AlertingRule
from monitor.rules.templates.functions import expression_link


def outgoing(
    alert: Active,
    rule: AlertingRule,
    *,
    ends_at: float,
    external_labels: Mapping[str, str],
    external_url: str,
) -> Alert:
    """Return the alert as told: external labels added where it has none of that name.

    It starts when it began to fire, not when it became pending.
    """
    labels = {**external_labels, **dict(alert.labels)}
    began = alert.active_at if alert.fired_at is None else alert.fired_at
    return Alert(
        labels={name: text for name, text in labels.items() if text},
        annotations=dict(alert.annotations),
        starts_at=datetime.fromtimestamp(began, UTC),
        ends_at=datetime.fromtimestamp(ends_at, UTC),
        generator_url=external_url + expression_link(rule.expression, tab=1),
    )
