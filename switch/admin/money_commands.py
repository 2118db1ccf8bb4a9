"""The commands about money: accounts, the ledger. Prices are in `rate_commands`."""

import re
import secrets
from collections.abc import Mapping
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.admin.money_text import dollars_of, micros_of
from switch.billing.ledger import TransferResult
from switch.errors import UserError
from switch.ids import AccountId
from switch.money import Micros
from switch.store import invoice_statements, ledger_seal, ledger_verify
from switch.store.account_statements import NewAccount
from switch.store.account_store import AccountStore, AccountView
from switch.store.engine import driver
from switch.store.ledger_verify import Fault
from switch.store.record_store import utc_text

_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
_TALKED: Final = "SELECT call_id, talked_s FROM call_record"
_TRANSFERS: Final = """
SELECT id, debit, credit, amount, code, ref, at FROM transfer
 WHERE (:account = 0 OR debit = :account OR credit = :account) AND (:ref = '' OR ref = :ref)
 ORDER BY seq DESC LIMIT :rows_max
"""
_BOOKS: Final = """
SELECT kind, currency, sum(posted) FROM account WHERE floor IS NULL GROUP BY kind, currency
UNION ALL
SELECT 'all purses', currency, sum(posted) FROM account WHERE floor IS NOT NULL GROUP BY currency
"""


