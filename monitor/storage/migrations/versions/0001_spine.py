"""Every table of the first release."""

from __future__ import annotations

from alembic import op

from monitor.storage.schema import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    metadata.create_all(op.get_bind())
