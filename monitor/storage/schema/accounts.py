"""People and programs that may come in, and how they prove who they are."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

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

users = Table(
    "users",
    metadata,
    row_id(),
    Column("name", String(120), nullable=False, unique=True),
    Column("role", String(24), nullable=False),
    words("password_hash"),
    flag("one_time"),
    at("created_at", required=True),
    at("disabled_at"),
    at("password_set_at"),  # a one-time password ends some days after it
    Column("email", String(254)),  # lower case; NULL where none is known
    words("display_name"),
    words("time_zone"),  # empty: the site's
    words("phone"),  # as E.164: +27821234567
    Index(None, "email", unique=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    reference("users"),
    Column("csrf", String(64), nullable=False),
    at("created_at", required=True),
    at("expires_at", required=True),
    at("last_seen_at", required=True),
    Column("method", String(16), nullable=False, default="password", server_default="password"),
    words("client"),  # what the browser calls itself, in a few words
    words("address"),
    Index(None, "expires_at"),
    Index(None, "user_id"),
)

second_factors = Table(  # who has one; without a row there is none
    "second_factors",
    metadata,
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", Text, nullable=False),  # the secret, under a key that is not in here
    count("last_step"),  # of the code last taken: it and those before it are spent
    at("since", required=True),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    reference("users"),
    at("used_at"),
    Index(None, "user_id"),
)

proofs = Table(  # what somebody is in the middle of, known by a secret of which this is the hash
    "proofs",
    metadata,
    Column("id_hash", String(64), primary_key=True),
    Column("purpose", String(24), nullable=False),
    reference("users", required=False),
    Column("data", Json, nullable=False),
    count("failures"),
    at("created_at", required=True),
    at("expires_at", required=True),
    Index(None, "expires_at"),
    Index(None, "user_id"),
)

identities = Table(  # who an OpenID Connect provider says somebody is
    "identities",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    reference("users"),
    at("linked_at", required=True),
    Index(None, "user_id"),
)

api_tokens = Table(  # an account's, or an alert source's: then there is no account
    "api_tokens",
    metadata,
    row_id(),
    reference("users", required=False),
    words("source"),
    Column("owner_key", String(80), nullable=False),
    Column("name", String(80), nullable=False),
    Column("live_marker", Integer),  # 1 until revoked: a name is used once at a time
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("hint", String(16), nullable=False),
    Column("scopes", Json, nullable=False),
    at("created_at", required=True),
    words("created_by"),
    at("expires_at"),
    at("last_used_at"),
    at("revoked_at"),
    UniqueConstraint("owner_key", "name", "live_marker"),
    Index(None, "user_id"),
)
