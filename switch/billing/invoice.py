"""A month of an account as an invoice: equal to the ledger, or it does not exist. Pure.

Micros add up first; what is asked for is floored to whole cents, and the rest of a cent is ours.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from switch.errors import LocalError
from switch.money import MICROS_PER_CENT

DUE_DAYS: Final = 20
"""After it was issued. money.md section 5."""

DAY_S: Final = 86_400
"""By definition."""

HEADING: Final = (
    f"{'started (UTC)':<20}{'number':<17}{'seconds':>8}{'a minute':>11}{'price':>13}"
    f"{'taxes':>12}{'credit':>13}"
)
CSV_HEAD: Final = (
    "call", "started", "number", "seconds", "rate", "price", "taxes", "credits", "total",
)  # fmt: skip


class InvoiceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One call."""

    call: int
    started_at: float
    """Wall time."""
    number: str
    seconds: int
    micros_per_minute: int
    price: int
    """Micros without taxes."""
    taxes: dict[str, int]
    """Micros by the book that they went to."""
    credited: int

    @property
    def total(self) -> int:
        """What the call costs in the end, in micros."""
        return self.price + sum(self.taxes.values()) - self.credited


class Movement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Money that moved otherwise: a payment, a correction."""

    id: str
    at: float
    code: str
    amount: int
    """Micros; what came in is positive."""


class Invoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One account and month. Make it with `make_invoice`."""

    number: int
    """Without gaps; 0 is a draft."""
    account: int
    owner: str
    currency: str
    period: str
    """`2026-11`, UTC."""
    issued_at: float
    due_at: float
    opening: int
    """What stood on the account before, in micros."""
    lines: tuple[InvoiceLine, ...]
    movements: tuple[Movement, ...]
    closing: int

    @property
    def total(self) -> int:
        """What the calls of the month cost, in micros."""
        return sum(line.total for line in self.lines)

    @property
    def total_cents(self) -> int:
        """What is asked for."""
        return max(0, self.total) // MICROS_PER_CENT

    @property
    def rest(self) -> int:
        """The part of a cent that is not asked for, in micros."""
        return max(0, self.total) % MICROS_PER_CENT

    @property
    def taxes(self) -> Mapping[str, int]:
        """All taxes of the month by book."""
        sums: dict[str, int] = {}
        for line in self.lines:
            for book, amount in line.taxes.items():
                sums[book] = sums.get(book, 0) + amount
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the ledger says by itself, added up by the database and not from the lines."""

    opening: int
    closing: int
    settled: int
    """All that was taken for calls."""
    credited: int
    """All that was given back for calls."""


def make_invoice(
    *,
    number: int,
    account: int,
    owner: str,
    currency: str,
    period: str,
    issued_at: float,
    lines: Iterable[InvoiceLine],
    movements: Iterable[Movement],
    sums: Sums,
) -> Invoice:
    """Put an invoice together and hold it against the ledger.

    Raises:
        LocalError: it does not add up to what the ledger says.
    """
    invoice = Invoice(
        number=number,
        account=account,
        owner=owner,
        currency=currency,
        period=period,
        issued_at=issued_at,
        due_at=issued_at + DUE_DAYS * DAY_S,
        opening=sums.opening,
        lines=tuple(lines),
        movements=tuple(movements),
        closing=sums.closing,
    )
    settled = sum(line.total + line.credited for line in invoice.lines)
    credited = sum(line.credited for line in invoice.lines)
    moved = sum(movement.amount for movement in invoice.movements)
    ours = (settled, credited, invoice.opening - invoice.total + moved)
    if ours != (sums.settled, sums.credited, sums.closing):
        raise LocalError(
            f"the invoice of account {account} for {period} says {ours} and the ledger"
            f" {(sums.settled, sums.credited, sums.closing)}; it is not issued"
        )
    return invoice


def month_bounds(period: str) -> tuple[float, float]:
    """Return the first moment of a month and of the next one, in wall time.

    Raises:
        ValueError: it is no month.
    """
    start = datetime.strptime(period, "%Y-%m").replace(tzinfo=UTC)
    after = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start.timestamp(), after.timestamp()


def invoice_csv(invoice: Invoice) -> str:
    """Write the calls, then the sums; amounts in dollars with six decimals, exact."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for line in invoice.lines:
        writer.writerow(
            (
                line.call,
                _moment(line.started_at),
                line.number,
                line.seconds,
                exact(line.micros_per_minute),
                exact(line.price),
                exact(sum(line.taxes.values())),
                exact(line.credited),
                exact(line.total),
            )
        )
    for book, amount in sorted(invoice.taxes.items()):
        writer.writerow((f"sum of {book}", "", "", "", "", "", exact(amount), "", ""))
    writer.writerow(("sum", "", "", "", "", "", "", "", exact(invoice.total)))
    writer.writerow(("to pay", "", "", "", "", "", "", "", cents(invoice.total_cents)))
    return out.getvalue()


def invoice_text(invoice: Invoice) -> list[str]:
    """Write the invoice as lines of at most 96 characters, for paper."""
    title = f"INVOICE {invoice.number}" if invoice.number else "DRAFT OF AN INVOICE"
    head = [
        f"{title}    account {invoice.account}    {invoice.owner}",
        f"Calls of {invoice.period} (UTC), in {invoice.currency}",
        f"Issued {_moment(invoice.issued_at)[:10]}    Due {_moment(invoice.due_at)[:10]}",
        "",
        HEADING,
    ]
    calls = [
        f"{_moment(x.started_at):<20}{x.number:<17}{x.seconds:>8}{exact(x.micros_per_minute):>11}"
        f"{exact(x.price):>13}{exact(sum(x.taxes.values())):>12}{exact(x.credited):>13}"
        for x in invoice.lines
    ]
    moves = [
        f"{_moment(x.at):<20}{x.code:<12}{x.id:<40.40}{exact(x.amount):>20}"
        for x in invoice.movements
    ]
    return [*head, *calls, "", *_sums(invoice), "", "Payments and corrections", *moves]


def _sums(invoice: Invoice) -> Sequence[str]:
    price = sum(line.price for line in invoice.lines)
    credited = sum(line.credited for line in invoice.lines)
    rows = [
        (f"{len(invoice.lines)} calls, {sum(x.seconds for x in invoice.lines)} seconds", price),
        *((f"Tax: {book.removeprefix('tax:')}", n) for book, n in sorted(invoice.taxes.items())),
        ("Credits", -credited),
        ("Sum", invoice.total),
        ("Not asked for (less than a cent)", -invoice.rest),
    ]
    asked = f"{'TO PAY':<60}{cents(invoice.total_cents):>20}"
    return [*(f"{label:<60}{exact(amount):>20}" for label, amount in rows), asked]


def exact(micros: int) -> str:
    """An amount in dollars with all its six decimals."""
    sign = "-" if micros < 0 else ""
    whole, part = divmod(abs(micros), 1_000_000)
    return f"{sign}{whole}.{part:06d}"


def cents(amount: int) -> str:
    """An amount of whole cents in dollars."""
    return f"{amount // 100}.{amount % 100:02d}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
