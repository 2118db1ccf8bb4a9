"""The `[house]` table of a configuration file: what is there at the first start, and stays so.

For a laboratory, a load test, a first installation. It is applied at every start and changes only
what is missing or was configured otherwise; what staff did meanwhile (passcodes, lists, blocks,
balances) is left alone. The bodies of facilities and people are plain mappings here: the rooms
above say what is in them, and name the path of what is wrong.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from switch.routing.terminal import DigestAlgorithm, Gateway, Terminal
from switch.routing.treatment import SpeedDial, Treatment
from switch.routing.trunk import TrunkSettings

Rows = tuple[dict[str, Any], ...]
E164Text = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$")]


class TerminalSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A terminal and how it proves itself."""

    terminal: Terminal
    user: str = ""
    algorithm: DigestAlgorithm = "MD5"
    password_file: str = ""
    """In `DATA/keys`; made at random if it is not there."""


class PersonSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person, as `switch.screening.facts.Person` has it, with what they may dial."""

    person: dict[str, Any]
    passcode: Annotated[str, Meta(pattern="^[0-9]{4,8}$")] = ""
    """For invented people only."""
    pan: tuple[E164Text, ...] = ()


class NumberSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number or wildcard that is on a list, blocked, or treated in its own way."""

    pattern: str
    kind: Literal["allow", "security", "facility", "agent"] = "allow"
    facility: str = ""
    note: str = "configured"
    treatment: Treatment = Treatment()


class PrivilegedSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number of the privileged register."""

    number: E164Text
    kind: str = "attorney"
    name: str = ""
    facility: str = ""
    person: str = ""
    passive: bool = False
    agency_pays: bool = False
    language: str = ""
    tell: str = ""
    by: str


class AccountSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account and the money that it was opened with."""

    kind: Literal["called_prepaid", "caller_debit", "agency"] = "called_prepaid"
    owner: str
    facility: str = ""
    numbers: tuple[E164Text, ...] = ()
    persons: tuple[str, ...] = ()
    """Who may call at its cost; nobody named: everybody."""
    amount_micros: Annotated[int, Meta(ge=0, le=10**12)] = 0
    floor_micros: Annotated[int, Meta(le=0)] = 0
    """0, or minus the credit limit."""


class AccountRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One prepaid account for each of many numbers; for load."""

    prefix: Annotated[str, Meta(pattern=r"^\+[0-9]{1,12}$")]
    digits: Annotated[int, Meta(ge=1, le=10)]
    first: Annotated[int, Meta(ge=0)] = 0
    count: Annotated[int, Meta(ge=1, le=100_000)]
    amount_micros: Annotated[int, Meta(ge=0, le=10**12)]

    def numbers(self) -> list[str]:
        """Return the numbers, in order."""
        last = min(self.first + self.count, 10**self.digits)
        return [f"{self.prefix}{n:0{self.digits}d}" for n in range(self.first, last)]


class HouseSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that is configured in a file."""

    agency: Rows = ()
    facility: Rows = ()
    unit: Rows = ()
    terminal: tuple[TerminalSeed, ...] = ()
    gateway: tuple[Gateway, ...] = ()
    trunk: tuple[TrunkSettings, ...] = ()
    person: tuple[PersonSeed, ...] = ()
    number: tuple[NumberSeed, ...] = ()
    speed_dial: tuple[SpeedDial, ...] = ()
    privileged: tuple[PrivilegedSeed, ...] = ()
    account: tuple[AccountSeed, ...] = ()
    account_range: tuple[AccountRange, ...] = ()
