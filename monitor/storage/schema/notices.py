"""What is announced ahead and told to everybody: silences, maintenance, component states."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from monitor.storage.schema.columns import at, count, metadata, row_id, words
from monitor.storage.types import BigId, Json

silences = Table(
    "silences",
    metadata,
    row_id(),
    Column("silence_id", String(36), nullable=False, unique=True),
    Column("matchers", Json, nullable=False),
    at("starts_at", required=True),  # of the first occurrence
    at("ends_at", required=True),  # of the last
    words("created_by"),
    words("comment"),
    at("created_at", required=True),
    at("updated_at", required=True),
    Column("recurrence", Json),
    Column("periods", Json, nullable=False),  # its occurrences, as pairs of instants
    at("applied_until"),
    at("reminded_until"),
    words("expired_by"),
    Index(None, "ends_at"),
)

maintenance = Table(
    "maintenance",
    metadata,
    row_id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("public_id", String(12), nullable=False, unique=True),
    words("title"),
    words("description"),
    at("starts_at", required=True),
    at("ends_at", required=True),
    Column("time_zone", String(64), nullable=False, default="UTC", server_default="UTC"),
    words("created_by"),
    at("created_at", required=True),
    at("updated_at", required=True),
    at("cancelled_at"),
    at("verified_at"),
    count("sequence"),
    at("announced_at"),
    at("overrun_told_at"),
    Index(None, "ends_at"),
)

maintenance_scope = Table(
    "maintenance_scope",
    metadata,
    Column(
        "maintenance_id", BigId, ForeignKey("maintenance.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("component", String(255), primary_key=True),
    Column("effect", String(32), nullable=False),  # expected_down or expected_degraded
)

component_states = Table(
    "component_states",
    metadata,
    row_id(),
    Column("component", String(255), nullable=False),
    Column("status", String(32), nullable=False),
    at("since", required=True),
    at("until"),
    words("cause"),
    Index(None, "component", "since"),
)
