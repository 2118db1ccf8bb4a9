"""Invoices: numbered without gaps, one for each account and month, never changed."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE invoice (
      number INTEGER PRIMARY KEY,
      account_id INTEGER NOT NULL REFERENCES account (id),
      period TEXT NOT NULL,
      issued_at REAL NOT NULL,
      due_at REAL NOT NULL,
      total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
      hash TEXT NOT NULL,
      body TEXT NOT NULL,
      UNIQUE (account_id, period)
    )
    """,
    """
    CREATE TRIGGER invoice_has_no_gap BEFORE INSERT ON invoice
      WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM invoice)
    BEGIN SELECT RAISE(ABORT, 'invoices are numbered without gaps'); END
    """,
    """
    CREATE TRIGGER invoice_is_never_changed BEFORE UPDATE ON invoice
    BEGIN SELECT RAISE(ABORT, 'an invoice is never changed'); END
    """,
    """
    CREATE TRIGGER invoice_is_never_removed BEFORE DELETE ON invoice
    BEGIN SELECT RAISE(ABORT, 'an invoice is never removed'); END
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
