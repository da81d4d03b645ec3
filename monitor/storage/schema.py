"""Every table of the service, in one place; portable between SQLite and PostgreSQL.

A row of `alerts` or `incidents` holds an *open slot* while its `open_marker` is 1: the unique
constraint over identity and marker lets one open row exist per identity, and any number of closed
ones, whose marker is NULL. Words kept in columns are the closed sets of `incidents` and `probes`.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from monitor.storage.types import BigId, Json, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigId, primary_key=True, autoincrement=True)


def _at(name: str, *, required: bool = False) -> Column[UtcDateTime]:
    return Column(name, UtcDateTime(), nullable=not required)


def _text(name: str, default: str | None = None) -> Column[str]:
    """A text that is always there: empty rather than NULL, unless a default is given."""
    return Column(name, Text, nullable=False, default=default or "", server_default=default or "")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, default=False, server_default=false())


def _of(table: str, *, required: bool = True, keep: bool = False) -> Column[int]:
    """A reference; the row goes with what it refers to, or is kept without it."""
    target = ForeignKey(f"{table}.id", ondelete="SET NULL" if keep else "CASCADE")
    name = {"incidents": "incident_id", "reports": "report_id", "users": "user_id"}.get(
        table, f"{table}_id"
    )
    return Column(name, BigId, target, nullable=not required)


runs = Table(
    "runs",
    metadata,
    _id(),
    Column("run_id", String(64), nullable=False, unique=True),
    Column("journey", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    _at("started_at", required=True),
    Column("duration_seconds", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(64)),
    Column("failed_step", Text),
    _text("detail"),
    _flag("degraded"),
    _flag("has_evidence"),  # kept for a shorter time than the run
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
    _at("since", required=True),
    _count("bad_runs"),
    _count("good_runs"),
    _at("last_run_at"),
    _at("last_success_at"),
    Column("body", Json, nullable=False),  # the whole state, as probes.verdict writes it
)

incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("public_id", String(12), nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("open_marker", Integer),
    _text("title"),
    Column("status", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("impact", String(16), nullable=False),
    Column("component", Text),
    Column("journey", Text),
    Column("step", Text),
    Column("reason", Text),
    Column("origin", String(16), nullable=False),  # automatic, person or reports
    _at("started_at", required=True),  # when the trouble began, as far as anybody knows
    _at("opened_at", required=True),
    _at("updated_at", required=True),
    _at("acknowledged_at"),
    Column("acknowledged_by", Text),
    _at("monitoring_at"),
    _at("resolved_at"),
    Column("resolved_by", Text),
    _count("reopened_count"),
    _flag("taken_over"),
    _flag("reconstructed"),  # nobody saw it while it lasted: it was rebuilt from what others kept
    Column("taken_over_by", Text),
    _at("published_at"),
    _text("public_title"),  # what everybody reads; the title may name what only we should know
    _text("customer_message"),
    _text("runbook_url"),
    Column("previous_id", BigId, ForeignKey("incidents.id", ondelete="SET NULL")),
    Column("merged_into_id", BigId),  # no foreign key: SQLite could add one only by a new table
    _text("derived_severity"),  # what automation says while a person overrules it; else empty
    _text("derived_impact"),
    _text("lead"),  # who leads the work
    _text("communications"),  # who speaks to users
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
    _id(),
    Column("fingerprint", String(16), nullable=False),
    Column("open_marker", Integer),
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    _at("starts_at", required=True),  # the earliest told while open
    _at("latest_starts_at", required=True),  # the latest: an older resolution does not end it
    _at("ends_at"),  # NULL: fires until told otherwise
    Column("state", String(16), nullable=False),  # firing, lapsed or resolved
    _text("source"),
    _text("generator_url"),
    Column("told", String(16), nullable=False, default="", server_default=""),  # `Alert.digest`
    _at("received_at", required=True),
    _at("updated_at", required=True),
    _at("lapsed_at"),
    _at("resolved_at"),
    _of("incidents", required=False, keep=True),
    _text("muted_by"),  # the window, silence or alert that keeps it quiet
    Column("severity", String(16), nullable=False, default="", server_default=""),
    _text("joined_because"),  # why it belongs to its incident
    _text("placed_by"),  # who put it there; empty: automation
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
    _id(),
    _of("incidents"),
    _at("at", required=True),
    Column("kind", String(40), nullable=False),
    _text("actor"),
    _text("text"),
    Column("data", Json),
    Index(None, "incident_id", "id"),
)

placements = Table(  # where people want an alert: the last word about each incident counts
    "placements",
    metadata,
    _id(),
    Column("fingerprint", String(16), nullable=False),
    _of("incidents"),
    _flag("apart"),  # it was taken out of the incident, rather than put there
    _text("placed_by"),
    _text("why"),
    _at("at", required=True),
    Index(None, "incident_id"),
)

incident_links = Table(  # incidents that have to do with each other, told on both pages
    "incident_links",
    metadata,
    _id(),
    _of("incidents"),
    Column("other_id", BigId, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    _text("why"),
    _text("linked_by"),
    _at("at", required=True),
    UniqueConstraint("incident_id", "other_id"),
    Index(None, "other_id"),
)

incident_tasks = Table(
    "incident_tasks",
    metadata,
    _id(),
    _of("incidents"),
    Column("number", Integer, nullable=False),  # counted from 1 on each incident
    _text("text"),
    _text("owner"),
    _at("due_at"),
    _at("created_at", required=True),
    _text("created_by"),
    _at("done_at"),
    _text("done_by"),
    UniqueConstraint("incident_id", "number"),
)

postmortems = Table(  # every version that was ever saved
    "postmortems",
    metadata,
    _id(),
    _of("incidents"),
    Column("version", Integer, nullable=False),
    _at("at", required=True),
    _text("author"),
    _text("body"),  # Markdown
    UniqueConstraint("incident_id", "version"),
)

incident_updates = Table(
    "incident_updates",
    metadata,
    _id(),
    Column("public_id", String(12), nullable=False, unique=True),
    _of("incidents"),
    _at("at", required=True),
    Column("status", String(16), nullable=False),
    _text("body"),
    _text("author"),
    _at("published_at"),
    Index(None, "incident_id", "id"),
    Index(None, "published_at"),
)

silences = Table(
    "silences",
    metadata,
    _id(),
    Column("silence_id", String(36), nullable=False, unique=True),
    Column("matchers", Json, nullable=False),
    _at("starts_at", required=True),  # of the first occurrence
    _at("ends_at", required=True),  # of the last
    _text("created_by"),
    _text("comment"),
    _at("created_at", required=True),
    _at("updated_at", required=True),
    Column("recurrence", Json),
    Column("periods", Json, nullable=False),  # its occurrences, as pairs of instants
    _at("applied_until"),
    _at("reminded_until"),
    _text("expired_by"),
    Index(None, "ends_at"),
)

maintenance = Table(
    "maintenance",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("public_id", String(12), nullable=False, unique=True),
    _text("title"),
    _text("description"),
    _at("starts_at", required=True),
    _at("ends_at", required=True),
    Column("time_zone", String(64), nullable=False, default="UTC", server_default="UTC"),
    _text("created_by"),
    _at("created_at", required=True),
    _at("updated_at", required=True),
    _at("cancelled_at"),
    _at("verified_at"),
    _count("sequence"),
    _at("announced_at"),
    _at("overrun_told_at"),
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

reports = Table(
    "reports",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("token", String(64), nullable=False, unique=True),
    Column("channel", String(32), nullable=False),
    Column("category", Text),
    Column("component", Text),
    Column("journey", Text),
    _text("description"),
    _text("reporter_name"),
    _text("reporter_email"),
    _text("order_reference"),
    _text("language"),
    Column("status", String(24), nullable=False),
    _of("incidents", required=False, keep=True),
    _text("linked_by"),
    _text("link_reason"),
    _at("created_at", required=True),
    _at("updated_at", required=True),
    _at("told_resolved_at"),
    Column("works_now", String(8)),
    _at("answered_at"),
    _at("erased_at"),  # the reporter's words and person are gone since
    Index(None, "incident_id"),
    Index(None, "status", "created_at"),
    Index(None, "component", "created_at"),
    Index(None, "reporter_email"),
)

report_messages = Table(
    "report_messages",
    metadata,
    _id(),
    _of("reports"),
    _at("at", required=True),
    Column("direction", String(8), nullable=False),  # in, out or note
    _text("author"),
    _text("body"),
    _text("channel"),
    Index(None, "report_id", "id"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("key", String(255), nullable=False, unique=True),  # the notification's stable id
    Column("event", String(40), nullable=False),
    _of("incidents", required=False),
    Column("maintenance_id", BigId, ForeignKey("maintenance.id", ondelete="CASCADE")),
    _of("reports", required=False),
    Column("channel", String(120), nullable=False),
    _text("recipient"),
    _text("severity"),
    _text("subject"),
    _text("body"),
    Column("payload", Json, nullable=False),
    _at("created_at", required=True),
    _at("due_at", required=True),
    _count("priority"),  # lower goes first
    Column("state", String(16), nullable=False),  # queued, sending, sent, failed, dropped, folded
    _count("attempts"),
    _at("leased_until"),
    Column("leased_by", String(120)),
    _text("last_error"),
    _text("reason"),  # why it ended unsent: `monitor.notify.recheck.Unsent`
    _text("held"),  # why it waits, or waited: `incidents.pacing.Held`; else empty
    Column("folded_into", BigId),  # the row that told of it among others
    _text("reference"),  # the receiver's own id of it
    _at("finished_at"),
    Index(None, "state", "due_at"),
    Index(None, "incident_id", "channel", "recipient"),
    Index(None, "report_id"),
    Index(None, "maintenance_id"),
    Index(None, "finished_at"),
    Index(None, "folded_into"),
    Index(None, "channel", "state", "finished_at"),
)

paces = Table(  # when a channel with a limit has room again
    "paces",
    metadata,
    Column("channel", String(120), primary_key=True),
    _at("free_at", required=True),
)

escalations = Table(  # where the escalation of an incident stands, with the policy it opened with
    "escalations",
    metadata,
    Column("incident_id", BigId, ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("policy", Json, nullable=False),
    Column("state", String(16), nullable=False),  # running, acknowledged, exhausted or ended
    _count("position"),
    _count("sequence"),
    _at("anchor_at", required=True),
    _at("due_at"),  # when something follows; NULL: nothing does
    _text("held_by"),
    Index(None, "state", "due_at"),
)

escalation_steps = Table(  # every step taken: who was told, who was not and why
    "escalation_steps",
    metadata,
    _id(),
    _of("incidents"),
    Column("sequence", Integer, nullable=False),
    _at("at", required=True),
    Column("position", Integer),  # NULL: beside the policy's steps, to one person
    Column("why", String(40), nullable=False),
    _text("by"),
    _text("words"),  # such as: step 2 of 3
    Column("told", Json, nullable=False),
    Column("missed", Json, nullable=False),
    Column("message_keys", Json, nullable=False),  # of the outbox's rows
    UniqueConstraint("incident_id", "sequence"),
)

oncall_overrides = Table(  # who takes a period of a schedule, whoever's turn it would be
    "oncall_overrides",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),
    Column("schedule", String(63), nullable=False),
    Column("person", String(120), nullable=False),
    _at("starts_at", required=True),
    _at("ends_at", required=True),
    _text("reason"),
    _text("created_by"),
    _at("created_at", required=True),
    _at("cancelled_at"),
    _text("cancelled_by"),
    Index(None, "schedule", "ends_at"),
)

calendar_links = Table(  # the secret address of a person's own shifts; one an account
    "calendar_links",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    _at("created_at", required=True),
    _at("read_at"),
)

component_states = Table(
    "component_states",
    metadata,
    _id(),
    Column("component", String(255), nullable=False),
    Column("status", String(32), nullable=False),
    _at("since", required=True),
    _at("until"),
    _text("cause"),
    Index(None, "component", "since"),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("name", String(120), nullable=False, unique=True),
    Column("role", String(24), nullable=False),
    _text("password_hash"),
    _flag("one_time"),
    _at("created_at", required=True),
    _at("disabled_at"),
    _at("password_set_at"),  # a one-time password ends some days after it
    Column("email", String(254)),  # lower case; NULL where none is known
    _text("display_name"),
    _text("time_zone"),  # empty: the site's
    _text("phone"),  # as E.164: +27821234567
    Index(None, "email", unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    _of("users"),
    Column("csrf", String(64), nullable=False),
    _at("created_at", required=True),
    _at("expires_at", required=True),
    _at("last_seen_at", required=True),
    Column("method", String(16), nullable=False, default="password", server_default="password"),
    _text("client"),  # what the browser calls itself, in a few words
    _text("address"),
    Index(None, "expires_at"),
    Index(None, "user_id"),
)

second_factors = Table(  # who has one; without a row there is none
    "second_factors",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", Text, nullable=False),  # the secret, under a key that is not in here
    _count("last_step"),  # of the code last taken: it and those before it are spent
    _at("since", required=True),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    _of("users"),
    _at("used_at"),
    Index(None, "user_id"),
)

proofs = Table(  # what somebody is in the middle of, known by a secret of which this is the hash
    "proofs",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    Column("purpose", String(24), nullable=False),
    _of("users", required=False),
    Column("data", Json, nullable=False),
    _count("failures"),
    _at("created_at", required=True),
    _at("expires_at", required=True),
    Index(None, "expires_at"),
    Index(None, "user_id"),
)

identities = Table(  # who an OpenID Connect provider says somebody is
    "identities",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    _of("users"),
    _at("linked_at", required=True),
    Index(None, "user_id"),
)

api_tokens = Table(  # an account's, or an alert source's: then there is no account
    "api_tokens",
    metadata,
    _id(),
    _of("users", required=False),
    _text("source"),
    Column("owner_key", String(80), nullable=False),
    Column("name", String(80), nullable=False),
    Column("live_marker", Integer),  # 1 until revoked: a name is used once at a time
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("scopes", Json, nullable=False),
    _at("created_at", required=True),
    _text("created_by"),
    _at("expires_at"),
    _at("last_used_at"),
    _at("revoked_at"),
    UniqueConstraint("owner_key", "name", "live_marker"),
    Index(None, "user_id"),
)

rule_alerts = Table(
    "rule_alerts",
    metadata,
    Column("rule_key", String(255), primary_key=True),
    Column("labels_key", String(255), primary_key=True),
    Column("labels", Json, nullable=False),
    Column("annotations", Json, nullable=False),
    Column("state", String(16), nullable=False),
    _at("active_at"),
    _at("fired_at"),
    _at("resolved_at"),
    _at("keep_firing_since"),
    _at("last_sent_at"),
    Column("value", Float),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Json),
    _at("updated_at", required=True),
)

counters = Table(  # the last number given out: incident, maintenance, report
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    _count("value"),
)

leases = Table(  # a background duty that one process at a time may hold
    "leases",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("holder", String(120), nullable=False),
    _at("until", required=True),
)

idempotency = Table(  # what a request with this key was answered
    "idempotency",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("request", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Json),
    _at("at", required=True),
    Index(None, "at"),
)

audit = Table(  # added to and sealed, never changed: triggers of migration 0003 see to it
    "audit",
    metadata,
    _id(),
    _at("at", required=True),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),  # noun.verb
    _text("target"),
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
    _at("at", required=True),
)
