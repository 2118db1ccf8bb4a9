"""Law and contract together, row by row; the order is contract, state, cap, taxes."""

from pathlib import Path

import pytest

from switch.billing.law import Law, parse_law
from switch.billing.payer import Payer
from switch.billing.price_book import PriceBook
from switch.billing.quote import Quote, QuoteRefusal, proves_itself
from switch.billing.rating import charge
from switch.billing.settings import BillingSettings
from switch.billing.tariff import parse_tariff
from switch.errors import SettingsError
from switch.store.price_files import load_price_book
from tests.support.money_rig import ELEVEN_CENTS

CONFIG = Path(__file__).parents[3] / "config"
LAW = """
[[tier]]
id = "jail"
kind = "jail"
adp_min = 0
[[cap]]
id = "cap"
tier = "jail"
medium = "audio"
value_micros = 120_000
valid_from = "2026-01-01"
citation = "invented"
[[state_rule]]
id = "nm"
state = "NM"
value_micros = 90_000
free_s = 60
valid_from = "2026-02-01"
citation = "invented"
[[levy]]
id = "usf-1"
levy = "usf"
label = "Universal Service"
classes = ["interstate"]
parts_per_million = 376_000
valid_from = "2026-01-01"
valid_to = "2026-04-01"
citation = "invented"
[[levy]]
id = "usf-2"
levy = "usf"
label = "Universal Service"
classes = ["interstate"]
parts_per_million = 400_000
valid_from = "2026-04-01"
valid_to = "2026-07-01"
citation = "invented"
[[fee_cap]]
id = "paper-before"
fee = "paper_bill"
value_micros = 2_000_000
valid_from = "2020-01-01"
valid_to = "2024-11-19"
citation = "invented"
[[fee_cap]]
id = "paper-now"
fee = "paper_bill"
value_micros = 0
valid_from = "2024-11-19"
citation = "invented"
"""
TARIFF = """
id = "t"
kind = "jail"
adp = 10
state = "NM"
levies = ["usf"]
[[band]]
id = "night"
from = "21:00"
to = "06:00"
[[rate]]
id = "day"
micros_per_minute = 100_000
valid_from = "2026-01-01"
[[rate]]
id = "night"
band = "night"
micros_per_minute = 80_000
valid_from = "2026-01-01"
[[rate]]
id = "abroad"
class = "international"
micros_per_minute = 500_000
termination_micros = 100_000
valid_from = "2026-01-01"
[[rate]]
id = "mexico"
class = "international"
country = "MX"
micros_per_minute = 130_000
termination_micros = 20_000
valid_from = "2026-01-01"
"""


def law(text: str = LAW) -> Law:
    return Law([parse_law("law.toml", text.encode())])


def book(tariff: str = TARIFF, text: str = LAW) -> PriceBook:
    return PriceBook(law(text), [parse_tariff("t.toml", tariff.encode())])


def quote(
    call_class: str = "interstate",
    *,
    date: str = "2026-03-02",
    minute: int = 720,
    country: str = "US",
    prices: PriceBook | None = None,
) -> Quote:
    answer = (prices or book()).quote(
        "t",
        payer=Payer.CALLED_PREPAID,
        call_class=call_class,
        date=date,
        minute_of_day=minute,
        country=country,
    )
    assert isinstance(answer, Quote)
    assert proves_itself(answer)
    return answer


def test_the_night_has_its_price_and_the_day_after_it_its_own() -> None:
    assert quote(minute=21 * 60).rate_row == "night"
    assert quote(minute=5 * 60).band == "night"
    assert quote(minute=6 * 60).rate_row == "day"
    assert quote(minute=6 * 60).band == ""


def test_a_country_has_its_price_and_raises_the_cap_by_what_it_costs_us() -> None:
    mexico = quote("international", country="MX")
    assert (mexico.rate_row, mexico.country, mexico.cap_micros_per_minute) == (
        "mexico",
        "MX",
        140_000,
    )
    other = quote("international", country="GT")
    assert (other.rate_row, other.price_micros_per_minute, other.capped) == (
        "abroad",
        220_000,
        True,
    )


def test_the_rule_of_the_state_is_for_calls_within_it_and_from_its_day() -> None:
    within = quote("intrastate")
    assert (within.price_micros_per_minute, within.free_s, within.capped) == (90_000, 60, True)
    assert (within.law_row, within.state_rows) == ("nm", ("nm",))
    assert charge(within.rate, 60) == 0
    assert quote("intrastate", date="2026-01-31").state_rows == ()
    assert quote("interstate").free_s == 0


