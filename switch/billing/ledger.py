"""Double entry: what may move, in which order it is refused, how a charge is divided. Pure.

A transfer takes from its debit account and gives to its credit account. What is owed to an
owner is positive. A refusal is a value; the members of each enum stand in order of precedence,
and the function that judges is a ladder in the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

import msgspec

from switch.billing.credit import Credit, amount_back
from switch.billing.quote import Quote
from switch.billing.rating import charge
from switch.ids import AccountId, CallId
from switch.money import Micros

NOTHING: Final = Micros(0)
"""No money."""

NO_CALL: Final = CallId(0)
"""No call has this id."""


class Purse(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What stands on one account."""

    posted: Micros
    held: Micros
    floor: Micros | None
    """None: a book; it has no floor."""
    funded: Micros = NOTHING
    """All that was ever paid in; it only rises, so a top-up shows."""

    @property
    def available(self) -> Micros:
        """What may still be reserved or moved away."""
        return Micros(self.posted - self.held - (self.floor or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A purse or a book."""

    id: AccountId
    kind: str
    owner: str
    facility: str
    currency: str
    purse: Purse
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement of money. Its id is chosen by its cause, so a repeat is recognised."""

    id: str
    debit: AccountId
    credit: AccountId
    amount: Micros
    code: str
    ref: str

    @property
    def body_hash(self) -> str:
        """Proves that a repeat says the same."""
        body = f"{self.debit}\n{self.credit}\n{self.amount}\n{self.code}\n{self.ref}"
        return sha256(body.encode()).hexdigest()


class TransferResult(Enum):
    """What became of a transfer; refusals first, in order of precedence."""

    AMOUNT_NOT_POSITIVE = "amount_not_positive"
    SAME_ACCOUNT = "same_account"
    EXISTS_WITH_ANOTHER_BODY = "exists_with_another_body"
    EXISTS = "exists"
    """A repeat: nothing is written, the first result stands."""
    DEBIT_UNKNOWN = "debit_unknown"
    CREDIT_UNKNOWN = "credit_unknown"
    CURRENCY_DIFFERS = "currency_differs"
    DEBIT_CLOSED = "debit_closed"
    CREDIT_CLOSED = "credit_closed"
    EXCEEDS_FUNDS = "exceeds_funds"
    OK = "ok"

    @property
    def is_done(self) -> bool:
        """True if the money stands where the transfer wanted it."""
        return self in {TransferResult.OK, TransferResult.EXISTS}


class Refusal(Enum):
    """Why a call was granted less than it asked for."""

    FUNDS = "funds"
    PAYER_LIMIT = "payer_limit"


class ReserveResult(Enum):
    """Why no money could be reserved, in order of precedence."""

    CALL_ENDED = "call_ended"
    """This call was already settled or voided."""
    ACCOUNT_UNKNOWN = "account_unknown"
    ACCOUNT_CLOSED = "account_closed"
    CURRENCY_DIFFERS = "currency_differs"
    PAYER_LIMIT = "payer_limit"
    NO_FUNDS = "no_funds"
    NODE_FENCED = "node_fenced"
    """This node lost its lease: another settles its meters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Money is set aside for the first seconds of a call."""

    paid_s: int
    purse: Purse
    """The account after it."""
    refused: Refusal | None
    """Set if less than a horizon was granted: there is not more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The end of a call's money, as the ledger has it. Told twice, it says the same."""

    call: CallId
    seconds: int
    charged: Micros
    taxes: Micros
    """Part of `charged`."""
    credited: Micros
    """Given back of `charged` by itself."""
    credits: tuple[tuple[str, Micros], ...]
    """The transfers that gave it back."""
    postings: tuple[str, ...]
    """All transfers of the call, in order."""

    @classmethod
    def nothing(cls, call: CallId = NO_CALL) -> "Settled":
        """Make the end of a call that nobody paid for."""
        return cls(
            call=call,
            seconds=0,
            charged=NOTHING,
            taxes=NOTHING,
            credited=NOTHING,
            credits=(),
            postings=(),
        )


def judge(
    transfer: Transfer,
    *,
    known_body_hash: str | None,
    debit: Account | None,
    credit: Account | None,
) -> TransferResult:
    """Say what becomes of a transfer.

    Args:
        transfer: what is wanted.
        known_body_hash: of the transfer that already has this id; None if none has.
        debit: the account that gives; None if there is none.
        credit: the account that gets; None if there is none.
    """
    ladder = (
        (transfer.amount <= 0, TransferResult.AMOUNT_NOT_POSITIVE),
        (transfer.debit == transfer.credit, TransferResult.SAME_ACCOUNT),
        (
            known_body_hash is not None and known_body_hash != transfer.body_hash,
            TransferResult.EXISTS_WITH_ANOTHER_BODY,
        ),
        (known_body_hash is not None, TransferResult.EXISTS),
    )
    for is_so, result in ladder:
        if is_so:
            return result
    return _judge_accounts(transfer, debit, credit)


def _judge_accounts(
    transfer: Transfer, debit: Account | None, credit: Account | None
) -> TransferResult:
    if debit is None:
        return TransferResult.DEBIT_UNKNOWN
    if credit is None:
        return TransferResult.CREDIT_UNKNOWN
    if debit.currency != credit.currency:
        return TransferResult.CURRENCY_DIFFERS
    if not debit.is_open:
        return TransferResult.DEBIT_CLOSED
    if not credit.is_open:
        return TransferResult.CREDIT_CLOSED
    if debit.purse.floor is not None and debit.purse.available < transfer.amount:
        return TransferResult.EXCEEDS_FUNDS
    return TransferResult.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a settlement, before the books have their account numbers."""

    id: str
    book: str
    """The book across from the payer."""
    line: str
    """The line of the quote that this belongs to."""
    amount: Micros
    code: str
    """`settle` takes from the payer, `credit` gives back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the end of a call moves."""

    charged: Micros
    taxes: Micros
    credited: Micros
    entries: tuple[Entry, ...]


CREDITS = "credits"
"""The book that pays back what was our fault."""


def settlement(call: CallId, quote: Quote, *, seconds: int, credit: Credit) -> Settlement:
    """Divide the charge of a call over the lines of its quote, and what comes back with it."""
    counted = 0 if credit is Credit.FREE else seconds
    charged = charge(quote.rate, counted)
    shares = divide(charged, [line.micros_per_minute for line in quote.lines])
    back = amount_back(quote.rate, counted, credit)
    returns = divide(back, shares)
    settled = [
        Entry(
            id=f"call:{call}:settle:{n}",
            book=line.book,
            line=line.book,
            amount=share,
            code="settle",
        )
        for n, (line, share) in enumerate(zip(quote.lines, shares, strict=True))
        if share > 0
    ]
    returned = [
        Entry(
            id=f"call:{call}:credit:{n}", book=CREDITS, line=line.book, amount=share, code="credit"
        )
        for n, (line, share) in enumerate(zip(quote.lines, returns, strict=True))
        if share > 0
    ]
    taxes = sum(e.amount for e in settled if e.book.startswith("tax:"))
    return Settlement(
        charged=charged, taxes=Micros(taxes), credited=back, entries=(*settled, *returned)
    )


def divide(amount: Micros, weights: Sequence[int]) -> list[Micros]:
    """Divide an amount by weight and largest remainder; the parts add up to it exactly."""
    total = sum(weights)
    if total == 0:
        assert amount == 0
        return [Micros(0) for _ in weights]
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return [Micros(part) for part in parts]
