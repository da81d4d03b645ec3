"""Incidents, the alerts they hold, and what people write about them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from monitor.storage.schema.columns import (
    at,
    count,
    flag,
    metadata,
    reference,
    row_id,
    words,
)
from monitor.storage.types import BigId, Json

incidents = Table(
    "incidents",
    metadata,
    row_id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("public_id", String(12), nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("open_marker", Integer),
    words("title"),
    Column("status", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("impact", String(16), nullable=False),
    Column("component", Text),
    Column("journey", Text),
    Column("step", Text),
    Column("reason", Text),
    Column("origin", String(16), nullable=False),  # automatic, person or reports
    at("started_at", required=True),  # when the trouble began, as far as anybody knows
    at("opened_at", required=True),
    at("updated_at", required=True),
    at("acknowledged_at"),
    Column("acknowledged_by", Text),
    at("monitoring_at"),
    at("resolved_at"),
    Column("resolved_by", Text),
    count("reopened_count"),
    flag("taken_over"),
    flag("reconstructed"),  # nobody saw it while it lasted: it was rebuilt from what others kept
    Column("taken_over_by", Text),
    at("published_at"),
    words("public_title"),  # what everybody reads; the title may name what only we should know
    words("customer_message"),
    words("runbook_url"),
    Column("previous_id", BigId, ForeignKey("incidents.id", ondelete="SET NULL")),
    Column("merged_into_id", BigId),  # no foreign key: SQLite could add one only by a new table
    words("derived_severity"),  # what automation says while a person overrules it; else empty
    words("derived_impact"),
    words("lead"),  # who leads the work
    words("communications"),  # who speaks to users
    UniqueConstraint("key", "open_marker"),
    Index(None, "open_marker"),
    Index(None, "component", "opened_at"),
    Index(None, "resolved_at"),
    Index(None, "opened_at"),
    Index(None, "previous_id"),
    Index(None, "merged_into_id"),
)

incident_components = Table(
    "incident_components",
    metadata,
    Column("incident_id", BigId, ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("component", String(255), primary_key=True),
    Column("status", String(32), nullable=False),
    Index(None, "component"),
)

alerts = Table(
    "alerts",
    metadata,
    row_id(),
    Column("fingerprint", String(16), nullable=False),
    Column("open_marker", Integer),
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    at("starts_at", required=True),  # the earliest told while open
    at("latest_starts_at", required=True),  # the latest: an older resolution does not end it
    at("ends_at"),  # NULL: fires until told otherwise
    Column("state", String(16), nullable=False),  # firing, lapsed or resolved
    words("source"),
    words("generator_url"),
    Column("told", String(16), nullable=False, default="", server_default=""),  # `Alert.digest`
    at("received_at", required=True),
    at("updated_at", required=True),
    at("lapsed_at"),
    at("resolved_at"),
    reference("incidents", required=False, keep=True),
    words("muted_by"),  # the window, silence or alert that keeps it quiet
    Column("severity", String(16), nullable=False, default="", server_default=""),
    words("joined_because"),  # why it belongs to its incident
    words("placed_by"),  # who put it there; empty: automation
    UniqueConstraint("fingerprint", "open_marker"),
    Index(None, "open_marker", "severity"),
    Index(
        "ix_alerts_muted_by",
        "muted_by",
        sqlite_where=text("muted_by != ''"),
        postgresql_where=text("muted_by != ''"),
    ),
    Index(None, "incident_id"),
    Index(None, "open_marker", "ends_at"),
    Index(None, "resolved_at"),
)

timeline = Table(
    "timeline",
    metadata,
    row_id(),
    reference("incidents"),
    at("at", required=True),
    Column("kind", String(40), nullable=False),
    words("actor"),
    words("text"),
    Column("data", Json),
    Index(None, "incident_id", "id"),
)

placements = Table(  # where people want an alert: the last word about each incident counts
    "placements",
    metadata,
    row_id(),
    Column("fingerprint", String(16), nullable=False),
    reference("incidents"),
    flag("apart"),  # it was taken out of the incident, rather than put there
    words("placed_by"),
    words("why"),
    at("at", required=True),
    Index(None, "incident_id"),
)

incident_links = Table(  # incidents that have to do with each other, told on both pages
    "incident_links",
    metadata,
    row_id(),
    reference("incidents"),
    Column("other_id", BigId, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    words("why"),
    words("linked_by"),
    at("at", required=True),
    UniqueConstraint("incident_id", "other_id"),
    Index(None, "other_id"),
)

incident_tasks = Table(
    "incident_tasks",
    metadata,
    row_id(),
    reference("incidents"),
    Column("number", Integer, nullable=False),  # counted from 1 on each incident
    words("text"),
    words("owner"),
    at("due_at"),
    at("created_at", required=True),
    words("created_by"),
    at("done_at"),
    words("done_by"),
    UniqueConstraint("incident_id", "number"),
)

postmortems = Table(  # every version that was ever saved
    "postmortems",
    metadata,
    row_id(),
    reference("incidents"),
    Column("version", Integer, nullable=False),
    at("at", required=True),
    words("author"),
    words("body"),  # Markdown
    UniqueConstraint("incident_id", "version"),
)

incident_updates = Table(
    "incident_updates",
    metadata,
    row_id(),
    Column("public_id", String(12), nullable=False, unique=True),
    reference("incidents"),
    at("at", required=True),
    Column("status", String(16), nullable=False),
    words("body"),
    words("author"),
    at("published_at"),
    Index(None, "incident_id", "id"),
    Index(None, "published_at"),
)
