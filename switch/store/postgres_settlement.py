"""The statements that end a call's money on PostgreSQL: settle, void, the rest of a credit.

Each runs inside a deed. The order of locks is the meter, its limits, then payer and books by id.
What is to be moved is then moved in one statement: each is a round trip while the payer waits.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from switch.billing.credit import Credit
from switch.billing.ledger import CREDITS, Entry, Settled, Transfer, settlement
from switch.billing.quote import FACILITY_PART, Quote
from switch.billing.rating import to_ns, whole_seconds
from switch.errors import LocalError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import postgres_ledger
from switch.store.postgres_link import Link

_METER: Final = """
SELECT m.account_id, m.quote_id, m.bridged_ns, m.seq, m.paid_s, m.posted, m.hold, m.facility,
       m.node, m.state, a.currency
  FROM meter m JOIN account a ON a.id = m.account_id WHERE m.call_id = $1 FOR UPDATE OF m
"""
_WRITTEN_AND_MOVED: Final = """
WITH written AS (
  INSERT INTO transfer (id, debit, credit, amount, code, ref, at, body_hash)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[],
                       $6::text[], $7::float8[], $8::text[])
), changes AS (
  SELECT id, sum(amount)::bigint AS amount, sum(held)::bigint AS held
    FROM unnest($9::bigint[], $10::bigint[], $11::bigint[]) AS t(id, amount, held) GROUP BY id
)"""
_MOVE: Final = f"""{_WRITTEN_AND_MOVED}
UPDATE account a SET posted = a.posted + c.amount, held = a.held + c.held
  FROM changes c WHERE a.id = c.id
"""  # noqa: S608 - our own words
_SETTLE: Final = f"""{_WRITTEN_AND_MOVED}, moved AS (
  UPDATE account a SET posted = a.posted + c.amount, held = a.held + c.held
    FROM changes c WHERE a.id = c.id
)
UPDATE meter SET seq = $13, charged = $14, posted = $14, hold = 0, state = $15 WHERE call_id = $12
"""  # noqa: S608 - our own words
_TOLD: Final = """
SELECT t.id, t.amount, t.code, a.kind FROM transfer t JOIN account a ON a.id = t.credit
 WHERE t.ref = $1 ORDER BY t.seq
"""
_OPEN_STATES: Final = frozenset({"RESERVED", "LIVE"})

QUOTES_MAX: Final = 4_096
"""Quotes that are kept in memory. Chosen: far more than a day's different prices."""

Books = dict[tuple[str, ...], AccountId]
"""Books by kind, owner, facility and currency. A book never changes its id."""


class Known:
    """What one deed need not ask again: quotes and the ids of books never change.

    Args:
        quotes: those that are stored for certain; others are added.
        books: the same; what this deed finds is in `found`, and is certain once it is durable.
    """

    def __init__(self, quotes: dict[str, Quote], books: Books) -> None:
        self._quotes = quotes
        self._books = books
        self.found: Books = {}

    async def quote(self, link: Link, quote_id: str) -> Quote:
        """Return a stored quote.

        Raises:
            LocalError: there is none of this id.
        """
        if quote_id not in self._quotes:
            keep_quote(self._quotes, await quote_of(link, quote_id))
        return self._quotes[quote_id]

    async def book(
        self, link: Link, kind: str, *, owner: str, currency: str, at: float, facility: str = ""
    ) -> AccountId:
        """Return the one book of this kind and owner, opened if it is new."""
        key = (kind, owner, facility, currency)
        if key not in self._books and key not in self.found:
            self.found[key] = await postgres_ledger.book(
                link, kind, owner=owner, facility=facility, currency=currency, at=at
            )
        return self._books.get(key) or self.found[key]


def keep_quote(quotes: dict[str, Quote], quote: Quote) -> None:
    """Remember a quote that is stored."""
    if len(quotes) >= QUOTES_MAX:
        quotes.clear()
    quotes[quote.id] = quote


async def quote_of(link: Link, quote_id: str) -> Quote:
    """Return a stored quote.

    Raises:
        LocalError: there is none of this id.
    """
    body = await link.fetchval("SELECT body FROM quote WHERE id = $1", quote_id)
    if body is None:
        raise LocalError(f"there is no quote {quote_id}")
    return msgspec.json.decode(body, type=Quote)


