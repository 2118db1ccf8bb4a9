"""The cashier: brings money in by card and sends it back, whatever answers are lost.

What is wanted is written down first, then asked for under its own name; what the processor says
(a webhook, or the answer to a question of ours) is applied by `store.funding_statements`. A crash
between any two steps is cured by the next round.
"""

import asyncio
import logging
import secrets
from functools import partial
from typing import Final
from urllib.parse import quote

from switch.billing.funding import (
    CONSENT_CARD,
    CONSENT_VERSION,
    CONSENTS_CARD,
    CheckoutPage,
    NewsKind,
    NoPayment,
    PaymentFault,
    PaymentNews,
    ReloadVerdict,
    is_deposit,
)
from switch.clock import Clock
from switch.errors import StoreError, UserError
from switch.ids import AccountId
from switch.money import Micros
from switch.outside.back_off import doubled_s
from switch.outside.settings import StripeSettings
from switch.outside.stripe import Return, Stripe, read_secret
from switch.outside.stripe_event import news_of_event, prove
from switch.store import (
    funding_statements,
    ledger_statements,
    payout_statements,
    reload_statements,
)
from switch.store.funding_statements import Funding
from switch.store.payout_statements import Payout
from switch.store.vault import Raw, Vault, lock_name

ROUND_S: Final = 5.0
"""How often it is looked for what is due. Chosen: a reload in mid-call is worth little later."""

BATCH_MAX: Final = 20
"""Of one kind in one round. Chosen: each is a request to the processor."""

ASK_AGAIN_S: Final = 600.0
"""After this without a webhook, our server asks. Chosen: webhooks come within seconds."""

LOOK_S: Final = 3.0
"""From one question about a deposit to the next, however often its page is loaded. Chosen: the
page loads itself again every five seconds."""

BACK_OFF_S: Final = 15.0
"""From the first try to the second; it doubles, up to an hour. Chosen."""

BACK_OFF_S_MAX: Final = 3600.0

KEY_S: Final = 23 * 3600.0
"""How long the same order may be sent again: Stripe keeps idempotency keys for 24 hours."""

log = logging.getLogger(__name__)


def back_off_s(tries: int) -> float:
    """Return how long to wait after so many tries."""
    return doubled_s(tries, first_s=BACK_OFF_S, most_s=BACK_OFF_S_MAX)


