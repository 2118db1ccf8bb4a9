"""A meter knows the number that was called, so that an invoice of any node can name it."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = ("ALTER TABLE meter ADD COLUMN contact TEXT NOT NULL DEFAULT ''",)

FROM_RECORDS = """
UPDATE meter SET contact = coalesce(
  (SELECT number FROM call_record r WHERE r.call_id = meter.call_id), '')
"""
"""Not on PostgreSQL, where there are no records, and no older meters."""


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(FROM_RECORDS)
