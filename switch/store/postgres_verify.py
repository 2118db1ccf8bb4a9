"""The ledger's proof and its seals on PostgreSQL: the same rules, the same hashes. In a deed."""

from itertools import pairwise
from typing import Final

from switch.chain import FIRST_LINK
from switch.chain import link as chained
from switch.store.ledger_seal import BEFORE_ALL, DAY_S, body_of
from switch.store.ledger_verify import (
    QUERIES,
    QUOTES,
    TRANSFERS,
    Fault,
    Query,
    faults_of_quotes,
    faults_of_seals,
    faults_of_transfers,
)
from switch.store.postgres_link import Link

# fmt: off
_OF_POSTGRES: Final[tuple[Query, ...]] = (
    ("M10", "the guard {0} is missing",
     """
     SELECT name FROM (VALUES ('transfer_is_never_changed')) AS wanted(name)
      WHERE name NOT IN (SELECT tgname FROM pg_trigger WHERE tgenabled = 'O')
     """),
    ("M10", "the role {0} may change transfers",
     """
     SELECT current_user WHERE has_table_privilege('transfer', 'UPDATE')
         OR has_table_privilege('transfer', 'DELETE') OR has_table_privilege('transfer', 'TRUNCATE')
     """),
    ("M14", "the guard {0} is missing",
     """
     SELECT name FROM (VALUES ('quote_is_never_changed')) AS wanted(name)
      WHERE name NOT IN (SELECT tgname FROM pg_trigger WHERE tgenabled = 'O')
     """),
    ("M14", "meter {0} counts {1} a minute, which is not what its quote says",
     """
     SELECT m.call_id, m.micros_per_minute FROM meter m JOIN quote q ON q.id = m.quote_id
      WHERE m.free_s <> (q.body::json ->> 'free_s')::int OR m.micros_per_minute <> (
        SELECT coalesce(sum((line ->> 'micros_per_minute')::bigint), 0)
          FROM json_array_elements(q.body::json -> 'lines') AS line)
     """),
)
# fmt: on

_LAST: Final = "SELECT day, last_seq, hash FROM day_hash ORDER BY day DESC LIMIT 1"
_ROWS: Final = """
SELECT seq, id, debit, credit, amount, code, ref, at FROM transfer
 WHERE seq > $1 AND seq <= $2 ORDER BY seq
"""
_DAYS: Final = """
SELECT to_char(to_timestamp(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, max(seq) FROM transfer
 WHERE seq > $1 AND at < $2 GROUP BY day ORDER BY day
"""
_SEAL: Final = "INSERT INTO day_hash VALUES ($1, $2, $3, $4, $5)"
_SEALS: Final = "SELECT day, last_seq, count, hash, prev_hash FROM day_hash ORDER BY day"


async def verify(link: Link) -> list[Fault]:
    """Return every broken rule; an empty list is a proof."""
    faults = [
        Fault(rule, says.format(*row))
        for rule, says, query in (*QUERIES, *_OF_POSTGRES)
        for row in await link.fetch(query.replace("max(0,", "greatest(0,"))
    ]
    faults += faults_of_transfers(await link.fetch(TRANSFERS))
    faults += faults_of_quotes(await link.fetch(QUOTES))
    return faults + faults_of_seals(await broken_days(link))


async def seal_days(link: Link, *, at: float) -> list[str]:
    """Seal every day (UTC) that is over and has transfers; return their names."""
    await link.execute("SELECT pg_advisory_xact_lock(7052)")
    last = await link.fetchrow(_LAST)
    last_day, last_seq, previous = last if last is not None else ("", BEFORE_ALL, FIRST_LINK)
    sealed = []
    for day, through in await link.fetch(_DAYS, last_seq, at - at % DAY_S):
        if day <= last_day or through <= last_seq:
            continue
        rows = await link.fetch(_ROWS, last_seq, through)
        seal = chained(previous, body_of(rows))
        await link.execute(_SEAL, day, through, len(rows), seal, previous)
        last_day, last_seq, previous = day, through, seal
        sealed.append(day)
    return sealed


async def broken_days(link: Link) -> list[str]:
    """Return the sealed days whose rows are not what was sealed."""
    seals = [tuple(row) for row in await link.fetch(_SEALS)]
    start = ("", BEFORE_ALL, 0, FIRST_LINK, "")
    broken = []
    for before, (day, last_seq, count, seal, previous) in pairwise([start, *seals]):
        rows = await link.fetch(_ROWS, before[1], last_seq)
        found = chained(previous, body_of(rows))
        if previous != before[3] or len(rows) != count or found != seal:
            broken.append(day)
    return broken
