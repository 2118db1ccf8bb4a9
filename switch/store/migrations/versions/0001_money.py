"""Money: accounts, transfers, meters, holds, budgets, quotes, nodes, seals.

The rules of the ledger that one row can prove are CHECKs (M4, M5); what must never change has
triggers (M10). Amounts are integer micros, `at` is wall time in seconds, `_ns` is monotonic.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE opening (times INTEGER NOT NULL)",
    "INSERT INTO opening VALUES (0)",
    """
    CREATE TABLE account (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      owner TEXT NOT NULL,
      facility TEXT NOT NULL,
      currency TEXT NOT NULL,
      posted INTEGER NOT NULL DEFAULT 0,
      held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
      floor INTEGER,
      funded INTEGER NOT NULL DEFAULT 0,
      approves TEXT NOT NULL DEFAULT 'listed' CHECK (approves IN ('listed', 'all')),
      state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
      opened_at REAL NOT NULL,
      CONSTRAINT m4_never_below_the_floor CHECK (floor IS NULL OR posted - held >= floor)
    )
    """,
    "CREATE INDEX account_owner ON account (kind, owner, facility, currency)",
    """
    CREATE UNIQUE INDEX account_book ON account (kind, owner, facility, currency)
      WHERE floor IS NULL
    """,
    """
    CREATE TABLE account_number (
      number TEXT NOT NULL,
      account_id INTEGER NOT NULL REFERENCES account (id),
      PRIMARY KEY (number, account_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX account_number_account ON account_number (account_id)",
    """
    CREATE TABLE account_person (
      account_id INTEGER NOT NULL REFERENCES account (id),
      person TEXT NOT NULL,
      verdict TEXT NOT NULL CHECK (verdict IN ('approved', 'denied')),
      PRIMARY KEY (account_id, person)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE transfer (
      seq INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      debit INTEGER NOT NULL REFERENCES account (id),
      credit INTEGER NOT NULL REFERENCES account (id),
      amount INTEGER NOT NULL CHECK (amount > 0),
      code TEXT NOT NULL,
      ref TEXT NOT NULL,
      at REAL NOT NULL,
      body_hash TEXT NOT NULL,
      CHECK (debit <> credit)
    )
    """,
    "CREATE INDEX transfer_ref ON transfer (ref)",
    "CREATE INDEX transfer_debit ON transfer (debit)",
    "CREATE INDEX transfer_credit ON transfer (credit)",
    """
    CREATE TRIGGER transfer_is_never_changed BEFORE UPDATE ON transfer
    BEGIN SELECT RAISE(ABORT, 'a transfer is never changed'); END
    """,
    """
    CREATE TRIGGER transfer_is_never_removed BEFORE DELETE ON transfer
    BEGIN SELECT RAISE(ABORT, 'a transfer is never removed'); END
    """,
    """
    CREATE TABLE quote (
      id TEXT PRIMARY KEY,
      version_hash TEXT NOT NULL,
      body TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE meter (
      call_id INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES account (id),
      quote_id TEXT NOT NULL REFERENCES quote (id),
      micros_per_minute INTEGER NOT NULL CHECK (micros_per_minute >= 0),
      free_s INTEGER NOT NULL CHECK (free_s >= 0),
      seq INTEGER NOT NULL DEFAULT 0,
      paid_s INTEGER NOT NULL,
      charged INTEGER NOT NULL DEFAULT 0,
      posted INTEGER NOT NULL DEFAULT 0,
      hold INTEGER NOT NULL,
      facility TEXT NOT NULL,
      node TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      opened_at REAL NOT NULL,
      bridged_ns INTEGER,
      state TEXT NOT NULL CHECK (state IN ('RESERVED', 'LIVE', 'SETTLED', 'VOID')),
      CONSTRAINT m5_seconds CHECK (0 <= seq AND seq <= paid_s),
      CONSTRAINT m5_charged CHECK (charged = micros_per_minute * max(0, seq - free_s) / 60),
      CONSTRAINT m5_posted CHECK (0 <= posted AND posted <= charged),
      CONSTRAINT m5_hold CHECK (CASE
        WHEN state IN ('SETTLED', 'VOID') THEN hold = 0
        ELSE hold = micros_per_minute * max(0, paid_s - free_s) / 60 - posted END)
    )
    """,
    "CREATE INDEX meter_unsettled ON meter (node) WHERE state IN ('RESERVED', 'LIVE')",
    "CREATE INDEX meter_live ON meter (account_id) WHERE state IN ('RESERVED', 'LIVE')",
    """
    CREATE VIEW live_meter AS SELECT * FROM meter WHERE state IN ('RESERVED', 'LIVE')
    """,
    """
    CREATE TABLE hold (
      id TEXT PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES account (id),
      amount INTEGER NOT NULL CHECK (amount > 0),
      why TEXT NOT NULL,
      expires_at REAL,
      state TEXT NOT NULL CHECK (state IN ('open', 'released', 'spent'))
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE budget (
      id INTEGER PRIMARY KEY,
      scope TEXT NOT NULL CHECK (scope IN ('call', 'account', 'contact', 'person', 'agency')),
      scope_id TEXT NOT NULL,
      set_by TEXT NOT NULL,
      unit TEXT NOT NULL CHECK (unit IN ('micros', 'seconds')),
      period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'ever')),
      zone TEXT NOT NULL,
      resets_at REAL NOT NULL,
      cap INTEGER NOT NULL CHECK (cap >= 0),
      used INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
      held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
      UNIQUE (scope, scope_id, set_by, unit, period)
    )
    """,
    """
    CREATE TABLE meter_budget (
      call_id INTEGER NOT NULL REFERENCES meter (call_id),
      budget_id INTEGER NOT NULL REFERENCES budget (id),
      held INTEGER NOT NULL CHECK (held >= 0),
      PRIMARY KEY (call_id, budget_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE node (
      id TEXT PRIMARY KEY,
      epoch INTEGER NOT NULL,
      boot_id TEXT NOT NULL,
      lease_until REAL NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE day_hash (
      day TEXT PRIMARY KEY,
      last_seq INTEGER NOT NULL,
      count INTEGER NOT NULL,
      hash TEXT NOT NULL,
      prev_hash TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
