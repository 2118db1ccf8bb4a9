"""Months of an account, and invoices: on the page, as PDF and as CSV."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from switch.billing.invoice import exact, invoice_csv, invoice_text, month_bounds
from switch.billing.ledger import Account
from switch.billing.pdf_page import pdf_of
from switch.store import payer_statements
from switch.store.invoice_statements import INVOICED_KINDS
from switch.store.payer_statements import Month, Move
from switch.store.vault import Raw
from switch.web.family_desk import HOME, FamilyDesk, id_in, moment
from switch.web.words import Words

MOVES_MAX: Final = 5_000
"""Movements of one month. Chosen: an attorney's office makes two hundred calls a day."""

MONTHS_MAX: Final = 36
"""Months that the page offers. Chosen: three years."""

_MONTH: Final = re.compile(r"2\d{3}-[01]\d", re.ASCII)

KNOWN_CODES: Final = frozenset(
    {"fund", "settle", "credit", "refund", "payout", "dispute", "rounding"}
)
"""Movements that have words of their own."""


@dataclass(frozen=True, slots=True)
class FamilyStatement:
    """The handlers of statements and invoices.

    Args:
        desk: draws, and knows whose account it is.
    """

    desk: FamilyDesk

    def routes(self) -> list[Route]:
        """Return the addresses."""
        account = HOME + "/account/{account:int}"
        return [
            Route(f"{account}/money", self.month),
            Route(account + "/money/{month}.{kind}", self.paper),
            Route(account + "/invoice/{number:int}.{kind}", self.invoice),
        ]

    async def month(self, request: Request) -> Response:
        """A month of movements, the newest first, and what was invoiced."""
        payer, account = await self.desk.mine(request)
        at = self.desk.clock.wall()
        asked = request.query_params.get("month", "") or _month(at)
        opened = await self.desk.vault.read(lambda raw: payer_statements.opened_at(raw, account.id))
        found = await self._month(account, asked)
        invoices = await self.desk.vault.read(
            lambda raw: payer_statements.invoices_of(raw, account.id)
        )
        words, zone = self.desk.words(request), self.desk.zone(account)
        moves = [
            (moment(move.at, zone, words), _said(move, words), move.amount, move.balance)
            for move in reversed(found.moves)
        ]
        return self.desk.page(
            request,
            "family_money.html",
            payer,
            account=account,
            month=asked,
            months=list(_months(opened, at)),
            moves=moves,
            found=found,
            invoices=invoices,
            is_invoiced=account.kind in INVOICED_KINDS,
        )

    async def _month(self, account: Account, month: str) -> Month:
        """Read a month.

        Raises:
            HTTPException: 404, it is none.
        """
        try:
            if not _MONTH.fullmatch(month):
                raise HTTPException(404)
            start, after = month_bounds(month)
        except (ValueError, OverflowError) as error:
            raise HTTPException(404) from error

        def look(raw: Raw) -> Month:
            return payer_statements.month_of(raw, account.id, start, after, rows_max=MOVES_MAX)

        return await self.desk.vault.read(look)

    async def paper(self, request: Request) -> Response:
        """A month as a file."""
        _, account = await self.desk.mine(request)
        month, kind = request.path_params["month"], request.path_params["kind"]
        found = await self._month(account, month)
        words = self.desk.words(request)
        stem = f"statement-{account.id}-{month}"
        if kind == "csv":
            return _file(_statement_csv(found, words).encode(), "csv", stem)
        lines = _statement_text(found, account, month, words)
        return _file(pdf_of(lines, title=stem), kind, stem)

    async def invoice(self, request: Request) -> Response:
        """An invoice as it was issued."""
        _, account = await self.desk.mine(request)
        number, kind = id_in(request, "number"), request.path_params["kind"]
        found = await self.desk.vault.read(
            lambda raw: payer_statements.invoices_of(raw, account.id, number=number)
        )
        if not found:
            raise HTTPException(404)
        stem = f"invoice-{number:06d}-{account.id}-{found[0].period}"
        if kind == "csv":
            return _file(invoice_csv(found[0]).encode(), "csv", stem)
        return _file(pdf_of(invoice_text(found[0]), title=f"Invoice {number}"), kind, stem)


def _file(body: bytes, kind: str, stem: str) -> Response:
    types = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}
    if kind not in types:
        raise HTTPException(404)
    said = {"content-disposition": f'attachment; filename="{stem}.{kind}"'}
    return Response(body, media_type=types[kind], headers=said)


def _said(move: Move, words: Words) -> str:
    code = move.code if move.code in KNOWN_CODES else "other"
    return words(f"f.move.{code}")


def _statement_csv(found: Month, words: Words) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("at (UTC)", "code", "what", "amount", "balance", "id"))
    writer.writerow(("", "", words("f.money.opening"), "", exact(found.opening), ""))
    for move in found.moves:
        writer.writerow(
            (
                _utc(move.at),
                move.code,
                _said(move, words),
                exact(move.amount),
                exact(move.balance),
                move.id,
            )
        )
    writer.writerow(("", "", words("f.money.closing"), "", exact(found.closing), ""))
    return out.getvalue()


def _statement_text(found: Month, account: Account, month: str, words: Words) -> list[str]:
    """Write a month as lines of at most 96 characters, for paper."""
    rows = [
        f"{_utc(move.at):<21}{_said(move, words):<43.43}"
        f"{exact(move.amount):>15}{exact(move.balance):>17}"
        for move in found.moves
    ]
    return [
        f"{words('f.account', n=account.id)}    {month} (UTC)    {account.currency}",
        "",
        f"{words('f.money.opening'):<79}{exact(found.opening):>17}",
        *rows,
        f"{words('f.money.closing'):<79}{exact(found.closing):>17}",
    ]


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _month(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def _months(opened_at: float, at: float) -> Iterator[str]:
    """Go back month by month to the one in which the account was opened."""
    month = datetime.fromtimestamp(at, UTC).replace(day=1)
    for _ in range(MONTHS_MAX):
        name = month.strftime("%Y-%m")
        yield name
        if name <= _month(opened_at):
            return
        before = month.year * 12 + month.month - 2
        month = month.replace(year=before // 12, month=before % 12 + 1)
