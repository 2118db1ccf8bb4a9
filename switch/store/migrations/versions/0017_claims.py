"""What people ask back, what lies idle, and the rules of both."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE money_rule (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE claim (
      id INTEGER PRIMARY KEY,
      call_id INTEGER NOT NULL UNIQUE REFERENCES meter (call_id),
      account_id INTEGER NOT NULL REFERENCES account (id),
      amount INTEGER NOT NULL CHECK (amount > 0),
      evidence TEXT NOT NULL,
      at REAL NOT NULL,
      due_at REAL NOT NULL,
      state TEXT NOT NULL
        CHECK (state IN ('open', 'second', 'granted', 'denied', 'appealed', 'closed')),
      first_by TEXT NOT NULL DEFAULT '',
      paid INTEGER NOT NULL DEFAULT 0 CHECK (paid >= 0)
    )
    """,
    "CREATE INDEX claim_due ON claim (due_at) WHERE state IN ('open', 'second', 'appealed')",
    """
    CREATE TABLE claim_step (
      id INTEGER PRIMARY KEY,
      claim_id INTEGER NOT NULL REFERENCES claim (id),
      at REAL NOT NULL,
      who TEXT NOT NULL,
      step TEXT NOT NULL,
      why TEXT NOT NULL
    )
    """,
    "CREATE INDEX claim_step_claim ON claim_step (claim_id)",
    """
    CREATE TRIGGER claim_step_is_never_changed BEFORE UPDATE ON claim_step
    BEGIN SELECT RAISE(ABORT, 'a step is never changed'); END
    """,
    """
    CREATE TRIGGER claim_step_is_never_removed BEFORE DELETE ON claim_step
    BEGIN SELECT RAISE(ABORT, 'a step is never removed'); END
    """,
    """
    CREATE TABLE account_sign (
      account_id INTEGER PRIMARY KEY REFERENCES account (id),
      at REAL NOT NULL,
      what TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE idle_notice (
      account_id INTEGER PRIMARY KEY REFERENCES account (id),
      idle_since REAL NOT NULL,
      told_at REAL NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
