"""A node has a number, which stands in the ids of its calls: two nodes never make the same one."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STATEMENTS = ("ALTER TABLE node ADD COLUMN number INTEGER NOT NULL DEFAULT 0",)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