def test_the_lower_of_state_and_federal_cap_binds() -> None:
    raised = LAW.replace("value_micros = 90_000", "value_micros = 150_000")
    steep = TARIFF.replace("micros_per_minute = 100_000", "micros_per_minute = 140_000")
    answer = quote("intrastate", prices=book(steep, raised))
    assert (answer.law_row, answer.price_micros_per_minute) == ("cap", 120_000)


def test_a_verified_rule_of_a_state_refuses_a_contract_for_calls_within_it() -> None:
    verified = LAW.replace(
        'id = "nm"\n',
        'id = "nm"\nverified = true\nverified_by = "Ann"\nverified_on = "2026-02-01"\n',
    )
    within = TARIFF.replace('id = "day"', 'id = "day"\nclass = "intrastate"')
    with pytest.raises(SettingsError, match=r"rate day of 100000 .* above the cap nm of 90000"):
        book(within, verified)
    assert quote("intrastate", prices=book(TARIFF, verified)).price_micros_per_minute == 90_000


def test_a_levy_changes_with_the_quarter_and_without_a_row_nothing_is_charged() -> None:
    first = quote()
    assert first.tax_rows == ("usf-1",)
    assert first.tax_micros_per_minute == 100_000 * 376 // 1_000
    assert [line.book for line in first.lines] == ["revenue", "tax:usf"]
    assert quote(date="2026-04-01").tax_rows == ("usf-2",)
    assert quote("intrastate").tax_micros_per_minute == 0
    assert quote(date="2026-07-01").tax_micros_per_minute == 0
    assert book().alarms_on("2026-06-30") == []
    (alarm,) = book().alarms_on("2026-07-01")
    assert "the levy usf has no row for 2026-07-01" in alarm


@pytest.mark.parametrize(
    ("start", "end", "micros", "says"),
    [
        ("2024-01-01", "2024-11-19", 2_000_000, ""),
        ("2024-01-01", "2024-11-19", 2_000_001, "more than the 2000000 of paper-before"),
        ("2024-01-01", "", 1, "more than the 0 of paper-now"),
        ("2026-01-01", "", 1, "more than the 0 of paper-now"),
        ("2026-01-01", "", 0, ""),
        ("2019-01-01", "2019-02-01", 1, "no row of law allows a fee paper_bill from 2019-01-01"),
    ],
)
def test_a_fee_that_the_law_forbids_for_its_date_does_not_load(
    start: str, end: str, micros: int, says: str
) -> None:
    fee = f"""
    [[fee]]
    id = "paper"
    fee = "paper_bill"
    micros = {micros}
    valid_from = "{start}"
    valid_to = "{end}"
    """
    if says:
        with pytest.raises(SettingsError, match=says):
            book(TARIFF + fee)
    else:
        book(TARIFF + fee)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('band = "night"', 'band = "dawn"', "names the band dawn"),
        ('id = "night"\nband', 'id = "day"\nband', "two rows have the id day"),
        (
            'levies = ["usf"]',
            'levies = ["moon"]',
            "levy moon, which no file of law has; known: usf",
        ),
        (
            'class = "international"\ncountry',
            'class = "canada"\ncountry',
            "termination_micros is for",
        ),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(before: str, after: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        book(TARIFF.replace(before, after))


def test_two_rows_of_law_never_share_an_id() -> None:
    with pytest.raises(SettingsError, match="two rows have the id usf-1"):
        law(LAW.replace("usf-2", "usf-1"))


def test_no_hour_fits_is_no_price() -> None:
    only_nights = TARIFF.replace('id = "day"', 'id = "day"\nband = "night"')
    answer = book(only_nights).quote(
        "t",
        payer=Payer.CALLED_PREPAID,
        call_class="interstate",
        date="2026-03-02",
        minute_of_day=720,
    )
    assert answer is QuoteRefusal.NO_RATE


def test_the_name_of_a_quote_from_before_bands_is_what_it_was() -> None:
    """Stored quotes prove themselves for ever (M14): the new fields do not count while empty."""
    assert ELEVEN_CENTS.id == "q-192a5ff8122ddd67"


def test_every_row_of_the_law_says_where_it_is_written_and_none_is_verified() -> None:
    rows = load_price_book(CONFIG, BillingSettings()).law.rows
    assert {f"L{n}" for n in range(1, 24)} <= {row.id for row in rows}
    assert all(row.citation for row in rows)
    assert not any(row.verified for row in rows)


def test_while_two_orders_hold_the_lower_cap_binds() -> None:
    rows = load_price_book(CONFIG, BillingSettings()).law
    for date, value in (("2025-12-04", 140_000), ("2025-12-05", 110_000), ("2026-04-06", 110_000)):
        cap = rows.cap_on(date, tier="prison")
        assert cap is not None
        assert cap.value_micros == value
