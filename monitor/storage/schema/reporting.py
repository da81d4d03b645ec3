"""What users told us, and the conversation about it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from monitor.storage.schema.columns import at, metadata, reference, row_id, words

reports = Table(
    "reports",
    metadata,
    row_id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("channel", String(32), nullable=False),
    Column("category", Text),
    Column("component", Text),
    Column("journey", Text),
    words("description"),
    words("reporter_name"),
    words("reporter_email"),
    words("order_reference"),
    words("language"),
    Column("status", String(24), nullable=False),
    reference("incidents", required=False, keep=True),
    words("linked_by"),
    words("link_reason"),
    at("created_at", required=True),
    at("updated_at", required=True),
    at("told_resolved_at"),
    Column("works_now", String(8)),
    at("answered_at"),
    at("erased_at"),  # the reporter's words and person are gone since
    Index(None, "incident_id"),
    Index(None, "status", "created_at"),
    Index(None, "component", "created_at"),
    Index(None, "reporter_email"),
)

report_messages = Table(
    "report_messages",
    metadata,
    row_id(),
    reference("reports"),
    at("at", required=True),
    Column("direction", String(8), nullable=False),  # in, out or note
    words("author"),
    words("body"),
    words("channel"),
    Index(None, "report_id", "id"),
)
