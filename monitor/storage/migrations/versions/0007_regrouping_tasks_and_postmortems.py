"""What people do with tickets: regroup them, share the work out, look back; timelines only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from monitor.storage import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_table(
        "incident_links",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("incident_id", types.BigId, nullable=False),
        sa.Column("other_id", types.BigId, nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("linked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_incident_links_incident_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["other_id"],
            ["incidents.id"],
            name=op.f("fk_incident_links_other_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_links")),
        sa.UniqueConstraint(
            "incident_id", "other_id", name=op.f("uq_incident_links_incident_id_other_id")
        ),
    )
    with op.batch_alter_table("incident_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_links_other_id"), ["other_id"], unique=False)

    op.create_table(
        "incident_tasks",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("incident_id", types.BigId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("due_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at", types.UtcDateTime(), nullable=True),
        sa.Column("done_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_incident_tasks_incident_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_tasks")),
        sa.UniqueConstraint(
            "incident_id", "number", name=op.f("uq_incident_tasks_incident_id_number")
        ),
    )
    op.create_table(
        "placements",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("incident_id", types.BigId, nullable=False),
        sa.Column("apart", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("placed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_placements_incident_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placements")),
    )
    with op.batch_alter_table("placements", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_placements_incident_id"), ["incident_id"], unique=False
        )

    op.create_table(
        "postmortems",
        sa.Column("id", types.BigId, autoincrement=True, nullable=False),
        sa.Column("incident_id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_postmortems_incident_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postmortems")),
        sa.UniqueConstraint(
            "incident_id", "version", name=op.f("uq_postmortems_incident_id_version")
        ),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("joined_because", sa.Text(), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("placed_by", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_into_id", types.BigId, nullable=True))
        batch_op.add_column(
            sa.Column("derived_severity", sa.Text(), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("derived_impact", sa.Text(), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("lead", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(
            sa.Column("communications", sa.Text(), server_default="", nullable=False)
        )
        batch_op.create_index(
            batch_op.f("ix_incidents_merged_into_id"), ["merged_into_id"], unique=False
        )

    _keep_the_timeline()


def _keep_the_timeline() -> None:
    """Have the database refuse to change a line, or to delete one whose incident is there."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION timeline_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF TG_OP = 'UPDATE' OR EXISTS (SELECT 1 FROM incidents WHERE id = OLD.incident_id) "
            "THEN RAISE EXCEPTION 'a timeline only grows'; END IF; RETURN OLD; END $$"
        )
        op.execute(
            "CREATE TRIGGER timeline_only_grows BEFORE UPDATE OR DELETE ON timeline "
            "FOR EACH ROW EXECUTE FUNCTION timeline_only_grows()"
        )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'a timeline only grows'); END"
    op.execute(f"CREATE TRIGGER timeline_not_changed BEFORE UPDATE ON timeline {refuse}")
    op.execute(
        "CREATE TRIGGER timeline_not_deleted BEFORE DELETE ON timeline "
        f"WHEN EXISTS (SELECT 1 FROM incidents WHERE id = OLD.incident_id) {refuse}"
    )
