"""Money by card against our own Stripe: late, twice, out of order, and with answers lost."""

import itertools
from pathlib import Path

import pytest

from switch.errors import PeerError, UserError
from switch.money import Micros
from switch.outside.cashier import ASK_AGAIN_S, KEY_S, LOOK_S
from switch.store import reload_statements
from tests.support.card_rig import DOLLAR, CardRig, with_cards

TWENTY = Micros(20 * DOLLAR)


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_a_deposit_is_credited_once_however_its_events_come(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        assert await rig.balance(account) == 0
        rig.stripe.pay(page.session)
        events = [rig.stripe.events[n] for n in order]
        await rig.tell(*events, *events)
        assert await rig.balance(account) == TWENTY
        assert await rig.told() == ["deposit"]
        outcomes = await rig.tell(*events)
        assert all(outcome.startswith("known") for outcome in outcomes)

    with_cards(tmp_path, scene)


def test_no_event_is_believed_that_stripe_did_not_sign_just_now(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        rig.stripe.pay(page.session)
        rig.stripe.now = int(rig.clock.wall())
        body, signature = rig.stripe.delivery(rig.stripe.events[0])
        rig.stripe.now -= 301
        _, old = rig.stripe.delivery(rig.stripe.events[0])
        for forged in (
            (body.replace(b"2000", b"9000"), signature),
            (body, ""),
            (body, "t=1,v1=00"),
            (body, signature.replace("v1=", "v0=")),
            (body, "t=\u0663,v1=\u0663"),
            (body, old),
        ):
            with pytest.raises(PeerError):
                await rig.cashier.webhook(*forged)
        assert await rig.balance(account) == 0
        assert await rig.rows("SELECT * FROM payment_event") == []

    with_cards(tmp_path, scene)


def test_without_a_webhook_our_server_asks(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        funding, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        rig.stripe.pay(page.session)
        intent = rig.stripe.objects[page.session]["payment_intent"]
        await rig.write(
            lambda raw: raw.execute("UPDATE funding SET intent = ? WHERE id = ?", (intent, funding))
        )
        await rig.cashier.round()
        assert await rig.balance(account) == 0
        rig.clock.at += ASK_AGAIN_S
        await rig.cashier.round()
        assert await rig.balance(account) == TWENTY
        await rig.tell(*rig.stripe.events)
        assert await rig.balance(account) == TWENTY

    with_cards(tmp_path, scene)


def test_a_card_that_says_no_brings_nothing_and_another_may_be_tried(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        assert not rig.stripe.pay(page.session, "pm_card_chargeDeclined")
        assert await rig.tell(*rig.stripe.events) == ["another card may be tried"]
        assert rig.stripe.pay(page.session)
        await rig.tell(*reversed(rig.stripe.events))
        assert await rig.balance(account) == TWENTY

    with_cards(tmp_path, scene)


def test_a_page_that_was_not_used_ends_and_money_that_comes_still_counts(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        rig.stripe.pay(page.session)
        rig.stripe.expire(page.session)
        await rig.tell(*reversed(rig.stripe.events))
        assert await rig.rows("SELECT state FROM funding") == [("paid",)]
        assert await rig.balance(account) == TWENTY

    with_cards(tmp_path, scene)


def test_amounts_that_no_card_brings_are_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        for amount in (999_999, 1_000_001, 501 * DOLLAR, -DOLLAR):
            with pytest.raises(UserError):
                await rig.cashier.deposit(account, Micros(amount), save_card=False)
        with pytest.raises(UserError, match="no account"):
            await rig.cashier.deposit(type(account)(99), TWENTY, save_card=False)
        assert rig.stripe.requests == []

    with_cards(tmp_path, scene)


def test_a_deposit_for_an_account_that_closed_goes_back_to_the_card(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        await rig.accounts.close(account, ref="test")
        rig.stripe.pay(page.session)
        await rig.tell(*rig.stripe.events)
        await rig.cashier.round()
        intent = rig.stripe.objects[page.session]["payment_intent"]
        assert rig.stripe.objects[intent]["_refunded"] == 2000
        assert await rig.told() == ["deposit_returned"]

    with_cards(tmp_path, scene)


def test_a_low_account_is_reloaded_once_up_to_its_caps(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        await rig.paid_in(account, 4, save=True)
        await rig.agree(account)
        await rig.cashier.round()
        await rig.cashier.round()
        assert await rig.balance(account) == 24 * DOLLAR
        await rig.tell(*rig.stripe.events)
        assert await rig.balance(account) == 24 * DOLLAR

        async def spend() -> None:
            await rig.spend(account, 20 * DOLLAR)
            await rig.cashier.round()

        await spend()
        assert await rig.balance(account) == 24 * DOLLAR
        await spend()  # the cap of the day is used up
        assert await rig.balance(account) == 4 * DOLLAR
        rig.clock.at += 86_400
        await rig.cashier.round()
        assert await rig.balance(account) == 24 * DOLLAR
        rig.clock.at += 86_400
        await spend()  # and that of the month
        assert await rig.balance(account) == 4 * DOLLAR

    with_cards(tmp_path, scene)


def test_a_reload_whose_answer_is_lost_is_asked_for_again_and_charged_once(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        await rig.paid_in(account, 4, save=True)
        await rig.agree(account)
        rig.stripe.lose_answers = 2
        for _ in range(5):
            await rig.cashier.round()
            rig.clock.at += 60
        assert await rig.balance(account) == 24 * DOLLAR
        kinds = [event["type"] for event in rig.stripe.events]
        assert kinds.count("payment_intent.succeeded") == 2  # the deposit and one reload
        await rig.tell(*rig.stripe.events)
        assert await rig.balance(account) == 24 * DOLLAR

    with_cards(tmp_path, scene)


def test_the_first_failed_card_stops_reloads_and_is_told(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        await rig.paid_in(account, 4, save=True)
        await rig.agree(account)
        bad = "pm_card_chargeDeclinedExpiredCard"
        await rig.write(lambda raw: raw.execute("UPDATE saved_card SET method = ?", (bad,)))
        for _ in range(3):
            await rig.cashier.round()
            rig.clock.at += 600
        await rig.tell(*rig.stripe.events)
        asked = [path for method, path, _ in rig.stripe.requests if "payment_intents" in path]
        assert len(asked) == 1
        assert await rig.told() == ["deposit", "reload_stopped"]
        row = await rig.read(lambda raw: reload_statements.find(raw, account))
        assert row is not None
        assert (row.state, row.fault) == ("stopped", "expired_card")
        assert not await rig.write(lambda raw: reload_statements.pause(raw, account, is_on=True))

    with_cards(tmp_path, scene)


def test_no_card_is_kept_without_consent_and_none_after_it_was_removed(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        await rig.paid_in(account, 4)
        assert await rig.rows("SELECT * FROM saved_card") == []
        _, page = await rig.cashier.deposit(account, Micros(0), save_card=True)
        before = len(rig.stripe.events)
        rig.stripe.pay(page.session)
        await rig.tell(*rig.stripe.events[before:])
        (row,) = await rig.rows("SELECT method, consent_version <> '' FROM saved_card")
        assert row == ("pm_card_visa", 1)
        await rig.agree(account)
        assert await rig.write(lambda raw: reload_statements.forget_card(raw, account))
        await rig.cashier.round()
        assert await rig.balance(account) == 4 * DOLLAR

    with_cards(tmp_path, scene)


def test_a_refund_goes_to_the_card_once_though_its_answers_are_lost(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        intent = await rig.paid_in(account, 20)
        await rig.accounts.refund(account, Micros(5 * DOLLAR), ref="r1")
        assert await rig.balance(account) == 15 * DOLLAR
        rig.stripe.lose_answers = 1
        await rig.cashier.round()
        rig.clock.at += 60
        await rig.cashier.round()
        assert rig.stripe.objects[intent]["_refunded"] == 500
        await rig.tell(*rig.stripe.events)
        assert await rig.rows("SELECT state FROM payout") == [("done",)]
        with pytest.raises(UserError, match="not so much"):
            await rig.accounts.refund(account, Micros(16 * DOLLAR), ref="r2")

    with_cards(tmp_path, scene)


def test_a_refund_that_the_card_cannot_take_waits_by_hand(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        await rig.paid_in(account, 20)
        await rig.accounts.close(account, ref="test")
        await rig.cashier.round()
        rig.stripe.fail_refund(rig.stripe.event("refund.created")["data"]["object"]["id"])
        # The telling of the failure comes, and again, before that of the success.
        await rig.write(lambda raw: raw.execute("DELETE FROM payment_event"))
        failure = rig.stripe.event("refund.failed")
        await rig.tell(failure, failure, rig.stripe.event("refund.created"))
        rows = await rig.rows("SELECT way, state, amount FROM payout ORDER BY way DESC")
        assert rows == [("stripe", "failed", TWENTY), ("by_hand", "waiting", TWENTY)]
        assert "refund_by_hand" in await rig.told()

    with_cards(tmp_path, scene)


def test_a_refund_without_any_answer_for_a_day_is_left_to_a_person(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        await rig.paid_in(account, 20)
        await rig.accounts.refund(account, TWENTY, ref="r1")
        rig.stripe.is_down = True
        await rig.cashier.round()
        rig.clock.at += KEY_S + 1
        rig.stripe.is_down = False
        await rig.cashier.round()
        ((state, fault),) = await rig.rows("SELECT state, fault FROM payout")
        assert state == "asked"
        assert "look it up" in fault
        assert not any(path == "/v1/refunds" for _, path, _ in rig.stripe.requests)

    with_cards(tmp_path, scene)


@pytest.mark.parametrize("won", [True, False])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_dispute_holds_what_is_left_and_claims_what_is_spent(
    tmp_path: Path, order: tuple[int, ...], *, won: bool
) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        intent = await rig.paid_in(account, 20)
        spent = 8 * DOLLAR
        await rig.spend(account, spent)
        before = len(rig.stripe.events)
        dispute = rig.stripe.dispute(intent, 2000)
        rig.stripe.decide(dispute, won=won)
        events = rig.stripe.events[before:]
        await rig.tell(*[events[n] for n in order], *events)
        ((state, held, claim),) = await rig.rows("SELECT state, held, receivable FROM dispute")
        assert (state, held, claim) == ("won" if won else "lost", 12 * DOLLAR, spent)
        ((posted, on_hold),) = await rig.rows(
            f"SELECT posted, held FROM account WHERE id = {account}"
        )
        assert (posted, on_hold) == (12 * DOLLAR if won else 0, 0)
        ((owed,),) = await rig.rows(
            "SELECT coalesce(sum(posted), 0) FROM account WHERE kind = 'dispute_receivable'"
        )
        assert owed == (0 if won else -spent)

    with_cards(tmp_path, scene)


def test_what_is_disputed_is_not_paid_back_too(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        first = await rig.paid_in(account, 20)
        await rig.paid_in(account, 10)
        dispute = rig.stripe.dispute(first, 2000)
        await rig.tell(rig.stripe.event("charge.dispute.created"))
        assert await rig.balance(account) == 10 * DOLLAR
        with pytest.raises(UserError, match="disputed"):
            await rig.accounts.close(account, ref="test")
        rig.stripe.decide(dispute, won=False)
        await rig.tell(rig.stripe.event("charge.dispute.closed"))
        await rig.accounts.close(account, ref="test")
        await rig.cashier.round()
        assert rig.stripe.objects[first]["_refunded"] == 0
        assert await rig.rows("SELECT state, way FROM payout") == [("done", "stripe")]

    with_cards(tmp_path, scene)


@pytest.mark.parametrize("won", [True, False])
def test_what_a_lost_dispute_paid_is_not_paid_again(tmp_path: Path, *, won: bool) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        intent = await rig.paid_in(account, 20)
        await rig.accounts.refund(account, Micros(5 * DOLLAR), ref="r1")
        dispute = rig.stripe.dispute(intent, 2000)
        await rig.tell(rig.stripe.event("charge.dispute.created"))
        await rig.cashier.round()
        assert await rig.rows("SELECT state FROM payout") == [("waiting",)]
        rig.stripe.decide(dispute, won=won)
        await rig.tell(rig.stripe.event("charge.dispute.closed"))
        await rig.cashier.round()
        assert rig.stripe.objects[intent]["_refunded"] == (500 if won else 0)
        assert await rig.rows("SELECT way, state FROM payout") == [("stripe", "done")]
        rows = await rig.rows(
            "SELECT sum(posted) FROM account WHERE kind IN ('clearing:stripe', 'offline')"
        )
        assert rows == [(-15 * DOLLAR if won else 0,)]
        claims = await rig.rows(
            "SELECT coalesce(sum(posted), 0) FROM account WHERE kind = 'dispute_receivable'"
        )
        assert claims == [(0,)]

    with_cards(tmp_path, scene)


def test_events_that_are_not_ours_move_nothing(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        await rig.open()
        paid = {"id": "pi_1", "status": "succeeded", "amount_received": 500, "currency": "usd"}
        event = {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": paid}}
        other = {"id": "evt_2", "type": "payout.paid", "data": {"object": {}}}
        assert await rig.tell(event, other) == ["not ours", "nothing to do"]
        assert await rig.rows("SELECT * FROM transfer") == []

    with_cards(tmp_path, scene)


@pytest.mark.parametrize("amount", [TWENTY, Micros(0)])
def test_what_no_webhook_tells_is_asked_for(tmp_path: Path, amount: Micros) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        funding, page = await rig.cashier.deposit(account, amount, save_card=True)
        rig.stripe.pay(page.session, "pm_card_chargeDeclined") if amount else None
        rig.clock.at += ASK_AGAIN_S
        await rig.cashier.round()
        assert await rig.rows("SELECT state FROM funding") == [("waiting",)]
        rig.stripe.pay(page.session)
        rig.clock.at += 3600
        await rig.cashier.round()
        assert await rig.rows("SELECT id, state FROM funding") == [(funding, "paid")]
        assert await rig.balance(account) == amount
        assert len(await rig.rows("SELECT * FROM saved_card")) == 1
        await rig.tell(*rig.stripe.events)  # they come after all
        assert await rig.balance(account) == amount

    with_cards(tmp_path, scene)


def test_a_page_that_nobody_used_is_over_though_no_webhook_says_so(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        _, page = await rig.cashier.deposit(account, TWENTY, save_card=False)
        rig.stripe.expire(page.session)
        rig.clock.at += ASK_AGAIN_S
        await rig.cashier.round()
        assert await rig.rows("SELECT state FROM funding") == [("failed",)]

    with_cards(tmp_path, scene)


def test_a_look_asks_the_processor_and_not_too_often(tmp_path: Path) -> None:
    async def scene(rig: CardRig) -> None:
        account = await rig.open()
        funding, page = await rig.cashier.deposit(account, TWENTY, save_card=False)

        async def state() -> str:
            found = await rig.cashier.look(funding)
            assert found is not None
            return found.state

        assert await state() == "waiting"
        rig.stripe.pay(page.session)
        assert await state() == "waiting"
        rig.clock.at += LOOK_S
        assert await state() == "paid"
        assert await rig.balance(account) == TWENTY
        asked = [path for method, path, _ in rig.stripe.requests if method == "GET"]
        assert len(asked) == 2
        assert await rig.cashier.look("somebody else's") is None
        rig.stripe.is_down = True
        assert await state() == "paid"

    with_cards(tmp_path, scene)
