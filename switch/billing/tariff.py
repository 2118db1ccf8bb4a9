"""A contract: prices by payer, class, country, hours and date, its levies and its fees. Pure.

The text of the file comes in. `price_book` holds contracts against the law and makes quotes.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from switch.billing.dated import Date, MaybeDate, holds_on
from switch.billing.law import FeeKind, Kind, MicrosPerMinute
from switch.billing.payer import Payer
from switch.billing.time_band import TimeBand
from switch.errors import SettingsError

ANY: Final = "*"
MILLION: Final = 1_000_000

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
ClassName = Annotated[str, Meta(pattern=r"^(\*|[a-z_]+)$")]


class RateRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One price of a contract, taxes apart."""

    id: Name
    payer: Payer | None = None
    """None: every payer that has no row of its own."""
    call_class: ClassName = msgspec.field(name="class", default=ANY)
    """`local`, `intrastate`, `interstate`, …, or `*`."""
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$")] = ""
    """ISO 3166; '': every country of the class that has no row of its own."""
    band: str = ""
    """A band of this contract; '': whenever no row of a band fits."""
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
        if self.termination_micros and self.call_class != "international":
            raise ValueError(f"{self.id}: termination_micros is for class international only")

    def fits(self, payer: Payer, call_class: str, country: str, date: str) -> bool:
        """Say whether this row is for such a call, whatever the hour."""
        return (
            self.payer in {None, payer}
            and self.call_class in {ANY, call_class}
            and self.country in {"", country}
            and holds_on(self, date)
        )


class TaxRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A levy of the place, passed on exactly, without a mark-up, on its own line."""

    id: Name
    label: str
    call_class: ClassName = msgspec.field(name="class", default=ANY)
    parts_per_million: Annotated[int, Meta(ge=0, le=MILLION)]
    """Of the price. A fraction of a micro falls to the payer."""
    valid_from: Date
    valid_to: MaybeDate = ""
    verified: bool = False

    def fits(self, call_class: str, date: str) -> bool:
        """Say whether this levy is on such a call."""
        return self.call_class in {ANY, call_class} and holds_on(self, date)


class FeeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a contract wants besides minutes. Nothing, unless a row says so."""

    id: Name
    fee: FeeKind
    micros: Annotated[int, Meta(ge=0, le=100_000_000)]
    valid_from: Date
    valid_to: MaybeDate = ""


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contract of one or several facilities."""

    id: Name
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    kind: Kind
    adp: Annotated[int, Meta(ge=0, le=10_000_000)]
    """Average daily population of the last calendar year: decides the tier."""
    state: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""
    """Where it is, for the rules of that state; '' has none."""
    levies: tuple[str, ...] = ()
    """Levies of `config/law` that are passed on."""
    band: tuple[TimeBand, ...] = ()
    rate: Annotated[tuple[RateRow, ...], Meta(min_length=1)]
    tax: tuple[TaxRow, ...] = ()
    fee: tuple[FeeRow, ...] = ()

    def __post_init__(self) -> None:
        for rows in (self.rate, self.tax, self.fee, self.band):
            ids = [row.id for row in rows]
            for double in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
                raise ValueError(f"two rows have the id {double}")
        bands = {band.id for band in self.band}
        for row in self.rate:
            if row.band and row.band not in bands:
                raise ValueError(f"rate {row.id} names the band {row.band}, which is not there")

    def row_for(
        self, *, payer: Payer, call_class: str, country: str, date: str, minute_of_day: int
    ) -> RateRow | None:
        """Return the price of such a call at such a time; None if there is none.

        The row that says most about a call wins, and of two such the younger.
        """
        now = {band.id for band in self.band if band.holds_at(date, minute_of_day)}
        rows = [
            row
            for row in self.rate
            if row.fits(payer, call_class, country, date) and (not row.band or row.band in now)
        ]
        return max(rows, key=_precedence, default=None)


def parse_tariff(name: str, text: bytes) -> Tariff:
    """Read one file of `config/tariffs`.

    Raises:
        SettingsError: says the file, the row and what is allowed.
    """
    try:
        return msgspec.toml.decode(text, type=Tariff)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise SettingsError(f"{name}: {error}") from error


def _precedence(row: RateRow) -> tuple[bool, bool, bool, bool, str, str]:
    return (
        row.payer is not None,
        bool(row.country),
        row.call_class != ANY,
        bool(row.band),
        row.valid_from,
        row.id,
    )
