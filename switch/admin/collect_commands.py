"""`kinline collect …`: the monthly file for the billing agent, and what bounces."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import option
from switch.admin.money_text import dollars_of
from switch.billing.invoice import cents, month_bounds
from switch.errors import UserError
from switch.store import collect_statements

Given = Mapping[str, Any]

HEAD: Final = ("invoice", "number", "period", "amount")


async def _month(desk: Desk, given: Given) -> list[dict[str, Any]]:
    try:
        month_bounds(given["month"])
    except ValueError as error:
        raise UserError(f"{given['month']!r} is no month. Write it like 2026-11.") from error
    at = desk.clock.wall()
    bills = await desk.vault.write(
        lambda raw: collect_statements.month_of(raw, given["month"], at=at)
    )
    return [
        {
            "invoice": bill.invoice,
            "account": bill.account,
            "number": bill.number,
            "period": bill.period,
            "amount": cents(bill.cents),
        }
        for bill in bills
    ]


def _written(given: Given, rows: Any) -> Any:  # noqa: ANN401 - JSON
    """Write the file where the person sits."""
    if given["out"]:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows([row[name] for name in HEAD] for row in rows)
        path = Path(given["out"])
        try:
            part = path.with_name(f".{path.name}.part")
            part.write_text(out.getvalue(), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    return rows


async def _bounce(desk: Desk, given: Given) -> dict[str, Any]:
    at = desk.clock.wall()
    moved = await desk.vault.write(
        lambda raw: collect_statements.bounce(raw, given["invoice"], why=given["why"], at=at)
    )
    return {"invoice": given["invoice"], "uncollectable": dollars_of(moved)}


COLLECT_COMMANDS: Final = (
    Command(
        noun="collect",
        verb="month",
        help="invoice every collect line for a month that is over, for the billing agent",
        arguments=(
            Argument(name="--month", help="the month (UTC), like 2026-11"),
            option("--out", "write a CSV here, too"),
        ),
        run=_month,
        finish=_written,
        examples=("collect month --month 2026-10 --out agent.csv",),
    ),
    Command(
        noun="collect",
        verb="bounce",
        help="the agent could not collect a bill: the line pays for no further call",
        arguments=(
            Argument(name="invoice", help="its number", kind=int),
            Argument(name="--why", help="what the agent says; kept for good"),
        ),
        run=_bounce,
    ),
)
"""`kinline collect …`."""
