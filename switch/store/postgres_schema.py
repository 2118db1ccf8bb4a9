"""The ledger's tables on PostgreSQL 15 and later, revision by revision.

The same rules as on SQLite stand in the rows themselves (M4, M5) and in triggers (M10, M14).
Rows that change every second leave room on their pages, so that an update stays on its page.
"""

from typing import Final

from switch.store.postgres_link import Link

_TABLES: Final = (
    """
    CREATE TABLE account (
      id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind TEXT NOT NULL,
      owner TEXT NOT NULL,
      facility TEXT NOT NULL,
      currency TEXT NOT NULL,
      posted BIGINT NOT NULL DEFAULT 0,
      held BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0),
      floor BIGINT,
      funded BIGINT NOT NULL DEFAULT 0,
      approves TEXT NOT NULL DEFAULT 'listed' CHECK (approves IN ('listed', 'all')),
      state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
      opened_at DOUBLE PRECISION NOT NULL,
      CONSTRAINT m4_never_below_the_floor CHECK (floor IS NULL OR posted - held >= floor)
    ) WITH (fillfactor = 60)
    """,
    "CREATE INDEX account_owner ON account (kind, owner, facility, currency)",
    """
    CREATE UNIQUE INDEX account_book ON account (kind, owner, facility, currency)
      WHERE floor IS NULL
    """,
    """
    CREATE TABLE account_number (
      number TEXT NOT NULL,
      account_id BIGINT NOT NULL REFERENCES account (id),
      PRIMARY KEY (number, account_id)
    )
    """,
    """
    CREATE TABLE transfer (
      seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      debit BIGINT NOT NULL REFERENCES account (id),
      credit BIGINT NOT NULL REFERENCES account (id),
      amount BIGINT NOT NULL CHECK (amount > 0),
      code TEXT NOT NULL,
      ref TEXT NOT NULL,
      at DOUBLE PRECISION NOT NULL,
      body_hash TEXT NOT NULL,
      CHECK (debit <> credit)
    )
    """,
    "CREATE INDEX transfer_ref ON transfer (ref)",
    "CREATE INDEX transfer_debit ON transfer (debit)",
    "CREATE INDEX transfer_credit ON transfer (credit)",
    "CREATE TABLE quote (id TEXT PRIMARY KEY, version_hash TEXT NOT NULL, body TEXT NOT NULL)",
    """
    CREATE TABLE meter (
      call_id BIGINT PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES account (id),
      quote_id TEXT NOT NULL REFERENCES quote (id),
      micros_per_minute BIGINT NOT NULL CHECK (micros_per_minute >= 0),
      free_s INTEGER NOT NULL CHECK (free_s >= 0),
      seq INTEGER NOT NULL DEFAULT 0,
      paid_s INTEGER NOT NULL,
      charged BIGINT NOT NULL DEFAULT 0,
      posted BIGINT NOT NULL DEFAULT 0,
      hold BIGINT NOT NULL,
      facility TEXT NOT NULL,
      node TEXT NOT NULL,
      epoch BIGINT NOT NULL,
      boot_id TEXT NOT NULL,
      opened_at DOUBLE PRECISION NOT NULL,
      bridged_ns BIGINT,
      state TEXT NOT NULL CHECK (state IN ('RESERVED', 'LIVE', 'SETTLED', 'VOID')),
      CONSTRAINT m5_seconds CHECK (0 <= seq AND seq <= paid_s),
      CONSTRAINT m5_charged CHECK (charged = micros_per_minute * greatest(0, seq - free_s) / 60),
      CONSTRAINT m5_posted CHECK (0 <= posted AND posted <= charged),
      CONSTRAINT m5_hold CHECK (CASE
        WHEN state IN ('SETTLED', 'VOID') THEN hold = 0
        ELSE hold = micros_per_minute * greatest(0, paid_s - free_s) / 60 - posted END)
    ) WITH (fillfactor = 60)
    """,
    "CREATE INDEX meter_unsettled ON meter (node) WHERE state IN ('RESERVED', 'LIVE')",
    "CREATE INDEX meter_live ON meter (account_id) WHERE state IN ('RESERVED', 'LIVE')",
    "CREATE VIEW live_meter AS SELECT * FROM meter WHERE state IN ('RESERVED', 'LIVE')",
    """
    CREATE TABLE hold (
      id TEXT PRIMARY KEY,
      account_id BIGINT NOT NULL REFERENCES account (id),
      amount BIGINT NOT NULL CHECK (amount > 0),
      why TEXT NOT NULL,
      expires_at DOUBLE PRECISION,
      state TEXT NOT NULL CHECK (state IN ('open', 'released', 'spent'))
    )
    """,
    """
    CREATE TABLE budget (
      id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      scope TEXT NOT NULL CHECK (scope IN ('call', 'account', 'contact', 'person', 'agency')),
      scope_id TEXT NOT NULL,
      set_by TEXT NOT NULL,
      unit TEXT NOT NULL CHECK (unit IN ('micros', 'seconds')),
      period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'ever')),
      zone TEXT NOT NULL,
      resets_at DOUBLE PRECISION NOT NULL,
      cap BIGINT NOT NULL CHECK (cap >= 0),
      used BIGINT NOT NULL DEFAULT 0 CHECK (used >= 0),
      held BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0),
      UNIQUE (scope, scope_id, set_by, unit, period)
    )
    """,
    """
    CREATE TABLE meter_budget (
      call_id BIGINT NOT NULL REFERENCES meter (call_id),
      budget_id BIGINT NOT NULL REFERENCES budget (id),
      held BIGINT NOT NULL CHECK (held >= 0),
      PRIMARY KEY (call_id, budget_id)
    )
    """,
    """
    CREATE TABLE node (
      id TEXT PRIMARY KEY,
      epoch BIGINT NOT NULL,
      boot_id TEXT NOT NULL,
      lease_until DOUBLE PRECISION NOT NULL
    )
    """,
    """
    CREATE TABLE day_hash (
      day TEXT PRIMARY KEY,
      last_seq BIGINT NOT NULL,
      count BIGINT NOT NULL,
      hash TEXT NOT NULL,
      prev_hash TEXT NOT NULL
    )
    """,
    """
    CREATE FUNCTION is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'a % is never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER transfer_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
      FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed()
    """,
    """
    CREATE TRIGGER quote_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON quote
      FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed()
    """,
)

REVISIONS: Final[tuple[tuple[str, ...], ...]] = (_TABLES,)
"""Each is carried out once, in order."""

_GRANTS: Final = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "REVOKE UPDATE, DELETE ON transfer, quote FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE ON revision FROM {role}",
)
"""What the switch may do. It is not the owner of the tables, so it cannot drop a trigger (M10)."""


async def bring_up_to_date(link: Link, *, role: str) -> int:
    """Carry out what is missing, as the owner of the tables; return the revision.

    Args:
        link: a connection of the owner, in a transaction.
        role: whom the switch connects as; plain letters, made by the operator.
    """
    assert role.isidentifier()
    await link.execute("SELECT pg_advisory_xact_lock(7051)")
    await link.execute("CREATE TABLE IF NOT EXISTS revision (number INTEGER PRIMARY KEY)")
    done = await link.fetchval("SELECT coalesce(max(number), 0) FROM revision")
    for number, statements in enumerate(REVISIONS[done:], done + 1):
        for statement in statements:
            await link.execute(statement)
        await link.execute("INSERT INTO revision VALUES ($1)", number)
    for grant in _GRANTS:
        await link.execute(grant.format(role=role))
    return len(REVISIONS)
