"""Contract prices and taxes, and the one function that makes a quote of them.

A contract above a verified cap of its tier does not load. Against an unverified one it loads with
an alarm, and the quote takes the lower of the two. Pure: the text of the file comes in.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from switch.billing.law import Cap, Date, Kind, Law, MaybeDate, MicrosPerMinute
from switch.billing.payer import Payer
from switch.billing.quote import (
    FACILITY_PART,
    REVENUE,
    Quote,
    QuoteLine,
    QuoteRefusal,
    make_quote,
)
from switch.errors import SettingsError

ANY: Final = "*"
MILLION: Final = 1_000_000

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class RateRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One price of a contract, taxes apart."""

    id: Name
    payer: Payer | None = None
    """None: every payer that has no row of its own."""
    call_class: Annotated[str, Meta(pattern=r"^(\*|[a-z_]+)$")] = msgspec.field(
        name="class", default=ANY
    )
    """`local`, `intrastate`, `interstate`, …, or `*`."""
    micros_per_minute: MicrosPerMinute
    facility_part_micros: MicrosPerMinute = 0
    """The part of it that goes to the facility for its costs."""
    termination_micros: MicrosPerMinute = 0
    """What we pay to terminate abroad; it raises the cap by as much. calls.md section 10, L5."""
    free_s: Annotated[int, Meta(ge=0, le=3_600)] = 0
    valid_from: Date
    valid_to: MaybeDate = ""

    def __post_init__(self) -> None:
        if self.facility_part_micros > self.micros_per_minute:
            raise ValueError(f"{self.id}: facility_part_micros is more than the whole price")

    def fits(self, payer: Payer, call_class: str, date: str) -> bool:
        """Say whether this row is for such a call."""
        return (
            self.payer in {None, payer}
            and self.call_class in {ANY, call_class}
            and self.valid_from <= date
            and (not self.valid_to or date < self.valid_to)
        )


class TaxRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One levy, passed on exactly, without a mark-up, on its own line."""

    id: Name
    label: str
    call_class: Annotated[str, Meta(pattern=r"^(\*|[a-z_]+)$")] = msgspec.field(
        name="class", default=ANY
    )
    parts_per_million: Annotated[int, Meta(ge=0, le=MILLION)]
    """Of the price. A fraction of a micro falls to the payer."""
    valid_from: Date
    valid_to: MaybeDate = ""
    verified: bool = False

    def fits(self, call_class: str, date: str) -> bool:
        """Say whether this levy is on such a call."""
        return (
            self.call_class in {ANY, call_class}
            and self.valid_from <= date
            and (not self.valid_to or date < self.valid_to)
        )


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contract of one or several facilities."""

    id: Name
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    kind: Kind
    adp: Annotated[int, Meta(ge=0, le=10_000_000)]
    """Average daily population of the last calendar year: decides the tier."""
    rate: Annotated[tuple[RateRow, ...], Meta(min_length=1)]
    tax: tuple[TaxRow, ...] = ()


class PriceBook:
    """Law and contracts together: the one engine behind quotes, the calculator and the statement.

    Args:
        law: the caps.
        tariffs: by id, as `parse_tariff` read them.

    Raises:
        SettingsError: a contract is above a verified cap.
    """

    def __init__(self, law: Law, tariffs: Sequence[Tariff]) -> None:
        self.law = law
        self.tariffs: Mapping[str, Tariff] = {tariff.id: tariff for tariff in tariffs}
        self.alarms = tuple(
            alarm
            for tariff in tariffs
            for row in tariff.rate
            for alarm in _checked(law, tariff, row)
        )
        """What staff must know: contracts above a cap that nobody has verified."""

    def quote(
        self, tariff: str, *, payer: Payer, call_class: str, date: str
    ) -> Quote | QuoteRefusal:
        """Price a call, or say that there is no price.

        Args:
            tariff: of the facility.
            payer: who pays.
            call_class: `local`, `intrastate`, `interstate`, `territory`, `canada`, `international`.
            date: the day at the facility, `2026-11-24`.
        """
        contract = self.tariffs.get(tariff)
        if contract is None:
            return QuoteRefusal.NO_RATE
        rows = [row for row in contract.rate if row.fits(payer, call_class, date)]
        if not rows:
            return QuoteRefusal.NO_RATE
        row = max(rows, key=_precedence)
        tier = self.law.tier_of(contract.kind, contract.adp)
        cap = self.law.cap_on(date, tier=tier)
        most = None if cap is None else cap.value_micros + row.termination_micros
        price = row.micros_per_minute if most is None else min(row.micros_per_minute, most)
        taxes = [tax for tax in contract.tax if tax.fits(call_class, date)]
        return make_quote(
            payer=payer,
            call_class=call_class,
            tariff=tariff,
            currency=contract.currency,
            lines=_lines(price, min(row.facility_part_micros, price), taxes),
            free_s=row.free_s,
            tier=tier,
            rate_row=row.id,
            law_row="" if cap is None else cap.id,
            cap_micros_per_minute=most,
            capped=price < row.micros_per_minute,
        )


def parse_tariff(name: str, text: bytes) -> Tariff:
    """Read one file of `config/tariffs`.

    Raises:
        SettingsError: says the file, the row and what is allowed.
    """
    try:
        return msgspec.toml.decode(text, type=Tariff)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise SettingsError(f"{name}: {error}") from error


def _lines(price: int, facility_part: int, taxes: Sequence[TaxRow]) -> tuple[QuoteLine, ...]:
    parts = [
        QuoteLine(book=REVENUE, label="", micros_per_minute=price - facility_part),
        QuoteLine(book=FACILITY_PART, label="", micros_per_minute=facility_part),
        *(
            QuoteLine(
                book=f"tax:{tax.id}",
                label=tax.label,
                micros_per_minute=price * tax.parts_per_million // MILLION,
            )
            for tax in taxes
        ),
    ]
    return tuple(part for part in parts if part.micros_per_minute > 0)


def _precedence(row: RateRow) -> tuple[bool, bool, str]:
    """The row that says most about a call wins; of two such the younger."""
    return row.payer is not None, row.call_class != ANY, row.valid_from


def _checked(law: Law, tariff: Tariff, row: RateRow) -> list[str]:
    """Hold one contract price against every cap of its tier that is in force with it."""
    tier = law.tier_of(tariff.kind, tariff.adp)
    above = [
        cap
        for cap in law.caps
        if cap.tier == tier
        and cap.medium == "audio"
        and _overlap(cap, row)
        and row.micros_per_minute > cap.value_micros + row.termination_micros
    ]
    for cap in above:
        if cap.verified:
            raise SettingsError(
                f"tariff {tariff.id}: rate {row.id} of {row.micros_per_minute} micros a minute is"
                f" above the cap {cap.id} of {cap.value_micros} ({cap.citation})"
            )
    return [
        f"tariff {tariff.id}: rate {row.id} is above the cap {cap.id}, which nobody has verified;"
        " the lower one is quoted"
        for cap in above
    ]


def _overlap(cap: Cap, row: RateRow) -> bool:
    starts_in_time = not cap.valid_to or row.valid_from < cap.valid_to
    return starts_in_time and (not row.valid_to or cap.valid_from < row.valid_to)
