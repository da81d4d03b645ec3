"""Every table of the service, in one place; portable between SQLite and PostgreSQL.

A row of `alerts` or `incidents` holds an *open slot* while its `open_marker` is 1: the unique
constraint over identity and marker lets one open row exist per identity, and any number of closed
ones, whose marker is NULL. Words kept in columns are the closed sets of `incidents` and `probes`.
Each module here holds the tables of one area; everybody else imports them from the package.
"""

from __future__ import annotations

from monitor.storage.schema.accounts import (
    api_tokens,
    identities,
    proofs,
    recovery_codes,
    second_factors,
    sessions,
    users,
)
from monitor.storage.schema.alerting import (
    alerts,
    incident_components,
    incident_links,
    incident_tasks,
    incident_updates,
    incidents,
    placements,
    postmortems,
    timeline,
)
from monitor.storage.schema.columns import metadata
from monitor.storage.schema.keeping import (
    audit,
    audit_anchors,
    counters,
    facts,
    idempotency,
    leases,
)
from monitor.storage.schema.notices import (
    component_states,
    maintenance,
    maintenance_scope,
    silences,
)
from monitor.storage.schema.oncall import (
    calendar_links,
    channel_outages,
    escalation_steps,
    escalations,
    oncall_overrides,
    outbox,
    paces,
)
from monitor.storage.schema.probing import rule_alerts, runs, verdicts
from monitor.storage.schema.reporting import report_messages, reports

__all__ = [
    "alerts",
    "api_tokens",
    "audit",
    "audit_anchors",
    "calendar_links",
    "channel_outages",
    "component_states",
    "counters",
    "escalation_steps",
    "escalations",
    "facts",
    "idempotency",
    "identities",
    "incident_components",
    "incident_links",
    "incident_tasks",
    "incident_updates",
    "incidents",
    "leases",
    "maintenance",
    "maintenance_scope",
    "metadata",
    "oncall_overrides",
    "outbox",
    "paces",
    "placements",
    "postmortems",
    "proofs",
    "recovery_codes",
    "report_messages",
    "reports",
    "rule_alerts",
    "runs",
    "second_factors",
    "sessions",
    "silences",
    "timeline",
    "users",
    "verdicts",
]
