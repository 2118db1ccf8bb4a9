"""Recordings: one row per file, and who held it. The sound is not here.

A row is never removed, and a seal never taken off: triggers refuse it.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE recording (
      id TEXT PRIMARY KEY,
      call_id INTEGER NOT NULL,
      facility TEXT NOT NULL,
      terminal TEXT NOT NULL,
      person TEXT NOT NULL,
      number TEXT NOT NULL,
      path TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'purged')),
      because TEXT NOT NULL DEFAULT '',
      began_at REAL NOT NULL,
      samples INTEGER NOT NULL DEFAULT 0 CHECK (samples >= 0),
      size_bytes INTEGER NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
      sha256 TEXT NOT NULL DEFAULT '',
      keep_until REAL NOT NULL,
      sealed_at REAL,
      sealed_because TEXT NOT NULL DEFAULT '',
      purged_at REAL
    )
    """,
    "CREATE INDEX recording_call ON recording (call_id)",
    "CREATE INDEX recording_number ON recording (number, began_at)",
    "CREATE INDEX recording_person ON recording (person, began_at)",
    "CREATE INDEX recording_due ON recording (state, keep_until)",
    """
    CREATE TABLE recording_hold (
      id INTEGER PRIMARY KEY,
      recording TEXT NOT NULL REFERENCES recording (id),
      by TEXT NOT NULL,
      why TEXT NOT NULL CHECK (why <> ''),
      at REAL NOT NULL,
      released_by TEXT NOT NULL DEFAULT '',
      released_why TEXT NOT NULL DEFAULT '',
      released_at REAL
    )
    """,
    "CREATE INDEX recording_hold_of ON recording_hold (recording, released_at)",
    """
    CREATE TRIGGER recording_is_never_forgotten BEFORE DELETE ON recording
    BEGIN SELECT RAISE(ABORT, 'the row of a recording is never removed'); END
    """,
    """
    CREATE TRIGGER recording_stays_sealed BEFORE UPDATE ON recording
    WHEN OLD.sealed_at IS NOT NULL AND NEW.sealed_at IS NOT OLD.sealed_at
    BEGIN SELECT RAISE(ABORT, 'a sealed recording stays sealed'); END
    """,
    """
    CREATE TRIGGER recording_is_written_once BEFORE UPDATE ON recording
    WHEN NEW.call_id <> OLD.call_id OR NEW.path <> OLD.path OR NEW.began_at <> OLD.began_at
      OR (OLD.sha256 <> '' AND NEW.sha256 <> OLD.sha256)
      OR (OLD.state = 'purged' AND NEW.state <> 'purged')
    BEGIN SELECT RAISE(ABORT, 'what a recording is does not change'); END
    """,
    """
    CREATE TRIGGER held_recording_is_not_purged BEFORE UPDATE ON recording
    WHEN NEW.state = 'purged' AND OLD.state <> 'purged' AND EXISTS (
      SELECT 1 FROM recording_hold WHERE recording = OLD.id AND released_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a held recording is not purged'); END
    """,
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
