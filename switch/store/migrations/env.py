"""alembic's door: runs the pending revisions on the connection that `engine_schema` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,  # the caller holds the one transaction around everything
)
context.run_migrations()
