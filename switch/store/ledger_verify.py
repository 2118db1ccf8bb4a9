"""Does the ledger prove itself? One query for each rule that stored rows can break.

The rules that no row can show are held elsewhere: M6 (posting leaves `available` as it was), M9's
refusal and M13's cap by tests of random histories, M12 (no way from a CDR to a transfer) by an
import contract.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from switch.billing.ledger import Transfer
from switch.billing.quote import Quote, proves_itself
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_seal
from switch.store.vault import Raw, is_shared


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule, in words."""

    rule: str
    says: str


# fmt: off
Query = tuple[str, str, str]
"""The rule, what is said of a row that breaks it, and what finds such rows."""

QUERIES: Final[tuple[Query, ...]] = (
    ("M1", "all {0} accounts together hold {1} micros instead of 0",
     "SELECT currency, sum(posted) FROM account GROUP BY currency HAVING sum(posted) <> 0"),
    ("M2", "account {0} stands at {1} and its transfers and live meters say {2}",
     """
     SELECT id, posted, said FROM (
       SELECT a.id, a.posted,
         coalesce((SELECT sum(amount) FROM transfer WHERE credit = a.id), 0)
         - coalesce((SELECT sum(amount) FROM transfer WHERE debit = a.id), 0)
         - coalesce((SELECT sum(posted) FROM live_meter WHERE account_id = a.id), 0)
         + CASE WHEN a.kind = 'in_flight' THEN coalesce((
             SELECT sum(m.posted) FROM live_meter m JOIN account p ON p.id = m.account_id
              WHERE m.node = a.owner AND p.currency = a.currency), 0)
           ELSE 0 END AS said
         FROM account a) AS stands
      WHERE posted <> said
     """),
    ("M3", "account {0} holds {1} and its meters and holds say {2}",
     """
     SELECT id, held, said FROM (
       SELECT a.id, a.held,
         coalesce((SELECT sum(hold) FROM live_meter WHERE account_id = a.id), 0)
         + coalesce((SELECT sum(amount) FROM hold WHERE account_id = a.id AND state = 'open'), 0)
           AS said
         FROM account a) AS stands
      WHERE held <> said OR held < 0
     """),
    ("M4", "account {0} has {1} left above its floor",
     "SELECT id, posted - held - floor FROM account WHERE posted - held < floor"),
    ("M5", "meter {0}: seq {1}, paid {2}, charged {3}, posted {4}, hold {5} do not fit together",
     """
     SELECT call_id, seq, paid_s, charged, posted, hold FROM meter
      WHERE NOT (0 <= seq AND seq <= paid_s AND posted <= charged
        AND charged = micros_per_minute * max(0, seq - free_s) / 60
        AND hold = CASE WHEN state IN ('RESERVED', 'LIVE')
          THEN micros_per_minute * max(0, paid_s - free_s) / 60 - posted ELSE 0 END)
     """),
    ("M8", "call {0} was charged {1} and its settle rows add up to {2}",
     """
     SELECT call_id, charged, said FROM (
       SELECT m.call_id,
         CASE WHEN state IN ('RESERVED', 'LIVE') THEN 0 ELSE m.charged END AS charged,
         (SELECT coalesce(sum(amount), 0) FROM transfer
           WHERE ref = 'call:' || m.call_id AND code = 'settle') AS said FROM meter m) AS stands
      WHERE charged <> said
     """),
    ("M11", "call {0} was charged {1} and {2} came back",
     """
     SELECT m.call_id, m.charged, sum(t.amount) FROM meter m
       JOIN transfer t ON t.ref = 'call:' || m.call_id AND t.code = 'credit'
      GROUP BY m.call_id HAVING sum(t.amount) > m.charged
     """),
    ("M11", "source {0} gave {1} and {2} went back to it",
     """
     SELECT t.id, t.amount, sum(r.amount) FROM transfer t
       JOIN transfer r ON r.ref = t.id AND r.code IN ('refund', 'dispute')
      GROUP BY t.seq, t.id, t.amount HAVING sum(r.amount) > t.amount
     """),
    ("M13", "limit {0} holds {1} and its live calls say {2}",
     """
     SELECT b.id, b.held, coalesce(sum(m.held), 0) FROM budget b
       LEFT JOIN meter_budget m ON m.budget_id = b.id
      GROUP BY b.id HAVING b.held <> coalesce(sum(m.held), 0)
     """),
)
"""Those that are the same on every database, but for the greatest of two numbers."""

