"""The commands about money by card: deposits, saved cards, reloads, payouts, disputes."""

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from switch.admin.account_argument import ACCOUNT, account_of
from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import ROWS, option
from switch.admin.money_text import dollars_of, micros_of
from switch.billing.funding import (
    CONSENT_CARD,
    CONSENT_VERSION,
    Reload,
    consent_reload,
    is_deposit,
)
from switch.errors import UserError
from switch.ids import AccountId
from switch.store import (
    dispute_statements,
    funding_statements,
    payout_statements,
    reload_statements,
)
from switch.store.house_clock import utc_text
from switch.store.payout_statements import Payout
from switch.store.reload_statements import ReloadRow
from switch.store.vault import Raw

Given = Mapping[str, Any]

THRESHOLD_MAX: Final = micros_of("1000")
"""Chosen: above it, a threshold is a slip of the keyboard."""


async def _deposit(desk: Desk, given: Given) -> dict[str, Any]:
    if desk.cards is None:
        raise UserError(
            "No cards are taken: start the switch with [outside.stripe] in its configuration."
        )
    account = await account_of(desk, given["account"])
    name, page = await desk.cards.deposit(
        account, micros_of(given["amount"]), save_card=given["save_card"]
    )
    consent = {"consent": CONSENT_CARD} if given["save_card"] else {}
    return {"deposit": name, "account": account, "fee": "0.00", "page": page.url} | consent


async def _deposits(desk: Desk, given: Given) -> list[dict[str, Any]]:
    account = await account_of(desk, given["account"]) if given["account"] else 0
    rows = await desk.vault.read(
        lambda raw: funding_statements.listed(
            raw, state=given["state"], account=account, rows_max=given["rows"]
        )
    )
    return [
        {
            "deposit": row.id,
            "account": row.account,
            "by": row.method,
            "amount": dollars_of(row.amount),
            "state": row.state,
            "payment": row.intent,
            "since": utc_text(row.at),
            "fault": row.fault,
        }
        for row in rows
    ]


async def _reload(desk: Desk, given: Given) -> dict[str, Any]:
    account = await account_of(desk, given["account"])
    if given["pause"] or given["go_on"]:
        return await _pause(desk, account, is_on=given["go_on"])
    if not (given["below"] or given["amount"]):
        row = await desk.vault.read(lambda raw: reload_statements.find(raw, account))
        return {"account": account} | _shown(row)
    wanted, text = _agreed(given)
    at = desk.clock.wall()

    def deed(raw: Raw) -> ReloadRow | None:
        if reload_statements.card_of(raw, account) is None:
            raise UserError(
                f"Account {account} has no saved card: `account deposit {account} 20 --save-card`."
            )
        reload_statements.agree(
            raw, account, wanted, zone=given["zone"], version=CONSENT_VERSION, text=text, at=at
        )
        return reload_statements.find(raw, account)

    return {"account": account, "consent": text} | _shown(await desk.vault.write(deed))


