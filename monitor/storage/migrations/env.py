"""Alembic's entry: runs the migrations on the connection that `migrate` opened."""

from __future__ import annotations

from alembic import context

from monitor.storage.migrations.write import render_item
from monitor.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render_item,
    render_as_batch=True,  # SQLite changes a column by copying its table
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
