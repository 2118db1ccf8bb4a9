"""What the configuration last said of each thing, so that a change by staff outlives a restart."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.execute(
        """
        CREATE TABLE house_seeded (
          kind TEXT NOT NULL,
          id TEXT NOT NULL,
          body TEXT NOT NULL,
          PRIMARY KEY (kind, id)
        ) WITHOUT ROWID
        """
    )


def downgrade() -> None:
    """A newer file is never made older: the switch refuses to open it instead."""
    raise NotImplementedError
