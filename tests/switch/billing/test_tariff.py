from pathlib import Path

import pytest

from switch.billing.law import Law, parse_law
from switch.billing.payer import Payer
from switch.billing.price_book import PriceBook
from switch.billing.quote import Quote, QuoteRefusal
from switch.billing.settings import BillingSettings
from switch.billing.tariff import parse_tariff
from switch.errors import SettingsError
from switch.store.price_files import load_price_book

CONFIG = Path(__file__).parents[3] / "config"
LAW = """
[[tier]]
id = "prison"
kind = "prison"
adp_min = 0
[[cap]]
id = "cap-{n}"
value_micros = {value}
tier = "prison"
medium = "audio"
valid_from = "{start}"
valid_to = "{end}"
citation = "invented"
verified = {verified}
verified_by = "{by}"
verified_on = "{on}"
"""
TARIFF = """
id = "t"
kind = "prison"
adp = 900
[[rate]]
id = "all"
micros_per_minute = 120_000
facility_part_micros = 20_000
valid_from = "2026-01-01"
[[rate]]
id = "agency"
payer = "agency_free"
micros_per_minute = 10_000
valid_from = "2026-01-01"
[[rate]]
id = "local"
class = "local"
micros_per_minute = 50_000
valid_from = "2026-01-01"
[[rate]]
id = "local-later"
class = "local"
micros_per_minute = 40_000
valid_from = "2026-06-01"
[[rate]]
id = "abroad"
class = "international"
micros_per_minute = 190_000
termination_micros = 90_000
valid_from = "2026-01-01"
[[tax]]
id = "usf"
label = "Levy"
class = "*"
parts_per_million = 376_000
valid_from = "2026-01-01"
valid_to = "2026-04-01"
"""


def law(value: int, *, start: str = "2026-01-01", end: str = "", by: str = "") -> Law:
    text = LAW.format(
        n=value,
        value=value,
        start=start,
        end=end,
        verified="true" if by else "false",
        by=by,
        on="2026-01-02" if by else "",
    )
    return Law([parse_law("law.toml", text.encode())])


def quote(
    book: PriceBook,
    *,
    payer: Payer = Payer.CALLED_PREPAID,
    call_class: str = "interstate",
    date: str = "2026-05-01",
) -> Quote:
    answer = book.quote("t", payer=payer, call_class=call_class, date=date, minute_of_day=0)
    assert isinstance(answer, Quote)
    return answer


def book(of: Law) -> PriceBook:
    return PriceBook(of, [parse_tariff("t.toml", TARIFF.encode())])


def test_a_contract_above_a_verified_cap_does_not_load() -> None:
    with pytest.raises(SettingsError, match=r"rate all of 120000 .* above the cap cap-110000"):
        book(law(110_000, by="Ann Example"))


def test_a_contract_above_an_unverified_cap_is_quoted_at_the_cap_with_an_alarm() -> None:
    prices = book(law(110_000))
    assert [alarm for alarm in prices.alarms if "rate all" in alarm]
    answer = quote(prices)
    assert answer.price_micros_per_minute == 110_000
    assert answer.capped
    assert (answer.rate_row, answer.law_row, answer.tier) == ("all", "cap-110000", "prison")
    assert {line.book: line.micros_per_minute for line in answer.lines} == {
        "revenue": 90_000,
        "facility_part": 20_000,
    }


def test_a_contract_below_the_cap_is_quoted_as_it_is() -> None:
    answer = quote(book(law(150_000, by="Ann Example")))
    assert answer.price_micros_per_minute == 120_000
    assert not answer.capped


def test_a_cap_of_another_time_does_not_bind() -> None:
    prices = book(law(1, start="2027-01-01"))
    assert prices.alarms
    assert quote(prices).price_micros_per_minute == 120_000
    assert not book(law(1, start="2020-01-01", end="2026-01-01", by="Ann Example")).alarms


def test_taxes_are_exact_dated_and_on_their_own_line() -> None:
    answer = quote(book(law(110_000)), date="2026-03-31")
    assert answer.tax_micros_per_minute == 110_000 * 376 // 1000
    assert answer.micros_per_minute == 110_000 + 41_360
    assert quote(book(law(110_000)), date="2026-04-01").tax_micros_per_minute == 0


