"""The caps of the law, as dated rows: which tier a facility is in, what a minute may cost on a day.

Rows come from `config/law/*.toml`. A row is verified only when a named person has compared it
with the official text; until then it binds as long as it is the lower of it and the contract.
Dates are ISO text, so they compare as text. Pure: the text of the file comes in.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from switch.errors import SettingsError

Date = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
MaybeDate = Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
MicrosPerMinute = Annotated[int, Meta(ge=0, le=10_000_000)]
"""Up to ten dollars: above that a digit too many was typed. Chosen."""

Kind = Literal["prison", "jail"]
Medium = Literal["audio", "video"]


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A size of facility, by its average daily population of the last calendar year."""

    id: str
    kind: Kind
    adp_min: Annotated[int, Meta(ge=0)]
    adp_max: Annotated[int, Meta(ge=0)] = 10_000_000


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a minute may cost, taxes apart."""

    id: str
    value_micros: MicrosPerMinute
    tier: str
    medium: Medium
    valid_from: Date
    valid_to: MaybeDate = ""
    """The first day on which it no longer holds; '' is open."""
    citation: str
    source_url: str = ""
    note: str = ""
    verified: bool = False
    verified_by: str = ""
    verified_on: MaybeDate = ""

    def __post_init__(self) -> None:
        if self.verified and not (self.verified_by and self.verified_on):
            raise ValueError(
                f"{self.id} is verified, so verified_by and verified_on must say by whom"
            )

    def holds_on(self, date: str) -> bool:
        """Say whether the row is in force on a day."""
        return self.valid_from <= date and (not self.valid_to or date < self.valid_to)


class LawFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of law rows."""

    tier: tuple[Tier, ...] = ()
    cap: tuple[Cap, ...] = ()


class Law:
    """All rows together.

    Args:
        files: as `parse_law` read them.
    """

    def __init__(self, files: Sequence[LawFile]) -> None:
        self.tiers = tuple(tier for file in files for tier in file.tier)
        self.caps = tuple(cap for file in files for cap in file.cap)

    def tier_of(self, kind: Kind, adp: int) -> str:
        """Name the tier of a facility; '' if no row fits."""
        for tier in self.tiers:
            if tier.kind == kind and tier.adp_min <= adp <= tier.adp_max:
                return tier.id
        return ""

    def cap_on(self, date: str, *, tier: str, medium: Medium = "audio") -> Cap | None:
        """Return the cap of a day: of several in force the lowest."""
        fitting = [
            cap
            for cap in self.caps
            if cap.tier == tier and cap.medium == medium and cap.holds_on(date)
        ]
        return min(fitting, key=lambda cap: cap.value_micros, default=None)


def parse_law(name: str, text: bytes) -> LawFile:
    """Read one file of `config/law`.

    Raises:
        SettingsError: says the file, the row and what is allowed.
    """
    try:
        file = msgspec.toml.decode(text, type=LawFile)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise SettingsError(f"{name}: {error}") from error
    tiers = {tier.id for tier in file.tier}
    for cap in file.cap:
        if cap.tier not in tiers:
            raise SettingsError(f"{name}: the cap {cap.id} names the tier {cap.tier}, unknown here")
    return file
