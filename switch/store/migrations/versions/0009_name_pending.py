"""A recorded name waits for approval: those that were spoken without one wait, too."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every recorded name a pending one."""
    op.execute(
        """
        UPDATE person SET body = json_set(
            body, '$.name_pending', json_extract(body, '$.name_file'), '$.name_file', '')
         WHERE coalesce(json_extract(body, '$.name_file'), '') <> ''
        """
    )


def downgrade() -> None:
    """A newer file is never made older: the switch refuses to open it instead."""
    raise NotImplementedError
