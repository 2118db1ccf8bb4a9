"""Sign-ins of payers, codes that are spoken, and the name of a hosted page, to ask about it."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Of the id only the hash is here: who reads the table cannot sign in with it.
    """
    CREATE TABLE payer_session (
      hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
      way TEXT NOT NULL CHECK (way IN ('mail', 'sms', 'voice')),
      address TEXT NOT NULL,
      client TEXT NOT NULL,
      began_at REAL NOT NULL,
      seen_at REAL NOT NULL,
      ends_at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE INDEX payer_session_ends ON payer_session (ends_at)",
    "CREATE INDEX meter_account ON meter (account_id, call_id)",
    "ALTER TABLE funding ADD COLUMN session TEXT NOT NULL DEFAULT ''",
    # A code that nobody has typed in yet is asked for again.
    "DROP TABLE code",
    """
    CREATE TABLE code (
      purpose TEXT NOT NULL,
      way TEXT NOT NULL CHECK (way IN ('mail', 'sms', 'voice')),
      address TEXT NOT NULL,
      mac TEXT NOT NULL,
      sends INTEGER NOT NULL,
      tries INTEGER NOT NULL,
      at REAL NOT NULL,
      PRIMARY KEY (purpose, way, address)
    ) WITHOUT ROWID
    """,
    "ALTER TABLE account_contact RENAME TO account_contact_before",
    """
    CREATE TABLE account_contact (
      account_id INTEGER NOT NULL REFERENCES account (id),
      way TEXT NOT NULL CHECK (way IN ('mail', 'sms', 'voice')),
      address TEXT NOT NULL,
      verified_at REAL NOT NULL,
      PRIMARY KEY (account_id, way, address)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO account_contact (account_id, way, address, verified_at)
      SELECT account_id, way, address, verified_at FROM account_contact_before
    """,
    "DROP TABLE account_contact_before",
    "CREATE INDEX account_contact_address ON account_contact (lower(address))",
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
