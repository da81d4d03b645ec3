"""Indexes of what waits in the outbox: a claim need not read all of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WAITS = "state IN ('queued', 'sending')"
QUEUED_UPDATE = "state = 'queued' AND event = 'incident_update'"


def upgrade() -> None:
    """Apply the step."""
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["channel", "priority", "id"],
        sqlite_where=sa.text(WAITS),
        postgresql_where=sa.text(WAITS),
    )
    op.create_index(
        "ix_outbox_queued_updates",
        "outbox",
        ["channel", "event", "state"],
        sqlite_where=sa.text(QUEUED_UPDATE),
        postgresql_where=sa.text(QUEUED_UPDATE),
    )
