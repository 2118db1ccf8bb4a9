"""The sentences of a call, as keys of the phrase book with their values. Pure.

Every sentence of calls.md sections 2.1, 2.4, 4.1 and 5 has one function or one constant here;
the texts are in `config/prompts/<language>.toml`.
"""

from collections.abc import Sequence
from typing import Final

from switch.billing.payer import Payer
from switch.call.cause import Reason, prompt_key
from switch.call.line import Line
from switch.call.settings import ScriptSettings
from switch.media.phrase import Amount, Count, Digits, Named, Phrase, Value
from switch.money import Micros
from switch.routing.call_class import Privileged
from switch.screening.permit import Permit

ENTER_PIN: Final = Phrase("enter_pin")
BAD_PIN: Final = Phrase("deny_bad_pin")
DIAL_NUMBER: Final = Phrase("dial_number")
MENU: Final = Phrase("menu")
ASK_WHICH_NUMBER: Final = Phrase("ask_which_number")
NUMBER_REQUESTED: Final = Phrase("number_requested")
NUMBER_NOT_REQUESTED: Final = Phrase("number_not_requested")
SAY_NAME: Final = Phrase("say_name")
NAME_NOT_HEARD: Final = Phrase("name_not_heard")
HOTLINE_NOTICE: Final = Phrase("hotline_notice")
QUOTE_GO_ON: Final = Phrase("quote_go_on")
ANSWERED_WAIT: Final = Phrase("answered_wait")
CONNECTED: Final = Phrase("connected")
BLOCK_MENU: Final = Phrase("block_menu")
BLOCK_MENU_AGENCY: Final = Phrase("block_menu_agency")
BLOCK_MENU_UNDO: Final = Phrase("block_menu_undo")
BLOCK_UNDONE: Final = Phrase("block_undone")
KEYS_WARNING: Final = Phrase("warning_keys")


def phrase(key: str, /, **values: Value) -> Phrase:
    """Build a phrase from its key and what fills its holes."""
    return Phrase(key, tuple(values.items()))


def offer(language: str, key: str) -> Phrase:
    """Offer a language in that language: "Para español, oprima 2."."""
    return phrase(f"offer@{language}", key=Digits(key))


def language_menu(languages: Sequence[str]) -> tuple[Phrase, ...]:
    """Offer every language, each in its own voice, keys 1 to 9."""
    return tuple(offer(language, str(n)) for n, language in enumerate(languages, start=1))


def minutes(seconds: int) -> Count:
    """Return whole minutes, rounded down: never promise what is not there."""
    return Count(min(seconds // 60, 9999))


def length(key: str, seconds: int) -> Phrase:
    """Say a length in minutes, or in seconds if it is below two minutes and not a whole one."""
    if seconds % 60 == 0 or seconds >= 120:
        return phrase(f"{key}_minutes", n=minutes(seconds))
    return phrase(f"{key}_seconds", n=Count(seconds))


def balance(micros: Micros, minutes_left: int) -> Phrase:
    """Say the person's own balance and what it is enough for."""
    return phrase("balance", x=Amount(micros), n=Count(min(minutes_left, 9999)))


def caller_quote(permit: Permit, money_s: int) -> tuple[Phrase, ...]:
    """The price and the minutes, before a call that the caller pays."""
    spoken: list[Phrase] = []
    if permit.quote is not None:
        spoken.append(phrase("quote_price", x=Amount(permit.quote.micros_per_minute)))
    spoken.append(length("quote_time", min(permit.limit_s, money_s)))
    return (*spoken, QUOTE_GO_ON)


def greeting(line: Line, permit: Permit, name: Named | None, money_s: int) -> tuple[Phrase, ...]:
    """Who calls, from where, through whom; who hears it; what it costs. Before the keys."""
    if isinstance(permit.audibility, Privileged):
        notice = "greeting_privileged"
    else:
        notice = "greeting_recorded" if permit.recorded else "greeting_unrecorded"
    who: dict[str, Value] = {} if name is None else {"name": name}
    opening = phrase("greeting", **who, facility=line.facility_name, provider=line.provider_name)
    return (opening, Phrase(notice), price(permit, money_s))


def service_greeting(line: Line) -> Phrase:
    """Say whose service number was called."""
    return phrase("service_greeting", facility=line.facility_name, provider=line.provider_name)


def price(permit: Permit, money_s: int) -> Phrase:
    """The sentence of the payer. calls.md section 2.4."""
    if permit.quote is None or permit.payer is Payer.AGENCY_FREE:
        return Phrase("price_agency_free")
    if permit.payer is Payer.CALLER_DEBIT:
        return Phrase("price_caller_debit")
    values: dict[str, Value] = {"x": Amount(permit.quote.micros_per_minute)}
    if permit.payer is Payer.CALLED_PREPAID and money_s < 120:
        return phrase("price_called_prepaid_seconds", **values, z=Count(money_s))
    if permit.payer is Payer.CALLED_PREPAID:
        values["z"] = minutes(money_s)
    return phrase(f"price_{permit.payer.value}", **values)


def choices(settings: ScriptSettings, other_language: str | None) -> tuple[Phrase, ...]:
    """The keys, and the other language in its own voice."""
    keys = phrase(
        "greeting_keys",
        accept=Digits(settings.accept_key),
        refuse=Digits(settings.refuse_key),
        quote=Digits(settings.quote_key),
        block=Digits(settings.block_key),
    )
    if other_language is None:
        return (keys,)
    return (keys, offer(other_language, settings.language_key))


def full_price(permit: Permit, account_balance: Micros | None) -> tuple[Phrase, ...]:
    """The whole price, the balance, how it is collected and where to complain. Key 3."""
    if permit.quote is None or permit.payer is Payer.AGENCY_FREE:
        return (Phrase("price_agency_free"), Phrase("quote_complaints"))
    quote = permit.quote
    spoken = [phrase("quote_price", x=Amount(quote.micros_per_minute))]
    if quote.tax_micros_per_minute:
        spoken.append(phrase("quote_taxes", x=Amount(quote.tax_micros_per_minute)))
    if account_balance is not None and permit.payer is Payer.CALLED_PREPAID:
        spoken.append(phrase("quote_balance", x=Amount(account_balance)))
    collected = Phrase(f"quote_collected_{permit.payer.value}")
    return (*spoken, collected, Phrase("quote_complaints"))


def reason(why: Reason, values: tuple[tuple[str, Value], ...], *, to_caller: bool) -> Phrase | None:
    """The sentence of a reason for one side; None where nothing can be spoken."""
    key = prompt_key(why, to_caller=to_caller)
    return None if key is None else Phrase(key, values)
