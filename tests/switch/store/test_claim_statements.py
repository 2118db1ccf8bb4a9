"""A call's charge asked back: evidence, two people, an appeal, and never more than it cost."""

import pytest

from switch.billing.claim import ClaimInput, ClaimState
from switch.billing.credit import Credit
from switch.billing.rating import charge
from switch.billing.settings import MoneyRules
from switch.errors import UserError
from switch.ids import AccountId, CallId
from switch.money import Micros
from switch.store import claim_statements, money_rules
from switch.store.claim_statements import DAY_S, Claim
from switch.store.vault import Raw
from tests.support.money_rig import ELEVEN_CENTS
from tests.support.money_scene import MoneyScene

CALL = CallId(7)
MINUTE = charge(ELEVEN_CENTS.rate, 60)
EVIDENCE = {"record": None, "legs": [], "detections": [{"kind": "three_way"}]}


async def talked(money: MoneyScene, *, credit: Credit = Credit.NONE, s: int = 60) -> AccountId:
    account = await money.purse(5_000_000)
    await money.start(CALL, account)
    for beat in range(1, s + 1):
        await money.beat(now=beat + 0.25)
    await money.end(CALL, ended_at=s + 0.5, credit=credit)
    return account


async def ask(money: MoneyScene, *, after_s: float = 0.0) -> Claim:
    at = money.clock.wall() + after_s
    return await money.vault.write(
        lambda raw: claim_statements.ask(
            raw, CALL, evidence=EVIDENCE, by="payer", why="nothing was heard", at=at
        )
    )


async def decide(
    money: MoneyScene, claim: Claim, kind: ClaimInput, by: str, *, why: str = "so"
) -> Claim:
    at = money.clock.wall()
    return await money.vault.write(
        lambda raw: claim_statements.decide(raw, claim.id, kind, by=by, why=why, at=at)
    )


async def rule(money: MoneyScene, rules: MoneyRules) -> None:
    await money.vault.write(lambda raw: money_rules.keep(raw, rules))


async def kinds(money: MoneyScene) -> list[str]:
    return [row[0] for row in await money.rows("SELECT kind FROM payer_notice ORDER BY id")]


async def test_a_granted_claim_brings_the_whole_charge_back_once(money: MoneyScene) -> None:
    account = await talked(money)
    before = (await money.standing(account)).posted
    claim = await ask(money)
    assert (claim.amount, claim.evidence) == (MINUTE, EVIDENCE)
    assert (await ask(money)).id == claim.id
    granted = await decide(money, claim, ClaimInput.GRANT, "lee")
    assert (granted.state, granted.paid) == (ClaimState.GRANTED, MINUTE)
    assert (await money.standing(account)).posted == before + MINUTE
    with pytest.raises(UserError, match="is granted"):
        await decide(money, claim, ClaimInput.GRANT, "page")
    assert await kinds(money) == ["claim_asked", "claim_granted"]


async def test_above_the_limit_two_people_agree_and_both_are_named(money: MoneyScene) -> None:
    await talked(money)
    await rule(money, MoneyRules(second_above_cents=10))
    claim = await ask(money)
    first = await decide(money, claim, ClaimInput.GRANT, "lee")
    assert (first.state, first.paid) == (ClaimState.SECOND, 0)
    with pytest.raises(UserError, match="Another person"):
        await decide(money, claim, ClaimInput.GRANT, "lee")
    assert (await decide(money, claim, ClaimInput.GRANT, "page")).paid == MINUTE
    steps = await money.vault.read(lambda raw: claim_statements.steps_of(raw, claim.id))
    assert [(s.who, s.step) for s in steps] == [
        ("payer", "asked"), ("lee", "grant"), ("page", "grant"),
    ]  # fmt: skip


async def test_at_the_limit_one_person_is_enough(money: MoneyScene) -> None:
    await talked(money)
    await rule(money, MoneyRules(second_above_cents=11))
    claim = await decide(money, await ask(money), ClaimInput.GRANT, "lee")
    assert claim.state is ClaimState.GRANTED


async def test_who_denied_does_not_hear_the_appeal(money: MoneyScene) -> None:
    await talked(money)
    claim = await decide(money, await ask(money), ClaimInput.DENY, "lee")
    assert claim.state is ClaimState.DENIED
    await decide(money, claim, ClaimInput.APPEAL, "payer")
    with pytest.raises(UserError, match="Another person"):
        await decide(money, claim, ClaimInput.DENY, "lee")
    assert (await decide(money, claim, ClaimInput.DENY, "page")).state is ClaimState.CLOSED
    assert await kinds(money) == [
        "claim_asked", "claim_denied", "claim_appealed", "claim_closed",
    ]  # fmt: skip


async def test_undecided_counts_as_yes(money: MoneyScene) -> None:
    account = await talked(money)
    before = (await money.standing(account)).posted
    claim = await ask(money)

    async def night(at: float) -> list[int]:
        return await money.vault.write(lambda raw: claim_statements.lapse_due(raw, at=at))

    assert await night(claim.due_at - 1) == []
    assert await night(claim.due_at) == [claim.id]
    assert await night(claim.due_at) == []
    assert (await money.standing(account)).posted == before + MINUTE


async def test_what_came_back_by_itself_is_not_paid_twice(money: MoneyScene) -> None:
    account = await talked(money, credit=Credit.LAST_60, s=90)
    claim = await ask(money)
    assert claim.amount == charge(ELEVEN_CENTS.rate, 30)
    await decide(money, claim, ClaimInput.GRANT, "lee")
    assert (await money.standing(account)).posted == 5_000_000


async def test_nothing_is_asked_that_cannot_come_back(money: MoneyScene) -> None:
    with pytest.raises(UserError, match="not over"):
        await ask(money)
    await talked(money)
    with pytest.raises(UserError, match="90 days"):
        await ask(money, after_s=90 * DAY_S + 60)


async def test_a_closed_account_is_paid_by_hand(money: MoneyScene) -> None:
    account = await talked(money)
    claim = await ask(money)
    await money.accounts.close(account, ref="test")
    await decide(money, claim, ClaimInput.GRANT, "lee")
    rows = await money.rows(
        f"SELECT amount, way, state FROM payout WHERE id = 'claim:{claim.id}:credit'"
    )
    assert rows == [(MINUTE, "by_hand", "waiting")]


async def test_a_false_alarm_pays_without_asking_even_what_was_denied(money: MoneyScene) -> None:
    await talked(money)
    await decide(money, await ask(money), ClaimInput.DENY, "lee")

    def pay(raw: Raw) -> Micros:
        return claim_statements.pay_whole(
            raw, CALL, evidence={}, by="page", why="it was a fan", at=money.clock.wall()
        )

    assert await money.vault.write(pay) == MINUTE
    with pytest.raises(UserError, match="granted"):
        await money.vault.write(pay)


async def test_steps_are_never_changed(money: MoneyScene) -> None:
    await talked(money)
    await ask(money)
    for statement in ("UPDATE claim_step SET why = ''", "DELETE FROM claim_step"):
        with pytest.raises(Exception, match=r"never|denied"):
            await money.change(statement)