async def settle(
    link: Link,
    call: CallId,
    *,
    seconds: int,
    credit: Credit,
    heard_until: float | None,
    known: Known,
    at: float,
) -> Settled:
    """End a call's money; see `meter_settlement.settle`, which says the same on SQLite."""
    row = await _locked_meter(link, call)
    if row["state"] not in _OPEN_STATES:
        return await told(link, call, seconds=row["seq"])
    quote = await known.quote(link, row["quote_id"])
    counted = 0 if credit is Credit.FREE else min(seconds, row["paid_s"])
    if credit is Credit.DEAD_60 and heard_until is not None and row["bridged_ns"] is not None:
        counted = min(counted, whole_seconds(to_ns(heard_until) - row["bridged_ns"]))
    ending = settlement(call, quote, seconds=counted, credit=credit)
    spent = Micros(ending.charged - ending.credited)
    await postgres_ledger.settle_limits(link, call, seconds=counted, spent=spent, at=at)
    back = row["posted"] - ending.charged + ending.credited
    movement = await _movement(link, call, row, ending.entries, known=known, back=back, at=at)
    closed = "VOID" if counted == 0 else "SETTLED"
    await link.execute(_SETTLE, *movement, call, counted, ending.charged, closed)
    return Settled(
        call=call,
        seconds=counted,
        charged=ending.charged,
        taxes=ending.taxes,
        credited=ending.credited,
        credits=tuple((e.id, e.amount) for e in ending.entries if e.code == "credit"),
        postings=tuple(entry.id for entry in ending.entries),
    )


async def told(link: Link, call: CallId, *, seconds: int) -> Settled:
    """Return the result of a call that was settled before, read from the ledger."""
    rows = await link.fetch(_TOLD, f"call:{call}")
    credits_ = tuple((id_, Micros(amount)) for id_, amount, code, _ in rows if code == "credit")
    settled = [(amount, kind) for _, amount, code, kind in rows if code == "settle"]
    return Settled(
        call=call,
        seconds=seconds,
        charged=Micros(sum(amount for amount, _ in settled)),
        taxes=Micros(sum(amount for amount, kind in settled if kind.startswith("tax:"))),
        credited=Micros(sum(amount for _, amount in credits_)),
        credits=credits_,
        postings=tuple(row[0] for row in rows),
    )


async def credit_rest(link: Link, call: CallId, *, known: Known, at: float) -> Micros:
    """Give back all that is left of a call's charge, once: review or silence said so (M11)."""
    row = await _locked_meter(link, call)
    if row["state"] in _OPEN_STATES:
        raise LocalError(f"call {call} is not settled yet")
    before = await told(link, call, seconds=row["seq"])
    rest = Micros(before.charged - before.credited)
    if rest > 0:
        entry = Entry(
            id=f"call:{call}:credit:rest", book=CREDITS, line="*", amount=rest, code="credit"
        )
        row = dict(row) | {"hold": 0, "posted": 0}
        movement = await _movement(link, call, row, [entry], known=known, back=rest, at=at)
        await link.execute(_MOVE, *movement)
    return rest


async def _locked_meter(link: Link, call: CallId) -> Any:  # noqa: ANN401 - a record
    row = await link.fetchrow(_METER, call)
    if row is None:
        raise LocalError(f"call {call} has no meter in the store")
    return row


async def _movement(
    link: Link,
    call: CallId,
    row: Any,  # noqa: ANN401 - a record
    entries: Sequence[Entry],
    *,
    known: Known,
    at: float,
    back: int,
) -> tuple[list[Any], ...]:
    """Lock payer and books; return the columns of `_MOVE` that post what the entries say.

    The payer gets `back`, and no longer holds what the call held.
    """
    payer, node, currency = AccountId(row["account_id"]), row["node"], row["currency"]
    flight = await known.book(link, "in_flight", owner=node, currency=currency, at=at)
    books = [
        await known.book(
            link,
            entry.book,
            owner=node,
            facility=row["facility"] if entry.book == FACILITY_PART else "",
            currency=currency,
            at=at,
        )
        for entry in entries
    ]
    await postgres_ledger.lock(link, {payer, flight, *books})
    told = [
        Transfer(
            id=entry.id,
            debit=book if entry.code == "credit" else payer,
            credit=payer if entry.code == "credit" else book,
            amount=entry.amount,
            code=entry.code,
            ref=f"call:{call}",
        )
        for entry, book in zip(entries, books, strict=True)
    ]
    posts = [(payer, back, -row["hold"]), (flight, -row["posted"], 0)]
    for entry, book in zip(entries, books, strict=True):
        posts.append((book, -entry.amount if entry.code == "credit" else entry.amount, 0))
    return (*postgres_ledger.columns_of(told, at=at), *map(list, zip(*posts, strict=True)))
