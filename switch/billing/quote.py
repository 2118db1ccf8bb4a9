"""The price promised to one call: spoken, stored in the meter, printed on the statement.

A quote is named by what it says: the same rows give the same id for ever, so a thousand calls at
one price share one stored row, and a stored row proves itself by its hash.
"""

from enum import Enum
from hashlib import sha256
from typing import Any, Final

import msgspec

from switch.billing.payer import Payer
from switch.billing.rating import Rate
from switch.money import Micros

REVENUE: Final = "revenue"
"""The book that the provider's part of a charge goes to."""

FACILITY_PART: Final = "facility_part"
"""The book of what the facility gets for its costs. calls.md section 10, L2."""


_LATER: Final = frozenset({"band", "country", "state_rows", "tax_rows"})
"""Not part of the name while they say nothing, so that the quotes from before them keep theirs."""


class QuoteRefusal(Enum):
    """Why there is no price."""

    NO_RATE = "no_rate"


class QuoteLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One part of the price per minute and the book that it is posted to."""

    book: str
    """`revenue`, `facility_part` or `tax:<id>`."""
    label: str
    micros_per_minute: int


class Quote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price. Make it with `make_quote`, which names it."""

    id: str
    version_hash: str
    """SHA-256 over everything below."""
    payer: Payer
    call_class: str
    tariff: str
    currency: str
    lines: tuple[QuoteLine, ...]
    free_s: int
    tier: str
    rate_row: str
    """The contract row."""
    law_row: str
    """The cap of the date and tier; '' if none was in force."""
    cap_micros_per_minute: int | None
    """The cap on the price without taxes; None if none was in force."""
    capped: bool
    """True if the cap was lower than the contract and bit."""
    band: str = ""
    """The hours that the contract row is for; '' is any."""
    country: str = ""
    """The country that the contract row is for; '' is any."""
    state_rows: tuple[str, ...] = ()
    """The rules of the state that were in force."""
    tax_rows: tuple[str, ...] = ()
    """The dated rows behind the tax lines."""

    @property
    def micros_per_minute(self) -> Micros:
        """The total R: only the total can be held."""
        return Micros(sum(line.micros_per_minute for line in self.lines))

    @property
    def price_micros_per_minute(self) -> Micros:
        """The price without taxes, which the caps apply to."""
        return Micros(
            sum(x.micros_per_minute for x in self.lines if x.book in {REVENUE, FACILITY_PART})
        )

    @property
    def tax_micros_per_minute(self) -> Micros:
        """All taxes together."""
        return Micros(self.micros_per_minute - self.price_micros_per_minute)

    @property
    def rate(self) -> Rate:
        """What `rating` prices the seconds with."""
        return Rate(micros_per_minute=self.micros_per_minute, free_s=self.free_s)


def make_quote(
    *,
    payer: Payer,
    call_class: str,
    tariff: str,
    lines: tuple[QuoteLine, ...],
    currency: str = "USD",
    free_s: int = 0,
    tier: str = "",
    rate_row: str = "",
    law_row: str = "",
    cap_micros_per_minute: int | None = None,
    capped: bool = False,
    band: str = "",
    country: str = "",
    state_rows: tuple[str, ...] = (),
    tax_rows: tuple[str, ...] = (),
) -> Quote:
    """Build a quote and name it by its own content."""
    body: dict[str, Any] = {
        "payer": payer,
        "call_class": call_class,
        "tariff": tariff,
        "currency": currency,
        "lines": lines,
        "free_s": free_s,
        "tier": tier,
        "rate_row": rate_row,
        "law_row": law_row,
        "cap_micros_per_minute": cap_micros_per_minute,
        "capped": capped,
        "band": band,
        "country": country,
        "state_rows": state_rows,
        "tax_rows": tax_rows,
    }
    digest = _digest(body)
    return Quote(id=_id_of(digest), version_hash=digest, **body)


def proves_itself(quote: Quote) -> bool:
    """Say whether a quote still says what its name was made from."""
    body = {
        name: getattr(quote, name)
        for name in quote.__struct_fields__
        if name not in {"id", "version_hash"}
    }
    digest = _digest(body)
    return quote.version_hash == digest and quote.id == _id_of(digest)


def _digest(body: dict[str, Any]) -> str:
    said = {name: value for name, value in body.items() if value or name not in _LATER}
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def _id_of(digest: str) -> str:
    return f"q-{digest[:16]}"
