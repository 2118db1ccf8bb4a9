"""alembic's door: runs the pending revisions on the connection of `engine_upgrade`."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,  # the caller holds the one transaction around everything
)
context.run_migrations()
