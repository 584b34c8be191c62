"""Runs the migrations on the connection that `allocator.store.schema` holds, inside its transaction."""

from alembic import context

from allocator.store.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
