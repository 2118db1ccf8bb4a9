"""The second factor of staff: a sealed secret, and the last code that was used."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.execute("ALTER TABLE staff ADD COLUMN totp_sealed BLOB")
    op.execute("ALTER TABLE staff ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0")


def downgrade() -> None:
    """A newer file is never made older: the switch refuses to open it instead."""
    raise NotImplementedError
