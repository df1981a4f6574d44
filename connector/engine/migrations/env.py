"""How Alembic runs the migrations: on the connection that the store hands over, in its transaction."""

from alembic import context

from connector.engine.store import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables)
with context.begin_transaction():
    context.run_migrations()
