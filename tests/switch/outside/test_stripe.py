"""One suite for every Stripe: ours in the process, ours over HTTP, the real one's test mode.

The last runs when a file with a test key lies at `tests/.stripe-test-key` (never committed).
"""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch.billing.funding import CheckoutPage, NewsKind, NoPayment, PaymentFault, PaymentNews
from switch.errors import SettingsError
from switch.money import Micros
from switch.outside.settings import StripeSettings
from switch.outside.stripe import Return, Stripe
from tests.support.peers.local_stripe import SECRET_KEY, LocalStripe
from tests.support.peers.local_stripe_server import stripe_server

REAL_KEY = Path(__file__).parents[2] / ".stripe-test-key"
BACK = Return(done="https://switch.example/done", cancelled="https://switch.example/no")
FIVE = Micros(5_000_000)


@pytest.fixture(params=["process", pytest.param("http", marks=pytest.mark.live), "real"])
def stripe(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stripe]:
    """An adapter, and what answers it."""
    key = tmp_path / "key"
    key.write_text(SECRET_KEY)
    settings = StripeSettings(secret_key_file=str(key), webhook_secret_file=str(key))
    if request.param == "process":
        yield Stripe(settings, LocalStripe())
    elif request.param == "http":
        with stripe_server(LocalStripe()) as base:
            here = StripeSettings(
                secret_key_file=str(key), webhook_secret_file=str(key), api_base=base
            )
            yield Stripe(here)
    else:
        if not REAL_KEY.is_file():
            pytest.skip("no key of Stripe's test mode")
        yield Stripe(
            StripeSettings(secret_key_file=str(REAL_KEY), webhook_secret_file=str(REAL_KEY))
        )


def name() -> str:
    return secrets.token_hex(12)


def charged(stripe: Stripe, funding: str, card: str = "pm_card_visa") -> PaymentNews | PaymentFault:
    return asyncio.run(stripe.charge_saved(funding, FIVE, customer="", method=card))


def paid(stripe: Stripe) -> PaymentNews:
    news = charged(stripe, name())
    assert isinstance(news, PaymentNews)
    return news


def test_a_page_is_made_once_for_each_name(stripe: Stripe) -> None:
    funding = name()

    def page() -> CheckoutPage | PaymentFault:
        return asyncio.run(
            stripe.open_checkout(funding, FIVE, customer="", save_card=True, back=BACK)
        )

    first = page()
    assert isinstance(first, CheckoutPage)
    assert first.url.startswith("https://")
    assert page() == first


def test_a_page_that_only_saves_a_card_is_made(stripe: Stripe) -> None:
    page = asyncio.run(
        stripe.open_checkout(name(), Micros(0), customer="", save_card=True, back=BACK)
    )
    assert isinstance(page, CheckoutPage)


def test_a_charge_has_the_name_that_we_gave_it_and_is_made_once(stripe: Stripe) -> None:
    funding = name()
    first, again = charged(stripe, funding), charged(stripe, funding)
    assert isinstance(first, PaymentNews)
    assert (first.kind, first.funding, first.amount) == (NewsKind.PAID, funding, FIVE)
    assert again == first
    assert asyncio.run(stripe.read_intent(first.intent)) == first


def test_a_name_is_not_used_for_something_else(stripe: Stripe) -> None:
    funding = name()
    charged(stripe, funding)
    other = charged(stripe, funding, "pm_card_mastercard")
    assert isinstance(other, PaymentFault)
    assert other.why is NoPayment.REFUSED


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required"),
    ],
)
def test_a_card_says_no_for_its_reason(stripe: Stripe, card: str, says: str) -> None:
    fault = charged(stripe, name(), card)
    assert fault == PaymentFault(why=NoPayment.DECLINED, says=says)


def test_no_more_goes_back_than_came(stripe: Stripe) -> None:
    intent = paid(stripe).intent
    payout = name()

    def back(payout: str, cents: int) -> PaymentNews | PaymentFault:
        return asyncio.run(stripe.refund(payout, intent, Micros(cents * 10_000)))

    first = back(payout, 300)
    assert isinstance(first, PaymentNews)
    assert (first.kind, first.payout) == (NewsKind.REFUND_DONE, payout)
    assert back(payout, 300) == first
    over = back(name(), 300)
    assert isinstance(over, PaymentFault)
    assert over.why is NoPayment.REFUSED
    rest = back(name(), 200)
    assert isinstance(rest, PaymentNews)


def test_an_unknown_payment_is_refused(stripe: Stripe) -> None:
    fault = asyncio.run(stripe.read_intent("pi_../nothing"))
    assert isinstance(fault, PaymentFault)
    assert fault.why is NoPayment.REFUSED


def test_no_answer_and_a_strange_one_are_unsure(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET_KEY)
    settings = StripeSettings(secret_key_file=str(key), webhook_secret_file=str(key))
    answers = [(200, b"<html>"), (200, b"[]"), (200, b"{}"), (503, b"{}"), (429, b'{"error": 1}')]
    for status, body in answers:
        fault = charged(Stripe(settings, lambda *_, a=(status, body): a), name())
        assert isinstance(fault, PaymentFault), body
        assert fault.why is NoPayment.UNSURE, body
    down = LocalStripe(is_down=True)
    fault = charged(Stripe(settings, down), name())
    assert isinstance(fault, PaymentFault)
    assert fault.why is NoPayment.UNSURE


def test_a_key_that_cannot_be_read_is_said_at_the_start(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    with pytest.raises(SettingsError, match="secret_key_file"):
        Stripe(StripeSettings(secret_key_file=missing, webhook_secret_file=missing))
    with pytest.raises(ValueError, match="belong together"):
        StripeSettings(secret_key_file=missing)
    with pytest.raises(ValueError, match="api_base"):
        StripeSettings(api_base="http://api.stripe.com")
