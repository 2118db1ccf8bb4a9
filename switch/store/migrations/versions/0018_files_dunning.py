"""Files of money that came otherwise than by card, and invoices that are late."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE money_file (
      hash TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('trust', 'commissary', 'kiosk', 'money_order')),
      facility TEXT NOT NULL,
      name TEXT NOT NULL,
      accepted INTEGER NOT NULL,
      accepted_micros INTEGER NOT NULL,
      rejected INTEGER NOT NULL,
      rejected_micros INTEGER NOT NULL,
      who TEXT NOT NULL,
      at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE money_line (
      hash TEXT NOT NULL REFERENCES money_file (hash),
      line INTEGER NOT NULL,
      kind TEXT NOT NULL,
      facility TEXT NOT NULL,
      ref TEXT NOT NULL,
      payee TEXT NOT NULL,
      amount INTEGER NOT NULL,
      account_id INTEGER REFERENCES account (id),
      fault TEXT NOT NULL,
      PRIMARY KEY (hash, line)
    ) WITHOUT ROWID
    """,
    """
    CREATE UNIQUE INDEX money_line_once ON money_line (kind, facility, ref) WHERE fault = ''
    """,
    """
    CREATE TABLE dunning (
      invoice INTEGER PRIMARY KEY REFERENCES invoice (number),
      stage INTEGER NOT NULL,
      at REAL NOT NULL
    )
    """,
    """
    CREATE TABLE suspension (
      account_id INTEGER PRIMARY KEY REFERENCES account (id),
      since REAL NOT NULL,
      why TEXT NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