class Cashier:
    """Money by card.

    Args:
        stripe: asks the processor.
        webhook_secret: proves what it tells.
        vault: where everything is written down first.
        clock: wall time.
        origin: where our own pages are, for the way back from the hosted one.
    """

    def __init__(
        self, stripe: Stripe, *, webhook_secret: str, vault: Vault, clock: Clock, origin: str
    ) -> None:
        self._stripe = stripe
        self._webhook_secret = webhook_secret
        self._vault = vault
        self._clock = clock
        self._origin = origin
        self._looked: dict[str, float] = {}

    async def deposit(
        self, account: AccountId, amount: Micros, *, save_card: bool, language: str = "en"
    ) -> tuple[str, CheckoutPage]:
        """Make the page on which somebody pays into an account; return our name of it, too.

        Args:
            account: an open one.
            amount: 0 only saves a card.
            save_card: its holder has agreed to the words of `CONSENTS_CARD`.
            language: in which they read them.

        Raises:
            UserError: it cannot be; says what to do.
        """
        if amount and not is_deposit(amount):
            raise UserError("A card brings 1.00 to 500.00 dollars, in whole cents.")
        if not amount and not save_card:
            raise UserError("Without an amount there must be consent to save the card.")
        at = self._clock.wall()
        new = Funding(
            id=secrets.token_hex(12),
            account=account,
            method="checkout" if amount else "setup",
            amount=amount,
            state="waiting",
            intent="",
            consent_version=CONSENT_VERSION if save_card else "",
            consent_text=CONSENTS_CARD.get(language, CONSENT_CARD) if save_card else "",
            at=at,
            tries=0,
            fault="",
        )
        customer = await self._vault.write(lambda raw: _begin(raw, new, at=at))
        page = await self._stripe.open_checkout(
            new.id, amount, customer=customer, save_card=save_card, back=self._back(new.id)
        )
        if isinstance(page, PaymentFault):
            fault = PaymentNews(event="", kind=NewsKind.EXPIRED, funding=new.id, fault=page.says)
            await self.apply(fault)
            raise UserError(f"The card processor does not answer as it should ({page.says}).")
        next_at = at + ASK_AGAIN_S
        await self._vault.write(
            lambda raw: funding_statements.note_page(raw, new.id, page, next_at=next_at)
        )
        return new.id, page

    async def webhook(self, body: bytes, signature: str) -> str:
        """Take what the processor tells; return what became of it.

        Raises:
            PeerError: 400, it is not signed, or cannot be read.
            StoreError: it could not be written; it must be told again.
        """
        prove(body, signature, self._webhook_secret, now=self._clock.wall())
        return await self.apply(news_of_event(body))

    async def apply(self, news: PaymentNews) -> str:
        """Do what a fact asks for, once."""
        at = self._clock.wall()
        outcome = await self._vault.write(lambda raw: funding_statements.apply(raw, news, at=at))
        if news.kind is not NewsKind.OTHER:
            log.info("%s: %s", news.said or news.kind.value, outcome)
        return outcome

    async def look(self, funding: str) -> Funding | None:
        """Return how a deposit stands; one that waits is asked about, not too often."""
        found = await self._vault.read(lambda raw: funding_statements.find(raw, funding))
        if found is None or found.state != "waiting" or found.method == "reload":
            return found
        now = self._clock.monotonic()
        if self._looked.get(funding, now - LOOK_S) > now - LOOK_S:
            return found
        self._looked = {one: at for one, at in self._looked.items() if at > now - LOOK_S}
        self._looked[funding] = now
        await self._pursue(found)
        return await self._vault.read(lambda raw: funding_statements.find(raw, funding))

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        while True:
            try:
                await self.round()
            except StoreError as error:
                log.error("The cashier cannot read or write: %s", error)  # noqa: TRY400 - the sentence says it all
            await asyncio.sleep(ROUND_S)

    async def round(self) -> None:
        """Begin reloads that are due, ask for what no webhook told, send back what waits."""
        await self._begin_reloads()
        at = self._clock.wall()
        due = await self._vault.read(
            lambda raw: funding_statements.due(raw, at=at, rows_max=BATCH_MAX)
        )
        for funding in due:
            await self._pursue(funding)
        payouts = await self._vault.read(
            lambda raw: payout_statements.due(raw, at=at, rows_max=BATCH_MAX)
        )
        for payout in payouts:
            await self._send_back(payout)

    async def _begin_reloads(self) -> None:
        low = await self._vault.read(
            lambda raw: reload_statements.low(raw, rows_max=BATCH_MAX * 50)
        )
        at = self._clock.wall()
        for account in low:
            await self._vault.write(partial(_begin_reload, account=account, at=at))

    async def _pursue(self, funding: Funding) -> None:
        """Send a reload's order, or ask what became of a payment."""
        if funding.session:
            answer = await self._stripe.read_checkout(funding.session)
        elif funding.intent:
            answer = await self._stripe.read_intent(funding.intent)
        else:
            card = await self._vault.read(
                lambda raw: reload_statements.card_of(raw, funding.account)
            )
            is_stale = self._clock.wall() - funding.at > KEY_S
            if card is None or is_stale:
                says = "no card" if card is None else "no answer for a day"
                answer = PaymentFault(why=NoPayment.REFUSED, says=says)
            else:
                answer = await self._stripe.charge_saved(
                    funding.id, funding.amount, customer=card.customer, method=card.method
                )
        await self._take(funding, answer)

    async def _take(self, funding: Funding, answer: PaymentNews | PaymentFault) -> None:
        if isinstance(answer, PaymentNews) and answer.kind is not NewsKind.OTHER:
            await self.apply(answer)
            return
        if isinstance(answer, PaymentFault) and answer.why is not NoPayment.UNSURE:
            kind = NewsKind.EXPIRED if funding.method == "checkout" else NewsKind.DECLINED
            fault = PaymentNews(event="", kind=kind, funding=funding.id, fault=answer.says)
            await self.apply(fault)
            return
        says = answer.says if isinstance(answer, PaymentFault) else "not decided yet"
        next_at = self._clock.wall() + back_off_s(funding.tries)

        def deed(raw: Raw) -> None:
            if isinstance(answer, PaymentNews) and answer.intent:
                funding_statements.note_intent(raw, funding.id, answer.intent, next_at=next_at)
            funding_statements.later(raw, funding.id, fault=says, next_at=next_at)

        await self._vault.write(deed)

    async def _send_back(self, payout: Payout) -> None:
        at = self._clock.wall()
        if payout.state == "waiting" and payout.tries and at - payout.at > KEY_S:
            # Its first order may have been carried out, and the key is forgotten: a person looks.
            fault = "no answer for a day; look it up at the processor"
            await self._vault.write(lambda raw: _give_up(raw, payout, fault=fault, at=at))
            return
        is_paid = await self._vault.write(
            lambda raw: payout_statements.is_with_the_bank(raw, payout, at=at)
        )
        if is_paid:
            return
        answer = await self._stripe.refund(payout.id, payout.intent, payout.amount)
        if isinstance(answer, PaymentNews) and answer.kind is not NewsKind.OTHER:
            await self.apply(answer)
            return
        next_at = at + back_off_s(payout.tries)
        if isinstance(answer, PaymentNews):
            refund = answer.refund
            await self._vault.write(
                lambda raw: payout_statements.asked(
                    raw, payout.id, refund=refund, next_at=at + KEY_S * 40, at=at
                )
            )
        elif answer.why is NoPayment.UNSURE:
            says = answer.says
            await self._vault.write(
                lambda raw: payout_statements.later(raw, payout.id, fault=says, next_at=next_at)
            )
        else:
            fault_news = PaymentNews(
                event="", kind=NewsKind.REFUND_FAILED, payout=payout.id, fault=answer.says
            )
            await self.apply(fault_news)

    def _back(self, funding: str) -> Return:
        at = f"{self._origin}/family/deposit/{quote(funding)}"
        return Return(done=f"{at}?back=done", cancelled=f"{at}?back=cancelled")


