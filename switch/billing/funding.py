"""Money by card: what a processor tells us, and whether a reload is due. Pure.

    waiting --paid--> paid            money that came is credited, whatever was said before
    waiting --declined--> failed      a reload ends; a person at the page may try another card
    failed  --paid--> paid
    paid    --anything--> paid

News may come twice, late and in any order: each is a fact about one thing, and the order of facts
about one thing does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from switch.money import MICROS_PER_CENT, Micros, dollars_text

NOTHING: Final = Micros(0)

DEPOSIT_MIN: Final = Micros(1_000_000)
"""One dollar. money.md section 8."""

DEPOSIT_MAX: Final = Micros(500_000_000)
"""Chosen: above any month of one family; $50 must always be possible (47 CFR 64.6100)."""


class NewsKind(StrEnum):
    """What happened at the processor."""

    PAID = "paid"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The page was not used in time."""
    CARD_SAVED = "card_saved"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    REFUND_DONE = "refund_done"
    REFUND_FAILED = "refund_failed"
    OTHER = "other"
    """Nothing that moves money here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNews:
    """One fact, from a signed webhook or from an answer that our server asked for."""

    event: str
    """The processor's name of the telling; '' if we asked."""
    kind: NewsKind
    said: str = ""
    """What the processor calls it."""
    funding: str = ""
    """Our name of the money on its way in."""
    intent: str = ""
    """The processor's name of the payment."""
    amount: Micros = NOTHING
    currency: str = "USD"
    customer: str = ""
    method: str = ""
    """The processor's name of the card."""
    dispute: str = ""
    payout: str = ""
    """Our name of what goes back."""
    refund: str = ""
    """The processor's name of it."""
    fault: str = ""


class NoPayment(Enum):
    """Why the processor did not do what we asked."""

    DECLINED = "declined"
    """The card said no; asking again is no use."""
    REFUSED = "refused"
    """The processor says that the order is wrong; asking again is no use."""
    UNSURE = "unsure"
    """No answer, or not now: ask again under the same key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFault:
    """An order that was not carried out."""

    why: NoPayment
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPage:
    """Where somebody types in a card; never on a page of ours."""

    session: str
    url: str
    intent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """What a payer agreed to."""

    threshold: Micros
    amount: Micros
    day_cap: Micros
    month_cap: Micros
    is_on: bool


class ReloadVerdict(Enum):
    """Whether a card is charged now; refusals first, in order of precedence."""

    NOT_ON = "not_on"
    NO_CARD = "no_card"
    ENOUGH = "enough"
    IN_FLIGHT = "in_flight"
    DAY_CAP = "day_cap"
    MONTH_CAP = "month_cap"
    ASK = "ask"


def judge_reload(
    reload: Reload,
    *,
    available: Micros,
    has_card: bool,
    is_in_flight: bool,
    of_day: Micros,
    of_month: Micros,
) -> ReloadVerdict:
    """Say whether a reload is due.

    Args:
        reload: what was agreed.
        available: of the account, with what its calls hold left out.
        has_card: a card was saved with consent.
        is_in_flight: one reload has not come back yet.
        of_day: what reloads brought, or may bring, since the day began.
        of_month: the same of the month.
    """
    ladder = (
        (not reload.is_on, ReloadVerdict.NOT_ON),
        (not has_card, ReloadVerdict.NO_CARD),
        (available >= reload.threshold, ReloadVerdict.ENOUGH),
        (is_in_flight, ReloadVerdict.IN_FLIGHT),
        (of_day + reload.amount > reload.day_cap, ReloadVerdict.DAY_CAP),
        (of_month + reload.amount > reload.month_cap, ReloadVerdict.MONTH_CAP),
    )
    return next((verdict for is_so, verdict in ladder if is_so), ReloadVerdict.ASK)


def is_deposit(amount: Micros) -> bool:
    """Say whether a card may bring so much at once: whole cents, from a dollar."""
    return DEPOSIT_MIN <= amount <= DEPOSIT_MAX and amount % MICROS_PER_CENT == 0


CONSENT_VERSION: Final = "2026-11"
"""Of the texts below; a new text is a new version."""

CONSENT_CARD: Final = (
    "I agree that my card is saved with the card processor and may be charged when I ask for it,"
    " or when I have turned on automatic payments. I can remove it at any time, without a fee."
)

CONSENT_RELOAD: Final = (
    "I agree that my saved card is charged {amount} whenever the balance falls below {threshold},"
    " at most {day_cap} a day and {month_cap} a month. It stops at the first charge that fails. I"
    " can pause or end it at any time, without a fee."
)

CONSENTS_CARD: Final[Mapping[str, str]] = {
    "en": CONSENT_CARD,
    "es": (
        "Acepto que mi tarjeta se guarde con el procesador de tarjetas y que se le cobre cuando yo"
        " lo pida o cuando haya activado los pagos automáticos. Puedo quitarla en cualquier"
        " momento, sin costo."
    ),
}
"""By language: people agree to what they can read, and that is what is kept."""

CONSENTS_RELOAD: Final[Mapping[str, str]] = {
    "en": CONSENT_RELOAD,
    "es": (
        "Acepto que se cobre {amount} a mi tarjeta guardada cada vez que el saldo baje de"
        " {threshold}, como máximo {day_cap} al día y {month_cap} al mes. Se detiene con el primer"
        " cobro que falle. Puedo pausarlo o terminarlo en cualquier momento, sin costo."
    ),
}
"""By language. To be reviewed by a native speaker, as all Spanish sentences."""


def consent_reload(reload: Reload, language: str) -> str:
    """Return the words that a payer agrees to, with their own amounts in them."""
    limits = {
        "amount": reload.amount,
        "threshold": reload.threshold,
        "day_cap": reload.day_cap,
        "month_cap": reload.month_cap,
    }
    shown = {name: f"${dollars_text(micros)}" for name, micros in limits.items()}
    return CONSENTS_RELOAD.get(language, CONSENT_RELOAD).format(**shown)
