"""Money by card: on its way in, saved cards, reloads, disputes, and what goes back.

No column can hold the number of a card: hosted fields take it, and we are given names of things.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE funding (
      id TEXT PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES account (id),
      method TEXT NOT NULL CHECK (method IN ('checkout', 'reload', 'setup')),
      amount INTEGER NOT NULL CHECK (amount >= 0 AND amount % 10000 = 0),
      state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'paid', 'failed')),
      intent TEXT NOT NULL DEFAULT '',
      consent_version TEXT NOT NULL DEFAULT '',
      consent_text TEXT NOT NULL DEFAULT '',
      at REAL NOT NULL,
      next_at REAL NOT NULL,
      changed_at REAL NOT NULL,
      tries INTEGER NOT NULL DEFAULT 0,
      fault TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID
    """,
    "CREATE INDEX funding_account ON funding (account_id, at)",
    "CREATE INDEX funding_waiting ON funding (next_at) WHERE state = 'waiting'",
    """
    CREATE UNIQUE INDEX funding_one_reload ON funding (account_id)
      WHERE method = 'reload' AND state = 'waiting'
    """,
    """
    CREATE TABLE payment_event (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      about TEXT NOT NULL,
      outcome TEXT NOT NULL,
      at REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE saved_card (
      account_id INTEGER PRIMARY KEY REFERENCES account (id),
      customer TEXT NOT NULL,
      method TEXT NOT NULL,
      consent_version TEXT NOT NULL CHECK (consent_version <> ''),
      consent_text TEXT NOT NULL CHECK (consent_text <> ''),
      saved_at REAL NOT NULL
    )
    """,
    """
    CREATE TABLE reload (
      account_id INTEGER PRIMARY KEY REFERENCES account (id),
      threshold INTEGER NOT NULL CHECK (threshold >= 0),
      amount INTEGER NOT NULL CHECK (amount > 0 AND amount % 10000 = 0),
      day_cap INTEGER NOT NULL CHECK (day_cap >= amount),
      month_cap INTEGER NOT NULL CHECK (month_cap >= day_cap),
      zone TEXT NOT NULL,
      state TEXT NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'paused', 'stopped')),
      consent_version TEXT NOT NULL CHECK (consent_version <> ''),
      consent_text TEXT NOT NULL CHECK (consent_text <> ''),
      consented_at REAL NOT NULL,
      fault TEXT NOT NULL DEFAULT ''
    )
    """,
    """
    CREATE TABLE dispute (
      id TEXT PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES account (id),
      source TEXT NOT NULL,
      amount INTEGER NOT NULL CHECK (amount > 0),
      held INTEGER NOT NULL CHECK (held >= 0),
      receivable INTEGER NOT NULL CHECK (receivable >= 0),
      state TEXT NOT NULL CHECK (state IN ('open', 'won', 'lost')),
      at REAL NOT NULL,
      CHECK (held + receivable = amount)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX dispute_source ON dispute (source)",
    """
    CREATE TABLE payout (
      id TEXT PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES account (id),
      amount INTEGER NOT NULL CHECK (amount > 0),
      way TEXT NOT NULL CHECK (way IN ('stripe', 'by_hand')),
      intent TEXT NOT NULL DEFAULT '',
      state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'asked', 'done', 'failed')),
      refund TEXT NOT NULL DEFAULT '',
      tries INTEGER NOT NULL DEFAULT 0,
      at REAL NOT NULL,
      next_at REAL NOT NULL,
      changed_at REAL NOT NULL,
      fault TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID
    """,
    "CREATE INDEX payout_waiting ON payout (next_at) WHERE state IN ('waiting', 'asked')",
    "CREATE INDEX payout_account ON payout (account_id, at)",
    """
    CREATE TABLE account_contact (
      account_id INTEGER NOT NULL REFERENCES account (id),
      way TEXT NOT NULL CHECK (way IN ('mail', 'sms')),
      address TEXT NOT NULL,
      verified_at REAL NOT NULL,
      PRIMARY KEY (account_id, way, address)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX account_contact_address ON account_contact (address)",
    """
    CREATE TABLE payer_notice (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      recipient TEXT NOT NULL,
      body TEXT NOT NULL,
      at REAL NOT NULL,
      carried_at REAL
    )
    """,
    "CREATE INDEX payer_notice_waiting ON payer_notice (id) WHERE carried_at IS NULL",
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
