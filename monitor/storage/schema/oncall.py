"""Who is called and when: escalations, overrides, and the outbox they write to."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from monitor.storage.schema.columns import at, count, metadata, reference, row_id, words
from monitor.storage.types import BigId, Json

# What partial indexes of the outbox hold; a statement says it word for word to have one used.
WAITS = "state IN ('queued', 'sending')"
QUEUED_UPDATE = "state = 'queued' AND event = 'incident_update'"

escalations = Table(  # where the escalation of an incident stands, with the policy it opened with
    "escalations",
    metadata,
    Column("incident_id", BigId, ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("policy", Json, nullable=False),
    Column("state", String(16), nullable=False),  # running, acknowledged, exhausted or ended
    count("position"),
    count("sequence"),
    at("anchor_at", required=True),
    at("due_at"),  # when something follows; NULL: nothing does
    words("held_by"),
    Index(None, "state", "due_at"),
)

escalation_steps = Table(  # every step taken: who was told, who was not and why
    "escalation_steps",
    metadata,
    row_id(),
    reference("incidents"),
    Column("sequence", Integer, nullable=False),
    at("at", required=True),
    Column("position", Integer),  # NULL: beside the policy's steps, to one person
    Column("why", String(40), nullable=False),
    words("by"),
    words("words"),  # such as: step 2 of 3
    Column("told", Json, nullable=False),
    Column("missed", Json, nullable=False),
    Column("message_keys", Json, nullable=False),  # of the outbox's rows
    UniqueConstraint("incident_id", "sequence"),
)

oncall_overrides = Table(  # who takes a period of a schedule, whoever's turn it would be
    "oncall_overrides",
    metadata,
    row_id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("schedule", String(63), nullable=False),
    Column("person", String(120), nullable=False),
    at("starts_at", required=True),
    at("ends_at", required=True),
    words("reason"),
    words("created_by"),
    at("created_at", required=True),
    at("cancelled_at"),
    words("cancelled_by"),
    Index(None, "schedule", "ends_at"),
)

calendar_links = Table(  # the secret address of a person's own shifts; one an account
    "calendar_links",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    at("created_at", required=True),
    at("read_at"),
)

outbox = Table(
    "outbox",
    metadata,
    row_id(),
    Column("key", String(255), nullable=False, unique=True),  # the notification's stable id
    Column("event", String(40), nullable=False),
    reference("incidents", required=False),
    Column("maintenance_id", BigId, ForeignKey("maintenance.id", ondelete="CASCADE")),
    reference("reports", required=False),
    Column("channel", String(120), nullable=False),
    words("recipient"),
    words("severity"),
    words("subject"),
    words("body"),
    Column("payload", Json, nullable=False),
    at("created_at", required=True),
    at("due_at", required=True),
    count("priority"),  # lower goes first
    Column("state", String(16), nullable=False),  # queued, sending, sent, failed, dropped, folded
    count("attempts"),
    at("leased_until"),
    Column("leased_by", String(120)),
    words("last_error"),
    words("reason"),  # why it ended unsent: `monitor.notify.recheck.Unsent`
    words("held"),  # why it waits, or waited: `incidents.pacing.Held`; else empty
    Column("folded_into", BigId),  # the row that told of it among others
    words("reference"),  # the receiver's own id of it
    at("finished_at"),
    Index(None, "state", "due_at"),
    Index(None, "incident_id", "channel", "recipient"),
    Index(None, "report_id"),
    Index(None, "maintenance_id"),
    Index(None, "finished_at"),
    Index(None, "folded_into"),
    Index(None, "channel", "state", "finished_at"),
    Index(  # a claim walks along it, most urgent first, and stops at the first row it may have
        "ix_outbox_waiting",
        "channel",
        "priority",
        "id",
        sqlite_where=text(WAITS),
        postgresql_where=text(WAITS),
    ),
    Index(
        "ix_outbox_queued_updates",
        "channel",
        "event",
        "state",
        sqlite_where=text(QUEUED_UPDATE),
        postgresql_where=text(QUEUED_UPDATE),
    ),
)

paces = Table(  # when a channel with a limit has room again
    "paces",
    metadata,
    Column("channel", String(120), primary_key=True),
    at("free_at", required=True),
)

channel_outages = Table(  # channels over which nothing has arrived since: `incidents.outage`
    "channel_outages",
    metadata,
    Column("channel", String(120), primary_key=True),
    at("since", required=True),
    at("failed_at", required=True),
    at("probe_at", required=True),
    count("failures"),
)
