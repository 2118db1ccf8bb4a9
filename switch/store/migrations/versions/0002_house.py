"""The house: who and what there is, the rules of numbers, lists, orders, tries, the register.

What is only configured is a row with its id and its struct as JSON (`body`); what is asked or
counted on each call has columns. Wall times are seconds since 1970.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE house_version (version INTEGER NOT NULL)",
    "INSERT INTO house_version VALUES (1)",
    "CREATE TABLE house_defaults (body TEXT NOT NULL)",
    "CREATE TABLE agency (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE facility (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE unit (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE terminal (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE gateway (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE trunk (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE speed_dial (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE person (
      id TEXT PRIMARY KEY,
      facility TEXT NOT NULL,
      body TEXT NOT NULL,
      passcode_salt BLOB,
      passcode_hash BLOB,
      passcode_tag BLOB
    ) WITHOUT ROWID
    """,
    """
    CREATE UNIQUE INDEX person_passcode_alone ON person (facility, passcode_tag)
      WHERE passcode_tag IS NOT NULL
    """,
    """
    CREATE TABLE bad_pin (
      call_id INTEGER NOT NULL,
      terminal TEXT NOT NULL,
      facility TEXT NOT NULL,
      person TEXT NOT NULL,
      tries INTEGER NOT NULL,
      at REAL NOT NULL,
      PRIMARY KEY (call_id, terminal, person)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX bad_pin_person ON bad_pin (person, terminal, at)",
    """
    CREATE TABLE number_rule (
      id INTEGER PRIMARY KEY,
      facility TEXT NOT NULL,
      pattern TEXT NOT NULL,
      is_wildcard INTEGER NOT NULL CHECK (is_wildcard IN (0, 1)),
      kind TEXT NOT NULL CHECK (kind IN ('allow', 'security', 'facility', 'agent')),
      treatment TEXT NOT NULL DEFAULT '{}',
      note TEXT NOT NULL,
      by TEXT NOT NULL,
      at REAL NOT NULL,
      removed_at REAL,
      removed_by TEXT,
      removed_why TEXT,
      CONSTRAINT a_block_needs_a_note CHECK (kind = 'allow' OR note <> '')
    )
    """,
    """
    CREATE UNIQUE INDEX number_rule_live ON number_rule (pattern, facility, kind)
      WHERE removed_at IS NULL
    """,
    """
    CREATE INDEX number_rule_wildcards ON number_rule (facility)
      WHERE removed_at IS NULL AND is_wildcard = 1
    """,
    """
    CREATE TABLE block_exemption (
      person TEXT NOT NULL,
      number TEXT NOT NULL,
      by TEXT NOT NULL,
      note TEXT NOT NULL,
      at REAL NOT NULL,
      PRIMARY KEY (person, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE keypad_block (
      id INTEGER PRIMARY KEY,
      number TEXT NOT NULL,
      scope TEXT NOT NULL CHECK (scope IN ('person', 'facility', 'agency')),
      target TEXT NOT NULL,
      call_id INTEGER,
      at REAL NOT NULL,
      undone_at REAL
    )
    """,
    """
    CREATE UNIQUE INDEX keypad_block_live ON keypad_block (number, scope, target)
      WHERE undone_at IS NULL
    """,
    """
    CREATE TABLE pan_entry (
      person TEXT NOT NULL,
      number TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused', 'removed')),
      PRIMARY KEY (person, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE pan_history (
      id INTEGER PRIMARY KEY,
      person TEXT NOT NULL,
      number TEXT NOT NULL,
      state TEXT NOT NULL,
      by TEXT NOT NULL,
      note TEXT NOT NULL,
      at REAL NOT NULL
    )
    """,
    "CREATE INDEX pan_history_person ON pan_history (person, number)",
    """
    CREATE TRIGGER pan_history_is_never_changed BEFORE UPDATE ON pan_history
    BEGIN SELECT RAISE(ABORT, 'the history of a list is never changed'); END
    """,
    """
    CREATE TRIGGER pan_history_is_never_removed BEFORE DELETE ON pan_history
    BEGIN SELECT RAISE(ABORT, 'the history of a list is never removed'); END
    """,
    """
    CREATE TABLE house_order (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('lockdown', 'maintenance')),
      level TEXT NOT NULL CHECK (level IN ('agency', 'facility', 'unit', 'terminal')),
      target TEXT NOT NULL,
      way TEXT NOT NULL CHECK (way IN ('finish', 'announce', 'now')),
      spares TEXT NOT NULL,
      by TEXT NOT NULL,
      why TEXT NOT NULL CHECK (why <> ''),
      at REAL NOT NULL,
      lifted_at REAL,
      lifted_by TEXT,
      lifted_why TEXT
    )
    """,
    """
    CREATE TABLE attempt (
      call_id INTEGER PRIMARY KEY,
      facility TEXT NOT NULL,
      person TEXT NOT NULL,
      terminal TEXT NOT NULL,
      number TEXT NOT NULL,
      sent_at REAL NOT NULL,
      ended_at REAL NOT NULL,
      reason TEXT NOT NULL,
      talked_s INTEGER NOT NULL CHECK (talked_s >= 0),
      counts INTEGER NOT NULL CHECK (counts IN (0, 1))
    )
    """,
    "CREATE INDEX attempt_person ON attempt (person, ended_at)",
    "CREATE INDEX attempt_terminal ON attempt (terminal, ended_at)",
    "CREATE INDEX attempt_number ON attempt (number, ended_at)",
    """
    CREATE TABLE privileged_register (
      seq INTEGER PRIMARY KEY,
      number TEXT NOT NULL,
      body BLOB NOT NULL,
      signature BLOB NOT NULL,
      link TEXT NOT NULL
    )
    """,
    "CREATE INDEX privileged_register_number ON privileged_register (number, seq)",
    """
    CREATE TRIGGER privileged_register_is_never_changed BEFORE UPDATE ON privileged_register
    BEGIN SELECT RAISE(ABORT, 'the privileged register is never changed'); END
    """,
    """
    CREATE TRIGGER privileged_register_is_never_removed BEFORE DELETE ON privileged_register
    BEGIN SELECT RAISE(ABORT, 'the privileged register is never removed'); END
    """,
    """
    CREATE TABLE register_withdrawal (
      id INTEGER PRIMARY KEY,
      number TEXT NOT NULL,
      facility TEXT NOT NULL,
      person TEXT NOT NULL,
      by TEXT NOT NULL,
      note TEXT NOT NULL CHECK (note <> ''),
      at REAL NOT NULL,
      done_at REAL
    )
    """,
    """
    CREATE TABLE outbox (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      recipient TEXT NOT NULL,
      body TEXT NOT NULL,
      at REAL NOT NULL,
      state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed'))
    )
    """,
    """
    CREATE TABLE line_answer (
      number TEXT NOT NULL,
      fetched_at REAL NOT NULL,
      purpose TEXT NOT NULL,
      body TEXT NOT NULL
    )
    """,
    "CREATE INDEX line_answer_number ON line_answer (number, fetched_at)",
)


def upgrade() -> None:
    """Go to this revision."""
    for statement in STATEMENTS:
        op.execute(statement)