_OF_SQLITE: Final[tuple[Query, ...]] = (
    ("M7", "call {0} was charged for {1} s and talked {2} s",
     """
     SELECT m.call_id, m.seq, r.talked_s FROM meter m JOIN call_record r USING (call_id)
      WHERE m.seq > r.talked_s + 0.000002
     """),
    ("M10", "the guard {0} is missing",
     """
     SELECT name FROM (SELECT 'transfer_is_never_changed' AS name
                       UNION SELECT 'transfer_is_never_removed')
      WHERE name NOT IN (SELECT name FROM sqlite_master WHERE type = 'trigger')
     """),
    ("M14", "the guard {0} is missing",
     """
     SELECT name FROM (SELECT 'quote_is_never_changed' AS name
                       UNION SELECT 'quote_is_never_removed')
      WHERE name NOT IN (SELECT name FROM sqlite_master WHERE type = 'trigger')
     """),
    ("M14", "meter {0} counts {1} a minute, which is not what its quote says",
     """
     SELECT m.call_id, m.micros_per_minute FROM meter m JOIN quote q ON q.id = m.quote_id
      WHERE m.free_s <> json_extract(q.body, '$.free_s') OR m.micros_per_minute <> (
        SELECT coalesce(sum(json_extract(value, '$.micros_per_minute')), 0)
          FROM json_each(q.body, '$.lines'))
     """),
)

_OF_POSTGRES: Final[tuple[Query, ...]] = (
    ("M10", "the guard {0} is missing",
     """
     SELECT name FROM (VALUES ('transfer_is_never_changed'), ('transfer_is_never_removed'))
         AS wanted(name)
      WHERE name NOT IN (SELECT tgname FROM pg_trigger WHERE tgenabled = 'O')
     """),
    ("M10", "the role {0} may change transfers",
     """
     SELECT current_user WHERE has_table_privilege('transfer', 'UPDATE')
         OR has_table_privilege('transfer', 'DELETE') OR has_table_privilege('transfer', 'TRUNCATE')
     """),
    ("M14", "the guard {0} is missing",
     """
     SELECT name FROM (VALUES ('quote_is_never_changed'), ('quote_is_never_removed'))
         AS wanted(name)
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

TALKED_S_MARGIN: Final = 0.000_002
"""A record keeps microseconds, rounded. By definition, twice over."""

TRANSFERS: Final = "SELECT id, debit, credit, amount, code, ref, body_hash FROM transfer"
QUOTES: Final = "SELECT id, version_hash, body FROM quote"


def verify(raw: Raw) -> list[Fault]:
    """Return every broken rule; an empty list is a proof."""
    faults = [
        Fault(rule, says.format(*row))
        for rule, says, query in (_of_postgres() if is_shared(raw) else (*QUERIES, *_OF_SQLITE))
        for row in raw.execute(query)
    ]
    faults += faults_of_transfers(raw.execute(TRANSFERS))
    faults += faults_of_quotes(raw.execute(QUOTES))
    return faults + faults_of_seals(ledger_seal.broken_days(raw))


def _of_postgres() -> list[Query]:
    """The same questions in PostgreSQL's words."""
    same = [(rule, says, query.replace("max(0,", "greatest(0,")) for rule, says, query in QUERIES]
    return [*same, *_OF_POSTGRES]


def faults_of_records(raw: Raw, talked_s: Mapping[int, float]) -> list[Fault]:
    """Hold the meters against this node's call records, where they stand apart (M7)."""
    return [
        Fault("M7", f"call {call} was charged for {seq} s and talked {talked_s[call]} s")
        for call, seq in raw.execute("SELECT call_id, seq FROM meter")
        if call in talked_s and seq > talked_s[call] + TALKED_S_MARGIN
    ]


def faults_of_transfers(rows: Iterable[Sequence[Any]]) -> list[Fault]:
    """Hold each transfer against the hash that it was written with."""
    faults = []
    for id_, debit, credit, amount, code, ref, body_hash in rows:
        row = Transfer(
            id=id_,
            debit=AccountId(debit),
            credit=AccountId(credit),
            amount=Micros(amount),
            code=code,
            ref=ref,
        )
        if row.body_hash != body_hash:
            faults.append(Fault("M9", f"transfer {id_} does not say what its hash was made of"))
    return faults


def faults_of_quotes(rows: Iterable[Sequence[Any]]) -> list[Fault]:
    """Let each quote prove itself, and hold it against the cap that it names."""
    faults = []
    for id_, version_hash, body in rows:
        quote = msgspec.json.decode(body, type=Quote)
        if quote.id != id_ or quote.version_hash != version_hash or not proves_itself(quote):
            faults.append(Fault("M14", f"quote {id_} does not say what its name was made of"))
        cap = quote.cap_micros_per_minute
        if cap is not None and quote.price_micros_per_minute > cap:
            faults.append(Fault("M14", f"quote {id_} is above the cap of {cap} micros a minute"))
    return faults


def faults_of_seals(days: Iterable[str]) -> list[Fault]:
    """Name the days whose seal is broken."""
    return [Fault("M15", f"the transfers of {day} are not those that were sealed") for day in days]
