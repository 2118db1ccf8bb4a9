"""Records: one row per call, one per leg, the detections and the prompts of a call.

What reports ask for has a column; the whole record stands in `body`, as JSON.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE call_record (
      call_id INTEGER PRIMARY KEY,
      facility TEXT NOT NULL,
      terminal TEXT NOT NULL,
      person TEXT NOT NULL,
      number TEXT NOT NULL,
      class TEXT NOT NULL,
      reason TEXT NOT NULL,
      off_hook_at REAL,
      ended_at REAL,
      talked_s REAL NOT NULL CHECK (talked_s >= 0),
      charge INTEGER NOT NULL CHECK (charge >= 0),
      body TEXT NOT NULL
    )
    """,
    "CREATE INDEX call_record_person ON call_record (person, call_id)",
    "CREATE INDEX call_record_number ON call_record (number, call_id)",
    "CREATE INDEX call_record_reason ON call_record (reason, call_id)",
    """
    CREATE TABLE call_record_feed (
      position INTEGER PRIMARY KEY,
      call_id INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE cdr (
      leg_id INTEGER PRIMARY KEY,
      call_id INTEGER NOT NULL,
      side TEXT NOT NULL CHECK (side IN ('a', 'b')),
      cause INTEGER NOT NULL,
      body TEXT NOT NULL
    )
    """,
    "CREATE INDEX cdr_call ON cdr (call_id)",
    """
    CREATE TABLE detection (
      id INTEGER PRIMARY KEY,
      call_id INTEGER NOT NULL,
      leg_id INTEGER NOT NULL,
      at REAL NOT NULL,
      kind TEXT NOT NULL,
      tier TEXT NOT NULL,
      body TEXT NOT NULL
    )
    """,
    "CREATE INDEX detection_call ON detection (call_id)",
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
