"""`kinline money-file …`, `kinline late …`: payments by file, and invoices that are not paid."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.admin.account_argument import ACCOUNT, account_of
from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import ROWS, open_house, option
from switch.admin.money_text import dollars_of, micros_of
from switch.billing.money_file import LINES_MAX, PERSON_KINDS
from switch.errors import UserError
from switch.store import dunning_statements, money_file_statements
from switch.store.engine import driver
from switch.store.house_clock import utc_text
from switch.store.money_file_statements import Imported, MoneyFile
from switch.store.vault import Raw

Given = Mapping[str, Any]

KINDS: Final = ("trust", "commissary", "kiosk", "money_order")

FILE_BYTES_MAX: Final = 800_000
"""Chosen: `LINES_MAX` lines of the longest, and within one order to the switch."""

_PEOPLE: Final = "SELECT id, facility FROM person"


def _with_text(given: Given) -> dict[str, Any]:
    """Read the file here, at the command line."""
    path = Path(given["file"])
    try:
        body = path.read_bytes()
        text = body.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text.") from error
    if len(body) > FILE_BYTES_MAX:
        raise UserError(f"{path} is longer than {FILE_BYTES_MAX} bytes. Divide it.")
    return dict(given) | {"file": path.name, "text": text}


async def _import(desk: Desk, given: Given) -> dict[str, Any]:
    kind, facility = given["kind"], given["facility"]
    if kind in PERSON_KINDS:
        house = await open_house(desk)
        if facility not in house.house.facilities:
            raise UserError(f"There is no facility {facility!r}: say --facility.")
    file = MoneyFile(
        kind=kind,
        facility=facility,
        name=given["file"],
        text=given["text"],
        total=micros_of(given["total"]),
    )
    people = await desk.store.read(lambda c: dict(driver(c).execute(_PEOPLE).fetchall()))
    at, is_dry = desk.clock.wall(), given["dry_run"]

    def deed(raw: Raw) -> Imported:
        return money_file_statements.take(
            raw, file, people=people, by=desk.by, is_dry=is_dry, at=at
        )

    done = await (desk.vault.read(deed) if is_dry else desk.vault.write(deed))
    note = "was imported before" if done.was_known else "nothing was imported" if is_dry else ""
    return {
        "file": done.hash[:12],
        "accepted": done.sums.accepted,
        "accepted_sum": dollars_of(done.sums.accepted_micros),
        "rejected": done.sums.rejected,
        "rejected_sum": dollars_of(done.sums.rejected_micros),
        "difference": "0.00",
        "rejects": [
            {"line": line.line, "ref": line.ref, "payee": line.payee, "why": line.fault}
            for line in done.lines
            if line.fault
        ],
        "note": note,
    }


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    rows = await desk.vault.read(
        lambda raw: raw.execute(money_file_statements.LIST, (given["rows"],)).fetchall()
    )
    return [
        {
            "file": hash_[:12],
            "kind": kind,
            "facility": facility,
            "name": name,
            "accepted": accepted,
            "accepted_sum": dollars_of(accepted_micros),
            "rejected": rejected,
            "rejected_sum": dollars_of(rejected_micros),
            "by": who,
            "at": utc_text(at),
        }
        for (
            hash_, kind, facility, name, accepted, accepted_micros, rejected, rejected_micros, who,
            at,
        ) in rows
    ]  # fmt: skip


async def _show(desk: Desk, given: Given) -> list[dict[str, Any]]:
    def deed(raw: Raw) -> list[Any]:
        start = given["file"]
        files = [row[0] for row in raw.execute(money_file_statements.LIST, (100_000,))]
        found = [name for name in files if start and name.startswith(start)]
        if len(found) != 1:
            raise UserError(f"{len(found)} files begin with {start!r}: `kinline money-file list`.")
        return raw.execute(money_file_statements.LINES, (found[0],)).fetchall()

    return [
        {
            "line": line,
            "ref": ref,
            "payee": payee,
            "amount": dollars_of(amount),
            "account": account or "",
            "rejected": fault,
        }
        for line, ref, payee, amount, account, fault in await desk.vault.read(deed)
    ]


async def _late(desk: Desk, given: Given) -> list[dict[str, Any]]:
    at = desk.clock.wall()
    account = await account_of(desk, given["account"])
    rows, is_suspended = await desk.vault.read(
        lambda raw: (
            dunning_statements.late_of(raw, account, at=at),
            dunning_statements.is_suspended(raw, account),
        )
    )
    return [
        {
            "invoice": row.number,
            "missing": dollars_of(row.missing),
            "stage": row.stage.name.lower(),
            "suspended": is_suspended,
        }
        for row in rows
    ]


async def _credit_limit(desk: Desk, given: Given) -> dict[str, Any]:
    account = await account_of(desk, given["account"])
    limit = micros_of(given["most"])
    if limit < 0:
        raise UserError("A limit says how far an account may owe. Write it like 50.")
    changed = await desk.vault.write(
        lambda raw: dunning_statements.set_credit_limit(raw, account, limit)
    )
    assert changed.purse.floor is not None
    return {
        "account": account,
        "asked": dollars_of(limit),
        "limit": dollars_of(-changed.purse.floor),
        "available": dollars_of(changed.purse.available),
    }


MONEY_FILE_COMMANDS: Final = (
    Command(
        noun="money-file",
        verb="import",
        help=f"pay in what a CSV file says (line,payee,amount; at most {LINES_MAX} lines)",
        arguments=(
            Argument(name="file", help="the file"),
            Argument(name="--kind", help="where the money is", choices=KINDS),
            Argument(name="--total", help="what its sender says it adds up to, in dollars"),
            option("--facility", "whose people the payees are (trust, commissary)"),
            option("--dry-run", "only say what would happen", kind=bool, default=False),
        ),
        prepare=_with_text,
        run=_import,
        examples=("money-file import trust.csv --kind trust --facility F1 --total 340.00",),
    ),
    Command(
        noun="money-file",
        verb="list",
        help="files that were imported, the newest first",
        arguments=(ROWS,),
        run=_list,
    ),
    Command(
        noun="money-file",
        verb="show",
        help="the lines of a file, and what became of each",
        arguments=(Argument(name="file", help="its name, from `money-file list`"),),
        run=_show,
    ),
    Command(
        noun="late",
        verb="list",
        help="invoices that an account has not paid",
        arguments=(ACCOUNT,),
        run=_late,
    ),
    Command(
        noun="account",
        verb="credit-limit",
        help="change how far an account that pays by invoice may owe",
        arguments=(ACCOUNT, Argument(name="--most", help="in dollars, like 50")),
        run=_credit_limit,
    ),
)
"""`kinline money-file …`, `kinline late list`, `kinline account credit-limit`."""
