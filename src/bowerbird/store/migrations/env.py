"""Alembic's entry: runs the migrations on the connection that `store.database` hands over, in one transaction."""

from alembic import context

from bowerbird.store import identity_tables, sums

metadata = identity_tables.people.metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
    sums.install(connection)
