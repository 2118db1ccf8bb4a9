"""Codes that prove that an address belongs to somebody; never the code itself."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE code (
      purpose TEXT NOT NULL,
      way TEXT NOT NULL CHECK (way IN ('mail', 'sms')),
      address TEXT NOT NULL,
      mac TEXT NOT NULL,
      sends INTEGER NOT NULL,
      tries INTEGER NOT NULL,
      at REAL NOT NULL,
      PRIMARY KEY (purpose, way, address)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE code_sent (
      id INTEGER PRIMARY KEY,
      address TEXT NOT NULL,
      client TEXT NOT NULL,
      prefix TEXT NOT NULL,
      at REAL NOT NULL
    )
    """,
    "CREATE INDEX code_sent_at ON code_sent (at)",
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
