"""The law, as dated rows: tiers, caps, state rules, levies, caps on fees, and what must be done.

Rows come from `config/law/*.toml`. A row is verified only when a named person has compared it
with the official text; until then it binds as long as it is the lower of it and the contract.
Pure: the text of the file comes in.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from switch.billing.dated import Date, MaybeDate, holds_on
from switch.errors import SettingsError

MicrosPerMinute = Annotated[int, Meta(ge=0, le=10_000_000)]
"""Up to ten dollars: above that a digit too many was typed. Chosen."""

Kind = Literal["prison", "jail"]
Medium = Literal["audio", "video"]
State = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
FeeKind = Literal[
    "automated_payment", "live_agent", "paper_bill", "third_party_transfer", "deposit", "refund",
    "opening", "closing", "idleness", "connection",
]  # fmt: skip
"""What people were charged besides their minutes. money.md section 5."""


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A size of facility, by its average daily population of the last calendar year."""

    id: str
    kind: Kind
    adp_min: Annotated[int, Meta(ge=0)]
    adp_max: Annotated[int, Meta(ge=0)] = 10_000_000


class LawRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every row says: when it holds, where it is written, who has compared it."""

    id: str
    valid_from: Date
    valid_to: MaybeDate = ""
    """The first day on which it no longer holds; '' is open."""
    citation: Annotated[str, Meta(min_length=1)]
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


class Cap(LawRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a minute may cost, taxes apart."""

    value_micros: MicrosPerMinute
    tier: str
    medium: Medium


class StateRule(LawRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a state wants for calls within it: a cap, a free beginning, or both."""

    state: State
    classes: tuple[str, ...] = ("local", "intrastate")
    value_micros: MicrosPerMinute | None = None
    """What a minute may cost, taxes apart; None if the state has no cap of its own."""
    free_s: Annotated[int, Meta(ge=0, le=3_600)] = 0


class Levy(LawRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a public body takes of a price. A contract names the levies that it passes on."""

    levy: str
    """Which one it is, the same over all its rows: `federal-universal-service`."""
    label: str
    """As it stands on a statement."""
    classes: tuple[str, ...]
    parts_per_million: Annotated[int, Meta(ge=0, le=1_000_000)]
    """Of the price. A fraction of a micro falls to the payer."""


class FeeCap(LawRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be charged besides minutes."""

    fee: FeeKind
    value_micros: Annotated[int, Meta(ge=0, le=100_000_000)]


class Duty(LawRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the law wants of the switch, in words."""

    valid_from: MaybeDate = ""
    """'': the day is not known, or it always was so."""
    says: str
    basis: str
    """`T` the passage was read, `S` official summary, `2` second hand, `M` general knowledge."""


class LawFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of law rows."""

    tier: tuple[Tier, ...] = ()
    cap: tuple[Cap, ...] = ()
    state_rule: tuple[StateRule, ...] = ()
    levy: tuple[Levy, ...] = ()
    fee_cap: tuple[FeeCap, ...] = ()
    duty: tuple[Duty, ...] = ()


class Law:
    """All rows together.

    Args:
        files: as `parse_law` read them.

    Raises:
        SettingsError: two rows have one id, or a cap names a tier that no file has.
    """

    def __init__(self, files: Sequence[LawFile]) -> None:
        self.tiers = tuple(tier for file in files for tier in file.tier)
        self.caps = tuple(cap for file in files for cap in file.cap)
        self.state_rules = tuple(rule for file in files for rule in file.state_rule)
        self.levies = tuple(levy for file in files for levy in file.levy)
        self.fee_caps = tuple(cap for file in files for cap in file.fee_cap)
        self.duties = tuple(duty for file in files for duty in file.duty)
        self._refuse_doubles()
        tiers = {tier.id for tier in self.tiers}
        for cap in self.caps:
            if cap.tier not in tiers:
                raise SettingsError(f"law: the cap {cap.id} names the tier {cap.tier}, unknown")

    @property
    def rows(self) -> tuple[LawRow, ...]:
        """Every row that can be verified."""
        return (*self.caps, *self.state_rules, *self.levies, *self.fee_caps, *self.duties)

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
            if cap.tier == tier and cap.medium == medium and holds_on(cap, date)
        ]
        return min(fitting, key=lambda cap: cap.value_micros, default=None)

    def state_rules_on(self, date: str, *, state: str, call_class: str) -> list[StateRule]:
        """Return what a state wants for a call within it, on a day."""
        return [
            rule
            for rule in self.state_rules
            if rule.state == state and call_class in rule.classes and holds_on(rule, date)
        ]

    def levies_on(self, date: str, *, names: Sequence[str], call_class: str) -> list[Levy]:
        """Return the rows of some levies that are on such a call, on a day."""
        return [
            levy
            for levy in self.levies
            if levy.levy in names and call_class in levy.classes and holds_on(levy, date)
        ]

    def _refuse_doubles(self) -> None:
        seen: set[str] = set()
        for row in self.rows:
            if row.id in seen:
                raise SettingsError(f"law: two rows have the id {row.id}")
            seen.add(row.id)


def parse_law(name: str, text: bytes) -> LawFile:
    """Read one file of `config/law`.

    Raises:
        SettingsError: says the file, the row and what is allowed.
    """
    try:
        return msgspec.toml.decode(text, type=LawFile)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise SettingsError(f"{name}: {error}") from error
