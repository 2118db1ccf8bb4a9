"""Live calls: what another process needs to release both sides of a call and write its record."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE live_call (
      call_id INTEGER PRIMARY KEY,
      node TEXT NOT NULL,
      body TEXT NOT NULL
    )
    """,
    "CREATE INDEX live_call_node ON live_call (node)",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A newer file is never made older: the switch refuses to open it instead."""
    raise NotImplementedError
