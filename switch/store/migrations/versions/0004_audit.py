"""The audit trail: rows are added at the end and never touched again."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.execute(
        """
        CREATE TABLE audit (
            n INTEGER PRIMARY KEY,
            at_micros INTEGER NOT NULL,
            who TEXT NOT NULL,
            role TEXT NOT NULL,
            address TEXT NOT NULL,
            what TEXT NOT NULL,
            target TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            why TEXT NOT NULL,
            link TEXT NOT NULL CHECK (length(link) = 64)
        ) STRICT
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_grows_at_the_end BEFORE INSERT ON audit
        WHEN NEW.n IS NOT (SELECT coalesce(max(n), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit trail grows at its end'); END
        """
    )
    for deed in ("UPDATE", "DELETE"):
        op.execute(
            f"""
            CREATE TRIGGER audit_no_{deed.lower()} BEFORE {deed} ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
            """
        )
