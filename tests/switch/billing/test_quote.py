from msgspec import structs

from switch.billing.payer import SERVED_PAYERS, Payer
from switch.billing.quote import proves_itself
from tests.support.money_rig import quote_of


def test_the_same_rows_are_the_same_quote() -> None:
    assert quote_of(110_000) == quote_of(110_000)
    assert quote_of(110_000).id != quote_of(110_001).id


def test_the_total_is_what_the_lines_say() -> None:
    quote = quote_of(110_000)
    assert quote.micros_per_minute == 110_000
    assert quote.price_micros_per_minute + quote.tax_micros_per_minute == 110_000
    assert quote.rate.micros_per_minute == 110_000


def test_a_quote_that_was_changed_does_not_prove_itself() -> None:
    quote = quote_of(110_000)
    assert proves_itself(quote)
    assert not proves_itself(structs.replace(quote, free_s=1))
    assert not proves_itself(structs.replace(quote, id="q-0000000000000000"))


def test_the_payers_of_the_trade_in_order() -> None:
    assert [payer.value for payer in Payer] == [
        "called_prepaid",
        "caller_debit",
        "called_direct",
        "called_collect",
        "agency_free",
    ]
    assert frozenset(Payer) == SERVED_PAYERS
