"""A quote is never changed: its hash resolves to the same rows for ever (money M14)."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TRIGGER quote_is_never_changed BEFORE UPDATE ON quote
    BEGIN SELECT RAISE(ABORT, 'a quote is never changed'); END
    """,
    """
    CREATE TRIGGER quote_is_never_removed BEFORE DELETE ON quote
    BEGIN SELECT RAISE(ABORT, 'a quote is never removed'); END
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