async def _open(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    numbers = tuple(_number(text) for text in given["number"] or ())
    limit = _credit_limit(given["kind"], given["limit"])
    new = NewAccount(
        kind=given["kind"],
        owner=given["owner"],
        facility=given["facility"],
        numbers=numbers,
        approves=given["approves"],
        floor=Micros(-limit),
    )
    if new.kind != "called_prepaid" and not new.owner:
        raise UserError(f"A {new.kind} account needs its owner: --owner ID.")
    accounts = AccountStore(desk.vault)
    account = await accounts.open(new)
    return await _shown(accounts, account)


def _credit_limit(kind: str, text: str) -> Micros:
    """Read how far an account may owe; the default of a new direct account is $30 (chosen)."""
    owes = kind in {"called_direct", "called_collect"}
    limit = micros_of(text or DIRECT_LIMIT if owes else text or "0")
    if limit and not owes and kind != "agency":
        raise UserError(
            "Only agencies, direct and collect accounts have a limit; the others stop at zero."
        )
    if limit < 0:
        raise UserError("A limit says how far an account may owe. Write it like 30.")
    return limit


async def _show(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    accounts = AccountStore(desk.vault)
    return await _shown(accounts, await _account(accounts, given["account"]))


async def _list(desk: Desk, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    views = await AccountStore(desk.vault).find_all(
        kind=given["kind"], owner=given["owner"], rows_max=given["rows"]
    )
    return [_view(view) for view in views]


async def _fund(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    accounts = AccountStore(desk.vault)
    account = await _account(accounts, given["account"])
    ref = given["ref"] or secrets.token_hex(8)
    result = await accounts.fund(account, micros_of(given["amount"]), ref=ref)
    if not result.is_done:
        raise UserError(f"Nothing was paid in: {result.value.replace('_', ' ')}.")
    again = {"note": "was paid in before"} if result is TransferResult.EXISTS else {}
    return await _shown(accounts, account) | {"ref": ref} | again


async def _link(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    accounts = AccountStore(desk.vault)
    account = await _account(accounts, given["account"])
    if given["number"]:
        await accounts.link(account, _number(given["number"]))
    if given["person"]:
        await accounts.judge_person(account, given["person"], approved=not given["deny"])
    return await _shown(accounts, account)


async def _close(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    accounts = AccountStore(desk.vault)
    account = await _account(accounts, given["account"])
    back = await accounts.close(account, ref=desk.by)
    return await _shown(accounts, account) | {"paid_back": dollars_of(back)}


async def _refund(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    accounts = AccountStore(desk.vault)
    account = await _account(accounts, given["account"])
    ref = given["ref"] or secrets.token_hex(8)
    plan = await accounts.refund(account, micros_of(given["amount"]), ref=ref)
    return await _shown(accounts, account) | {
        "ref": ref,
        "to_sources": [
            {"source": part.source.id, "amount": dollars_of(part.amount)} for part in plan.parts
        ],
        "by_cheque_or_transfer": dollars_of(plan.unsourced),
    }


async def _verify(desk: Desk, _given: Mapping[str, Any]) -> dict[str, Any]:
    faults = await desk.vault.read(ledger_verify.verify)
    if desk.ledger is not None:
        found = await desk.store.read(lambda c: driver(c).execute(_TALKED).fetchall())
        talked_s = dict(found)
        faults += await desk.vault.read(lambda raw: ledger_verify.faults_of_records(raw, talked_s))
    invoices = await desk.vault.read(invoice_statements.broken_invoices)
    faults += [Fault("invoice", f"invoice {n} is not what was issued") for n in invoices]
    return {
        "sound": not faults,
        "faults": [{"rule": fault.rule, "says": fault.says} for fault in faults],
    }


async def _ledger(desk: Desk, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    if given["books"]:
        books = await desk.vault.read(lambda raw: raw.execute(_BOOKS).fetchall())
        return [
            {"book": kind, "currency": currency, "posted": dollars_of(posted)}
            for kind, currency, posted in books
        ]
    key: dict[str, Any] = {"account": 0, "ref": "", "rows_max": given["rows"]}
    if given["account"]:
        key["account"] = await _account(AccountStore(desk.vault), given["account"])
    if given["call"]:
        key["ref"] = f"call:{given['call']}"
    rows = await desk.vault.read(lambda raw: raw.execute(_TRANSFERS, key).fetchall())
    names = ("id", "debit", "credit", "amount", "code", "ref", "at")
    return [
        dict(zip(names, row, strict=True)) | {"amount": dollars_of(row[3]), "at": utc_text(row[6])}
        for row in rows
    ]


async def _seal(desk: Desk, _given: Mapping[str, Any]) -> dict[str, Any]:
    at = desk.clock.wall()
    return {
        "sealed": await desk.vault.write(lambda raw: ledger_seal.seal_days(raw, at=at)),
    }


async def _account(accounts: AccountStore, text: str) -> AccountId:
    """Find the account that is meant by an id or by a number."""
    if text.isdecimal():
        return AccountId(int(text))
    found = await accounts.find_all(number=_number(text))
    if len(found) != 1:
        raise UserError(f"{len(found)} accounts pay for {text}; say its id.")
    return found[0].account.id


async def _shown(accounts: AccountStore, account: AccountId) -> dict[str, Any]:
    view = await accounts.find(account)
    if view is None:
        raise UserError(f"There is no account {account}.")
    return _view(view)


def _view(view: AccountView) -> dict[str, Any]:
    account, purse = view.account, view.account.purse
    return {
        "id": account.id,
        "kind": account.kind,
        "owner": account.owner,
        "facility": account.facility,
        "numbers": list(view.numbers),
        "posted": dollars_of(purse.posted),
        "held": dollars_of(purse.held),
        "available": dollars_of(purse.available),
        "posted_micros": purse.posted,
        "available_micros": purse.available,
        "state": "open" if account.is_open else "closed",
    }


def _number(text: str) -> str:
    if _NUMBER.fullmatch(text) is None:
        raise UserError(f"{text!r} is not a number. Write it like +15550100123.")
    return text


_ACCOUNT: Final = Argument(name="account", help="its id, or a number that it pays for")
_ROWS: Final = Argument(
    name="--rows", help="at most so many", kind=int, required=False, default=100
)
_KINDS: Final = ("called_prepaid", "caller_debit", "called_direct", "called_collect", "agency")
DIRECT_LIMIT: Final = "30"
"""Dollars. money.md section 5: what the field gives a new account."""


def _option(name: str, text: str, **more: Any) -> Argument:  # noqa: ANN401 - passed on
    return Argument(name=name, help=text, required=False, **({"default": ""} | more))


COMMANDS: Final = (
    Command(
        noun="account",
        verb="open",
        help="open an account with nothing in it",
        arguments=(
            _option("--kind", "whose it is", default="called_prepaid", choices=_KINDS),
            _option("--owner", "the person, body or agency it belongs to"),
            _option("--number", "a number whose calls it pays", default=None, many=True),
            _option("--facility", "where it belongs"),
            _option("--approves", "who may be paid for", default="all", choices=("listed", "all")),
            _option("--limit", "how far an agency (0), direct or collect account (30) may owe"),
        ),
        run=_open,
    ),
    Command(
        noun="account",
        verb="show",
        help="what stands on an account",
        arguments=(_ACCOUNT,),
        run=_show,
    ),
    Command(
        noun="account",
        verb="list",
        help="list accounts",
        arguments=(_option("--kind", "only this kind"), _option("--owner", "only of this"), _ROWS),
        run=_list,
    ),
    Command(
        noun="account",
        verb="fund",
        help="pay in by hand",
        arguments=(
            _ACCOUNT,
            Argument(name="amount", help="in dollars, like 12.50"),
            _option("--ref", "the receipt; paid in once for each"),
            _option("--why", "the reason; kept for good"),
        ),
        run=_fund,
        examples=('account fund 3 20.00 --why "cash at the window"',),
    ),
    Command(
        noun="account",
        verb="refund",
        help="pay some of the balance back to where it came from, the newest source first",
        arguments=(
            _ACCOUNT,
            Argument(name="amount", help="in dollars, like 12.50"),
            _option("--ref", "name of the request; paid back once for each"),
        ),
        run=_refund,
    ),
    Command(
        noun="account",
        verb="link",
        help="let it pay for a number, or for a person's calls",
        arguments=(
            _ACCOUNT,
            _option("--number", "a number whose calls it pays"),
            _option("--person", "a person who may call at its cost"),
            _option("--deny", "deny that person instead", kind=bool, default=False),
        ),
        run=_link,
    ),
    Command(
        noun="account",
        verb="close",
        help="close it and pay everything back",
        arguments=(_ACCOUNT,),
        run=_close,
    ),
    Command(noun="ledger", verb="verify", help="does the ledger prove itself?", run=_verify),
    Command(
        noun="ledger",
        verb="show",
        help="the transfers, the newest first",
        arguments=(
            _option("--account", "of one account"),
            _option("--call", "of one call"),
            _option("--books", "the sums of the books instead", kind=bool, default=False),
            _ROWS,
        ),
        run=_ledger,
    ),
    Command(noun="ledger", verb="seal", help="seal the days that are over", run=_seal),
)
"""`kinline account …`, `kinline ledger …`."""