def test_the_row_that_says_most_wins_and_of_two_the_younger() -> None:
    prices = book(law(150_000))
    assert quote(prices, payer=Payer.AGENCY_FREE, call_class="local").rate_row == "agency"
    assert quote(prices, call_class="local").rate_row == "local"
    assert quote(prices, call_class="local", date="2026-07-01").rate_row == "local-later"


def test_abroad_the_cap_rises_by_what_termination_costs() -> None:
    answer = quote(book(law(110_000)), call_class="international")
    assert answer.price_micros_per_minute == 190_000
    assert answer.cap_micros_per_minute == 200_000


def test_no_row_is_no_price() -> None:
    prices = book(law(150_000))
    for tariff, date in (("t", "2025-12-31"), ("unknown", "2026-05-01")):
        answer = prices.quote(
            tariff, payer=Payer.CALLED_PREPAID, call_class="interstate", date=date, minute_of_day=0
        )
        assert answer is QuoteRefusal.NO_RATE


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "120_000",
            "-1",
            r"t.toml: Expected `int` >= 0 - at `\$.rate\[0\].micros_per_minute`",
        ),
        ("120_000", "1.5", r"Expected `int`, got `float`"),
        ("facility_part_micros = 20_000", "facility_part_micros = 130_000", "more than the whole"),
        ("adp = 900", "adp = 900\ncolour = 1", "unknown field `colour`"),
        ("adp = 900", "adp = ", "t.toml: "),
    ],
)
def test_a_wrong_tariff_says_file_path_and_range(before: str, after: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        parse_tariff("t.toml", TARIFF.replace(before, after).encode())


def test_a_verified_row_must_say_by_whom() -> None:
    text = LAW.format(n=1, value=1, start="2026-01-01", end="", verified="true", by="", on="")
    with pytest.raises(SettingsError, match="verified_by"):
        parse_law("law.toml", text.encode())


def test_a_cap_of_an_unknown_tier_is_refused() -> None:
    text = LAW.format(n=1, value=1, start="2026-01-01", end="", verified="false", by="", on="")
    file = parse_law("law.toml", text.replace('tier = "prison"', 'tier = "jail"').encode())
    with pytest.raises(SettingsError, match="the tier jail, unknown"):
        Law([file])


@pytest.mark.parametrize(
    ("kind", "adp", "audio", "video"),
    [
        ("prison", 1, 110_000, 250_000),
        ("jail", 1_000, 100_000, 190_000),
        ("jail", 999, 120_000, 190_000),
        ("jail", 350, 120_000, 190_000),
        ("jail", 349, 130_000, 210_000),
        ("jail", 100, 130_000, 210_000),
        ("jail", 99, 150_000, 250_000),
        ("jail", 50, 150_000, 250_000),
        ("jail", 49, 190_000, 440_000),
        ("jail", 0, 190_000, 440_000),
    ],
)
def test_the_caps_of_the_order_by_size(kind: str, adp: int, audio: int, video: int) -> None:
    file = parse_law("fcc", (CONFIG / "law/fcc_25_75.toml").read_bytes())
    rows = Law([file])
    tier = rows.tier_of("prison" if kind == "prison" else "jail", adp)
    for medium, value in (("audio", audio), ("video", video)):
        cap = rows.cap_on("2026-04-06", tier=tier, medium="audio" if medium == "audio" else "video")
        assert cap is not None
        assert cap.value_micros == value
        assert not cap.verified
    assert rows.cap_on("2025-12-04", tier=tier) is None


def test_the_lab_costs_eleven_cents_in_all() -> None:
    names = ("tariffs/lab.toml", "tariffs/bench.toml")
    prices = load_price_book(CONFIG, BillingSettings(tariffs=names))
    assert prices.alarms == ()
    answer = prices.quote(
        "lab", payer=Payer.CALLED_PREPAID, call_class="local", date="2026-11-24", minute_of_day=0
    )
    assert isinstance(answer, Quote)
    assert answer.micros_per_minute == 110_000


def test_a_missing_or_doubled_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        load_price_book(CONFIG, BillingSettings(tariffs=("tariffs/nowhere.toml",)))
    with pytest.raises(SettingsError, match="two files have a tariff of the id lab"):
        load_price_book(CONFIG, BillingSettings(tariffs=("tariffs/lab.toml", "tariffs/lab.toml")))
