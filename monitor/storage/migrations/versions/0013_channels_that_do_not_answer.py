"""Channels that do not answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.storage import types

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "channel_outages",
        sa.Column("channel", sa.String(length=120), nullable=False),
        sa.Column("since", types.UtcDateTime(), nullable=False),
        sa.Column("failed_at", types.UtcDateTime(), nullable=False),
        sa.Column("probe_at", types.UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_channel_outages")),
    )