def open_cashier(settings: StripeSettings, vault: Vault, origin: str) -> Cashier | None:
    """Make the cashier, if a key is configured.

    Raises:
        SettingsError: a secret cannot be read.
    """
    if not settings.secret_key_file:
        return None
    secret = read_secret(settings.webhook_secret_file, "webhook_secret_file")
    stripe = Stripe(settings)
    return Cashier(stripe, webhook_secret=secret, vault=vault, clock=vault.clock, origin=origin)


def _begin(raw: Raw, new: Funding, *, at: float) -> str:
    """Write a deposit down; return the processor's name of the payer, if it has one."""
    account = ledger_statements.find(raw, new.account)
    if account is None or account.purse.floor is None:
        raise UserError(f"There is no account {new.account}.")
    if not account.is_open:
        raise UserError(f"Account {new.account} is closed.")
    funding_statements.begin(raw, new, next_at=at + ASK_AGAIN_S)
    card = reload_statements.card_of(raw, new.account)
    return "" if card is None else card.customer


def _begin_reload(raw: Raw, *, account: AccountId, at: float) -> None:
    lock_name(raw, f"reload:{account}")
    if reload_statements.judge(raw, account, at=at) is not ReloadVerdict.ASK:
        return
    agreed = reload_statements.find(raw, account)
    assert agreed is not None
    new = Funding(
        id=secrets.token_hex(12),
        account=account,
        method="reload",
        amount=agreed.amount,
        state="waiting",
        intent="",
        consent_version="",
        consent_text="",
        at=at,
        tries=0,
        fault="",
    )
    funding_statements.begin(raw, new, next_at=at)


def _give_up(raw: Raw, payout: Payout, *, fault: str, at: float) -> None:
    """Leave a refund to a person; paying it by hand unseen might pay it twice."""
    payout_statements.asked(raw, payout.id, refund="", next_at=at + KEY_S * 40, at=at)
    payout_statements.later(raw, payout.id, fault=fault, next_at=at + KEY_S * 40)
