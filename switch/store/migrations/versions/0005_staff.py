"""Staff, what they may do where, and their sign-ins."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.execute(
        """
        CREATE TABLE staff (
            name TEXT PRIMARY KEY,
            password_hash TEXT NOT NULL,
            language TEXT NOT NULL DEFAULT 'en',
            added_at_micros INTEGER NOT NULL,
            disabled_at_micros INTEGER
        ) STRICT
        """
    )
    op.execute(
        """
        CREATE TABLE staff_grant (
            staff TEXT NOT NULL REFERENCES staff (name),
            role TEXT NOT NULL,
            facility TEXT NOT NULL,
            PRIMARY KEY (staff, role, facility)
        ) STRICT, WITHOUT ROWID
        """
    )
    # Of the session id only the hash is here: who reads the table cannot sign in with it.
    op.execute(
        """
        CREATE TABLE staff_session (
            id_hash TEXT PRIMARY KEY CHECK (length(id_hash) = 64),
            staff TEXT NOT NULL REFERENCES staff (name),
            address TEXT NOT NULL,
            began_at_micros INTEGER NOT NULL,
            seen_at_micros INTEGER NOT NULL,
            ends_at_micros INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """
    )
    op.execute("CREATE INDEX staff_session_by_staff ON staff_session (staff)")
