"""Alembic's entry: runs on the connection that intake.store.schema hands over, inside its transaction."""

from alembic import context

from intake.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True, transactional_ddl=False
)
context.run_migrations()