def _agreed(given: Given) -> tuple[Reload, str]:
    """Read what a payer agrees to, and the words of it."""
    limits = {name: micros_of(given[name] or "0") for name in ("below", "amount")}
    day = micros_of(given["day_most"] or given["amount"] or "0")
    month = micros_of(given["month_most"] or given["day_most"] or given["amount"] or "0")
    if not 0 < limits["below"] <= THRESHOLD_MAX:
        raise UserError("--below: at which balance? (allowed: 0.01 to 1000.00 dollars)")
    if not is_deposit(limits["amount"]):
        raise UserError("--amount: how much each time? (allowed: 1.00 to 500.00, whole cents)")
    if not limits["amount"] <= day <= month:
        raise UserError("--day-most is at least --amount, and --month-most at least --day-most.")
    if not given["consent"]:
        raise UserError("--consent: the payer must have agreed; the words are under --help.")
    try:
        ZoneInfo(given["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"--zone: {given['zone']!r} is no time zone (like America/Denver)"
        ) from None
    wanted = Reload(
        threshold=limits["below"],
        amount=limits["amount"],
        day_cap=day,
        month_cap=month,
        is_on=True,
    )
    return wanted, consent_reload(wanted, "en")


async def _pause(desk: Desk, account: AccountId, *, is_on: bool) -> dict[str, Any]:
    def deed(raw: Raw) -> ReloadRow | None:
        if not reload_statements.pause(raw, account, is_on=is_on):
            raise UserError(
                f"There is nothing to {'go on with' if is_on else 'pause'} at account {account}."
            )
        return reload_statements.find(raw, account)

    return {"account": account} | _shown(await desk.vault.write(deed))


def _shown(row: ReloadRow | None) -> dict[str, Any]:
    if row is None:
        return {"state": "never agreed to"}
    return {
        "state": row.state,
        "below": dollars_of(row.threshold),
        "amount": dollars_of(row.amount),
        "day_most": dollars_of(row.day_cap),
        "month_most": dollars_of(row.month_cap),
        "zone": row.zone,
        "agreed": utc_text(row.consented_at),
        "words": row.consent_version,
        "fault": row.fault,
    }


async def _forget(desk: Desk, given: Given) -> dict[str, Any]:
    account = await account_of(desk, given["account"])
    known = await desk.vault.write(lambda raw: reload_statements.forget_card(raw, account))
    if not known:
        raise UserError(f"Account {account} has no saved card.")
    return {"account": account, "card": "removed"}


async def _payouts(desk: Desk, given: Given) -> list[dict[str, Any]]:
    rows = await desk.vault.read(
        lambda raw: payout_statements.listed(
            raw, state=given["state"], way=given["way"], rows_max=given["rows"]
        )
    )
    return [_payout(row) for row in rows]


async def _paid(desk: Desk, given: Given) -> dict[str, Any]:
    at = desk.clock.wall()

    def deed(raw: Raw) -> Payout:
        found = payout_statements.find(raw, given["payout"])
        if found is None:
            alike = payout_statements.begins_with(raw, given["payout"].rstrip("…"))
            found = alike[0] if len(alike) == 1 else None
        if found is None:
            raise UserError(f"There is no payout {given['payout']}: `kinline payout list`.")
        if found.way != "by_hand" and not found.fault:
            raise UserError("The card processor carries this one out.")
        if not payout_statements.done(raw, found.id, refund="", note=given["how"], at=at):
            raise UserError(f"Payout {found.id} is {found.state}. Nothing was changed.")
        again = payout_statements.find(raw, found.id)
        assert again is not None
        return again

    return _payout(await desk.vault.write(deed))


def _payout(row: Payout) -> dict[str, Any]:
    return {
        "payout": row.id,
        "account": row.account,
        "amount": dollars_of(row.amount),
        "way": row.way,
        "state": row.state,
        "since": utc_text(row.at),
        "note": row.fault,
    }


async def _disputes(desk: Desk, given: Given) -> list[dict[str, Any]]:
    key = {"state": given["state"], "rows_max": given["rows"]}
    rows = await desk.vault.read(lambda raw: raw.execute(dispute_statements.LIST, key).fetchall())
    return [
        {
            "dispute": id_,
            "account": account,
            "payment": source,
            "amount": dollars_of(amount),
            "held": dollars_of(held),
            "claimed": dollars_of(receivable),
            "state": state,
            "since": utc_text(at),
        }
        for id_, account, source, amount, held, receivable, state, at in rows
    ]


FUNDING_COMMANDS: Final = (
    Command(
        noun="account",
        verb="deposit",
        help="make a page of the card processor on which somebody pays into an account",
        arguments=(
            ACCOUNT,
            Argument(name="amount", help="in dollars, 1.00 to 500.00; 0 only saves a card"),
            option("--save-card", f"the payer agrees: {CONSENT_CARD}", kind=bool, default=False),
        ),
        run=_deposit,
        needs_switch=True,
        examples=("account deposit 3 20.00", "account deposit 3 20.00 --save-card"),
    ),
    Command(
        noun="deposit",
        verb="list",
        help="money by card on its way in, the newest first",
        arguments=(
            option("--account", "of one account"),
            option("--state", "only these", choices=("", "waiting", "paid", "failed")),
            ROWS,
        ),
        run=_deposits,
    ),
    Command(
        noun="account",
        verb="reload",
        help="automatic payments by the saved card: agree, pause, go on, or show",
        arguments=(
            ACCOUNT,
            option("--below", "the balance at which the card is charged, in dollars"),
            option("--amount", "how much each time, in dollars"),
            option("--day-most", "at most so much a day; one amount if not given"),
            option("--month-most", "at most so much a month; --day-most if not given"),
            option("--zone", "in whose time a day begins", default="UTC"),
            option("--consent", "the payer has agreed to the words", kind=bool, default=False),
            option("--pause", "charge nothing until told to go on", kind=bool, default=False),
            option("--go-on", "end the pause", kind=bool, default=False),
        ),
        run=_reload,
        examples=("account reload 3 --below 5 --amount 20 --month-most 60 --consent",),
    ),
    Command(
        noun="account",
        verb="forget-card",
        help="remove the saved card; automatic payments end",
        arguments=(ACCOUNT,),
        run=_forget,
    ),
    Command(
        noun="payout",
        verb="list",
        help="what goes back to people, the newest first",
        arguments=(
            option("--state", "only these", choices=("", "waiting", "asked", "done", "failed")),
            option("--way", "only these", choices=("", "stripe", "by_hand")),
            ROWS,
        ),
        run=_payouts,
    ),
    Command(
        noun="payout",
        verb="paid",
        help="note that one was paid by hand: the cheque was sent",
        arguments=(
            Argument(name="payout", help="its name, from `payout list`, or how it begins"),
            Argument(name="--how", help="the number of the cheque or transfer; kept for good"),
        ),
        run=_paid,
    ),
    Command(
        noun="dispute",
        verb="list",
        help="payments that a card's holder disputes, the newest first",
        arguments=(option("--state", "only these", choices=("", "open", "won", "lost")), ROWS),
        run=_disputes,
    ),
)
"""`kinline account deposit …`, `kinline payout …`, `kinline dispute …`."""
