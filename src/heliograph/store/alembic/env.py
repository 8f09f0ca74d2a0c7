"""Alembic's environment: the connection comes from `heliograph.store.migrations`, or from the URL in the configuration."""

from __future__ import annotations

from alembic import context

from heliograph.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
