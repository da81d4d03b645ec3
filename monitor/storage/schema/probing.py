"""What probes found, and what the built-in rules made of it."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from monitor.storage.schema.columns import at, count, flag, metadata, row_id, words
from monitor.storage.types import Json

runs = Table(
    "runs",
    metadata,
    row_id(),
    Column("run_id", String(64), nullable=False, unique=True),
    Column("journey", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    at("started_at", required=True),
    Column("duration_seconds", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(64)),
    Column("failed_step", Text),
    words("detail"),
    flag("degraded"),
    flag("has_evidence"),  # kept for a shorter time than the run
    Column("body", Json, nullable=False),
    Index(None, "journey", "started_at"),
    Index(None, "started_at"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("journey", String(255), primary_key=True),
    Column("location", String(255), primary_key=True),
    Column("verdict", String(16), nullable=False),
    at("since", required=True),
    count("bad_runs"),
    count("good_runs"),
    at("last_run_at"),
    at("last_success_at"),
    Column("body", Json, nullable=False),  # the whole state, as probes.verdict writes it
)

rule_alerts = Table(
    "rule_alerts",
    metadata,
    Column("rule_key", String(255), primary_key=True),
    Column("labels_key", String(255), primary_key=True),
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    Column("state", String(16), nullable=False),
    at("active_at"),
    at("fired_at"),
    at("resolved_at"),
    at("keep_firing_since"),
    at("last_sent_at"),
    Column("value", Float),
)
