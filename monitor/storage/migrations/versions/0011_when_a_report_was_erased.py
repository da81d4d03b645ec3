"""When a report was erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.storage import types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("erased_at", types.UtcDateTime(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_reports_reporter_email"), ["reporter_email"], unique=False
        )
