"""The service's own bookkeeping: facts, numbers, leases, answers given, the audit trail."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from monitor.storage.schema.columns import at, count, metadata, row_id, words
from monitor.storage.types import BigId, Json

facts = Table(
    "facts",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Json),
    at("updated_at", required=True),
)

counters = Table(  # the last number given out: incident, maintenance, report
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    count("value"),
)

leases = Table(  # a background duty that one process at a time may hold
    "leases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("holder", String(120), nullable=False),
    at("until", required=True),
)

idempotency = Table(  # what a request with this key was answered
    "idempotency",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("request", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Json),
    at("at", required=True),
    Index(None, "at"),
)

audit = Table(  # added to and sealed, never changed: triggers of migration 0003 see to it
    "audit",
    metadata,
    row_id(),
    at("at", required=True),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),  # noun.verb
    words("target"),
    Column("detail", Text, nullable=False),  # canonical JSON: these very characters are hashed
    Column("position", BigId, unique=True),  # in the chain, from 1; NULL until sealed
    Column("previous_hash", String(64)),
    Column("hash", String(64)),
    Index(None, "actor", "id"),
    Index(None, "action", "id"),
    Index(None, "target", "id"),
    Index(None, "at"),
)

audit_anchors = Table(  # where the kept chain begins (`start`) and ends (`head`)
    "audit_anchors",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("position", BigId, nullable=False),
    Column("hash", String(64), nullable=False),
    at("at", required=True),
)
