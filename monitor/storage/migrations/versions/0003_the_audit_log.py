"""The audit log, and the triggers that keep it from being changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.storage import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ON_SQLITE = (
    """
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.id <> OLD.id OR NEW.at <> OLD.at
      OR NEW.actor <> OLD.actor OR NEW.action <> OLD.action OR NEW.target <> OLD.target
      OR NEW.detail <> OLD.detail
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
    """,
    """
    CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
    WHEN OLD.position IS NULL OR OLD.position >
      COALESCE((SELECT position FROM audit_anchors WHERE name = 'start'), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
    """,
)
ON_POSTGRESQL = (
    """
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$
    """,
    """
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit FOR EACH ROW
    WHEN (OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.id <> OLD.id OR NEW.at <> OLD.at
      OR NEW.actor <> OLD.actor OR NEW.action <> OLD.action OR NEW.target <> OLD.target
      OR NEW.detail <> OLD.detail)
    EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE FUNCTION audit_guard_removal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.position IS NULL OR OLD.position >
         COALESCE((SELECT position FROM audit_anchors WHERE name = 'start'), 0) THEN
        RAISE EXCEPTION 'the audit log is only added to';
      END IF;
      RETURN OLD;
    END $$
    """,
    """
    CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit FOR EACH ROW
    EXECUTE FUNCTION audit_guard_removal()
    """,
    """
    CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT
    EXECUTE FUNCTION audit_refuse()
    """,
)


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "audit",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("position", types.BigId, nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_position")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_action_id"), ["action", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_actor_id"), ["actor", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_target_id"), ["target", "id"], unique=False)

    op.create_table(
        "audit_anchors",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("position", types.BigId, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_anchors")),
    )
    guards = ON_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else ON_SQLITE
    for statement in guards:
        op.execute(sa.text(statement))
