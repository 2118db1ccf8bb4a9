"""`kinline claim …`: a payer asks for a call's charge back; what was decided, and by whom."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from switch.admin.account_argument import ACCOUNT, account_of
from switch.admin.command import Argument, Command, Desk
from switch.admin.house_desk import ROWS, option
from switch.admin.money_text import dollars_of
from switch.billing.claim import ClaimInput, ClaimState
from switch.store import claim_statements, idle_statements
from switch.store.claim_statements import Claim
from switch.store.engine import driver
from switch.store.house_clock import utc_text

Given = Mapping[str, Any]
Run = Callable[[Desk, Given], Awaitable[Any]]


async def _ask(desk: Desk, given: Given) -> dict[str, Any]:
    at = desk.clock.wall()
    evidence = await _evidence(desk, given["call"])
    claim = await desk.vault.write(
        lambda raw: claim_statements.ask(
            raw, given["call"], evidence=evidence, by=desk.by, why=given["why"], at=at
        )
    )
    return await _whole(desk, claim)


def _decide(kind: ClaimInput) -> Run:
    async def run(desk: Desk, given: Given) -> dict[str, Any]:
        at = desk.clock.wall()
        claim = await desk.vault.write(
            lambda raw: claim_statements.decide(
                raw, given["claim"], kind, by=desk.by, why=given["why"], at=at
            )
        )
        return await _whole(desk, claim)

    return run


async def _evidence(desk: Desk, call: int) -> dict[str, Any]:
    return await desk.store.read(lambda c: claim_statements.evidence_of(driver(c), call))


async def _false_alarm(desk: Desk, given: Given) -> dict[str, Any]:
    at = desk.clock.wall()
    evidence = await _evidence(desk, given["call"])
    paid = await desk.vault.write(
        lambda raw: claim_statements.pay_whole(
            raw, given["call"], evidence=evidence, by=desk.by, why=given["why"], at=at
        )
    )
    return {"call": given["call"], "paid": dollars_of(paid)}


async def _list(desk: Desk, given: Given) -> list[dict[str, Any]]:
    account = await account_of(desk, given["account"]) if given["account"] else 0
    rows = await desk.vault.read(
        lambda raw: claim_statements.listed(
            raw, state=given["state"], account=account, rows_max=given["rows"]
        )
    )
    return [_shown(row) for row in rows]


async def _show(desk: Desk, given: Given) -> dict[str, Any]:
    claim = await desk.vault.read(lambda raw: claim_statements.find(raw, given["claim"]))
    return await _whole(desk, claim)


async def _whole(desk: Desk, claim: Claim) -> dict[str, Any]:
    steps = await desk.vault.read(lambda raw: claim_statements.steps_of(raw, claim.id))
    said = [
        {"at": utc_text(row.at), "who": row.who, "step": row.step, "why": row.why} for row in steps
    ]
    return _shown(claim) | {"steps": said, "evidence": claim.evidence}


def _shown(claim: Claim) -> dict[str, Any]:
    is_over = claim.state in {ClaimState.GRANTED, ClaimState.DENIED, ClaimState.CLOSED}
    return {
        "claim": claim.id,
        "call": claim.call,
        "account": claim.account,
        "amount": dollars_of(claim.amount),
        "state": claim.state.value,
        "since": utc_text(claim.at),
        "decide_by": "" if is_over else utc_text(claim.due_at),
        "decided_by": claim.decided_by,
        "paid": dollars_of(claim.paid),
    }


async def _sign(desk: Desk, given: Given) -> dict[str, Any]:
    account = await account_of(desk, given["account"])
    at = desk.clock.wall()
    await desk.vault.write(lambda raw: idle_statements.sign(raw, account, given["what"], at=at))
    return {"account": account, "sign": given["what"], "at": utc_text(at)}


_CLAIM: Final = Argument(name="claim", help="its number, from `claim list`", kind=int)
_CALL: Final = Argument(name="call", help="the call's id", kind=int)
_WHY: Final = Argument(name="--why", help="the reason; the payer is told, and it is kept for good")


def _step(verb: str, text: str, kind: ClaimInput) -> Command:
    return Command(noun="claim", verb=verb, help=text, arguments=(_CLAIM, _WHY), run=_decide(kind))


CLAIM_COMMANDS: Final = (
    Command(
        noun="claim",
        verb="ask",
        help="ask for what is left of a call's charge, with what the switch knows of the call",
        arguments=(_CALL, _WHY),
        run=_ask,
        examples=('claim ask 7001 --why "nobody could hear anything"',),
    ),
    _step("grant", "pay it; above an amount a second person must agree", ClaimInput.GRANT),
    _step("deny", "do not pay it; the payer may appeal", ClaimInput.DENY),
    _step("appeal", "let another person decide about a denied one", ClaimInput.APPEAL),
    Command(
        noun="claim",
        verb="false-alarm",
        help="pay a whole call back without a request: the alarm that ended it was false",
        arguments=(_CALL, _WHY),
        run=_false_alarm,
    ),
    Command(
        noun="claim",
        verb="list",
        help="requests, those that are due first",
        arguments=(
            option("--account", "of one account"),
            option("--state", "only these", choices=("", *(state.value for state in ClaimState))),
            ROWS,
        ),
        run=_list,
    ),
    Command(
        noun="claim",
        verb="show",
        help="one request: every step of it, and its evidence",
        arguments=(_CLAIM,),
        run=_show,
    ),
    Command(
        noun="account",
        verb="sign",
        help="note that the owner shows interest, so that the money does not count as idle",
        arguments=(ACCOUNT, Argument(name="--what", help="what they said or did")),
        run=_sign,
    ),
)
"""`kinline claim …`, `kinline account sign`."""
