"""The commands about invoices: a month of an account as PDF and CSV, and the list of them."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.admin.money_text import dollars_of
from switch.billing.invoice import Invoice, cents, invoice_csv, invoice_text, month_bounds
from switch.billing.pdf_page import pdf_of
from switch.errors import UserError
from switch.ids import AccountId
from switch.store import invoice_statements
from switch.store.record_store import utc_text

_LIST: Final = """
SELECT number, account_id, period, issued_at, due_at, total_cents FROM invoice
 WHERE (:account = 0 OR account_id = :account) ORDER BY number DESC LIMIT :rows_max
"""


async def _invoice(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    period, account = given["month"], AccountId(given["account"])
    try:
        month_bounds(period)
    except ValueError as error:
        raise UserError(f"{period!r} is no month. Write it like 2026-11.") from error
    at = desk.clock.wall()
    if given["issue"]:
        invoice = await desk.vault.write(
            lambda raw: invoice_statements.issue(raw, account, period, at=at)
        )
    else:
        invoice = await desk.vault.read(
            lambda raw: invoice_statements.draft(raw, account, period, at=at)
        )
    files = [] if not given["out"] else await asyncio.to_thread(_write, invoice, Path(given["out"]))
    return _shown(invoice) | {"files": files}


def _write(invoice: Invoice, folder: Path) -> list[str]:
    """Write both files whole; a draft says so in its name."""
    number = f"{invoice.number:06d}" if invoice.number else "draft"
    stem = f"invoice-{number}-{invoice.account}-{invoice.period}"
    title = f"Invoice {invoice.number}" if invoice.number else "Draft of an invoice"
    contents = {
        f"{stem}.pdf": pdf_of(invoice_text(invoice), title=title),
        f"{stem}.csv": invoice_csv(invoice).encode(),
    }
    try:
        for name, body in contents.items():
            part = folder / f".{name}.part"
            part.write_bytes(body)
            part.replace(folder / name)
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error.strerror}.") from error
    return [str(folder / name) for name in contents]


def _shown(invoice: Invoice) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "account": invoice.account,
        "period": invoice.period,
        "calls": len(invoice.lines),
        "seconds": sum(line.seconds for line in invoice.lines),
        "taxes": {book: dollars_of(micros) for book, micros in sorted(invoice.taxes.items())},
        "sum": dollars_of(invoice.total),
        "to_pay": cents(invoice.total_cents),
        "due": utc_text(invoice.due_at)[:10],
        "opening": dollars_of(invoice.opening),
        "closing": dollars_of(invoice.closing),
    }


async def _invoices(desk: Desk, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    key = {"account": given["account"], "rows_max": given["rows"]}
    rows = await desk.vault.read(lambda raw: raw.execute(_LIST, key).fetchall())
    return [
        {
            "number": number,
            "account": account,
            "period": period,
            "issued": utc_text(issued_at)[:10],
            "due": utc_text(due_at)[:10],
            "to_pay": cents(total),
        }
        for number, account, period, issued_at, due_at, total in rows
    ]


COMMANDS: Final = (
    Command(
        noun="account",
        verb="invoice",
        help="a month of an account that pays afterwards, as PDF and CSV",
        arguments=(
            Argument(name="account", help="its id", kind=int),
            Argument(name="--month", help="the month (UTC), like 2026-11"),
            Argument(
                name="--issue",
                help="take a number and fix it; without it a draft is shown",
                kind=bool,
                required=False,
                default=False,
            ),
            Argument(name="--out", help="folder for the files", required=False, default=""),
        ),
        run=_invoice,
        examples=("account invoice 12 --month 2026-10 --issue --out invoices",),
    ),
    Command(
        noun="account",
        verb="invoices",
        help="what was issued, the newest first",
        arguments=(
            Argument(name="--account", help="of one", kind=int, required=False, default=0),
            Argument(name="--rows", help="at most so many", kind=int, required=False, default=100),
        ),
        run=_invoices,
    ),
)
"""`kinline account invoice …`."""
