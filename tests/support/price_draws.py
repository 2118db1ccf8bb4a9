"""Random calls at random prices: what was quoted is what is charged, to the micro."""

from dataclasses import dataclass
from random import Random
from typing import Final

from switch.billing.credit import Credit
from switch.billing.dated import holds_on
from switch.billing.law import Cap, Law, LawFile, Levy, StateRule, Tier
from switch.billing.ledger import settlement
from switch.billing.payer import Payer
from switch.billing.price_book import PriceBook
from switch.billing.quote import FACILITY_PART, REVENUE, Quote, proves_itself
from switch.billing.rating import charge
from switch.billing.tariff import RateRow, Tariff, TaxRow
from switch.billing.time_band import DAYS, TimeBand
from switch.ids import CallId

CLASSES: Final = ("local", "intrastate", "interstate", "territory", "canada", "international")
COUNTRIES: Final = ("MX", "GT", "GB")
DATES: Final = tuple(f"2026-{month:02d}-{day:02d}" for month in range(1, 13) for day in (1, 14, 28))
SECONDS_MAX: Final = 7_200


@dataclass(frozen=True, slots=True)
class Draw:
    """One call and its price."""

    book: PriceBook
    quote: Quote
    date: str
    call_class: str
    seconds: int


def random_law(random: Random) -> Law:
    """Caps that come and go, two states with rules, a levy for each quarter."""
    caps = tuple(
        Cap(
            id=f"cap-{n}",
            tier="prison",
            medium="audio",
            value_micros=random.randrange(60_000, 200_000),
            valid_from=random.choice(DATES[:18]),
            valid_to=random.choice(("", *DATES[18:])),
            citation="invented",
        )
        for n in range(4)
    )
    states = tuple(
        StateRule(
            id=f"state-{n}",
            state=state,
            value_micros=random.choice((None, random.randrange(40_000, 160_000))),
            free_s=random.choice((0, 0, 60)),
            valid_from=random.choice(DATES),
            citation="invented",
        )
        for n, state in enumerate(("NM", "CO", "CO"))
    )
    levies = tuple(
        Levy(
            id=f"usf-{month}",
            levy="usf",
            label="Universal Service",
            classes=("interstate", "international"),
            parts_per_million=random.randrange(300_000, 400_000),
            valid_from=f"2026-{month:02d}-01",
            valid_to=f"2026-{month + 3:02d}-01" if month < 10 else "",
            citation="invented",
        )
        for month in (1, 4, 7, 10)
    )
    tier = Tier(id="prison", kind="prison", adp_min=0)
    return Law([LawFile(tier=(tier,), cap=caps, state_rule=states, levy=levies)])


def random_tariff(random: Random) -> Tariff:
    """A dozen rows by payer, class, country, hours and date, and two levies of the place."""
    rows = [RateRow(id="all", micros_per_minute=random.randrange(200_000), valid_from="2026-01-01")]
    for n in range(12):
        rate = random.randrange(1, 400_000)
        call_class = random.choice(("*", *CLASSES))
        abroad = call_class == "international"
        rows.append(
            RateRow(
                id=f"row-{n}",
                payer=random.choice((None, *Payer)),
                call_class=call_class,
                country=random.choice(("", *COUNTRIES)) if abroad else "",
                band=random.choice(("", "", "night", "weekend")),
                micros_per_minute=rate,
                facility_part_micros=random.randrange(rate),
                termination_micros=random.randrange(100_000) if abroad else 0,
                free_s=random.choice((0, 0, 0, 30)),
                valid_from=random.choice(DATES),
            )
        )
    taxes = tuple(
        TaxRow(
            id=f"tax-{n}",
            label="Levy",
            call_class=random.choice(("*", *CLASSES)),
            parts_per_million=random.randrange(150_000),
            valid_from=random.choice(DATES),
        )
        for n in range(2)
    )
    bands = (
        TimeBand(id="night", start="21:00", end="06:30"),
        TimeBand(id="weekend", start="00:00", end="00:00", days=DAYS[5:]),
    )
    return Tariff(
        id="t",
        kind="prison",
        adp=random.randrange(5_000),
        state=random.choice(("", "NM", "CO")),
        levies=random.choice(((), ("usf",))),
        band=bands,
        rate=tuple(rows),
        tax=taxes,
    )


def draw(random: Random, book: PriceBook) -> Draw:
    """One call."""
    call_class, date = random.choice(CLASSES), random.choice(DATES)
    quote = book.quote(
        "t",
        payer=random.choice(tuple(Payer)),
        call_class=call_class,
        date=date,
        minute_of_day=random.randrange(1_440),
        country=random.choice(COUNTRIES) if call_class == "international" else "US",
    )
    assert isinstance(quote, Quote)
    seconds = random.choice((random.randrange(120), random.randrange(SECONDS_MAX)))
    return Draw(book, quote, date, call_class, seconds)


def check(call: CallId, of: Draw) -> None:
    """Charge it as the ledger does, and hold that against the quote and against the law."""
    quote = of.quote
    ending = settlement(call, quote, seconds=of.seconds, credit=Credit.NONE)
    rated_s = max(0, of.seconds - quote.free_s)
    assert ending.charged == quote.micros_per_minute * rated_s // 60
    assert ending.charged == charge(quote.rate, of.seconds)
    assert sum(entry.amount for entry in ending.entries) == ending.charged
    lines = {line.book: line.micros_per_minute for line in quote.lines}
    for entry in ending.entries:
        # The exact share of a line, within the one micro that a largest remainder may add.
        assert abs(entry.amount * 60 - lines[entry.book] * rated_s) < 60 * len(lines)
    price = sum(e.amount for e in ending.entries if e.book in {REVENUE, FACILITY_PART})
    for cap_micros in caps_of(of):
        assert quote.price_micros_per_minute <= cap_micros
        # Parts are whole micros: either of the two may have the micro of a largest remainder.
        assert price <= cap_micros * of.seconds // 60 + 2
    assert proves_itself(quote)


def caps_of(of: Draw) -> list[int]:
    """Every cap of the day, looked up in the rows themselves; termination abroad comes on top."""
    tariff = of.book.tariffs["t"]
    (row,) = [row for row in tariff.rate if row.id == of.quote.rate_row]
    federal = [
        cap.value_micros + row.termination_micros
        for cap in of.book.law.caps
        if holds_on(cap, of.date)
    ]
    state = [
        rule.value_micros
        for rule in of.book.law.state_rules
        if rule.state == tariff.state
        and of.call_class in {"local", "intrastate"}
        and holds_on(rule, of.date)
        and rule.value_micros is not None
    ]
    return federal + state


def play(random: Random, calls: int, *, calls_per_book: int = 2_000) -> int:
    """Check so many calls; return how many were capped."""
    book, capped = None, 0
    for n in range(calls):
        if book is None or n % calls_per_book == 0:
            book = PriceBook(random_law(random), [random_tariff(random)])
        drawn = draw(random, book)
        check(CallId(n + 1), drawn)
        capped += drawn.quote.capped
    return capped
