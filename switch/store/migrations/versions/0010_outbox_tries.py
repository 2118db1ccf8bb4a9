"""The outbox: tries, when to try next, what went wrong; addresses that refuse mail."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0)",
    "ALTER TABLE outbox ADD COLUMN next_at REAL NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN fault TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE outbox ADD COLUMN done_at REAL",
    "CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting'",
    """
    CREATE TABLE bad_address (
      address TEXT PRIMARY KEY,
      fault TEXT NOT NULL,
      at REAL NOT NULL
    ) WITHOUT ROWID
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """A newer file is never made older: the switch refuses to open it instead."""
    raise NotImplementedError
