"""How one number is treated: who pays, who hears what, what is kept. calls.md section 3.

Recording has its own rule: any single OFF means not recorded.
"""

from typing import Annotated, Final, Literal

import msgspec

from switch.routing.limits import Limits
from switch.routing.schedule import Schedule

PayerName = Literal[
    "", "called_prepaid", "caller_debit", "called_direct", "called_collect", "agency_free"
]
ActionName = Literal["", "off", "flag", "prompt_once", "prompt_random", "cut"]


class Treatment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a site chose for a number; '' and None leave it to the facility."""

    free: bool = False
    """A free number: the agency pays, no balance is needed (defender, court, consulate)."""
    payer: PayerName = ""
    passive: bool = False
    """Registered as needing no acceptance."""
    greeting: bool = True
    """False forces passive and free. calls.md section 2.2."""
    recorded: bool = True
    inspected: bool = True
    detection_action: ActionName = ""
    language: str = ""
    tty: bool = False
    outside_pan: bool = False
    """Anybody may call it, whether it is on their list or not."""
    relay: bool = False
    """A relay service: free, passive, outside the list of the person."""
    accept_in_band: bool = True
    schedule: Schedule = Schedule()
    limits: Limits = Limits()

    @property
    def is_free(self) -> bool:
        """Whether the agency pays, by any of the ways to say so."""
        return self.free or self.relay or not self.greeting or self.payer == "agency_free"

    @property
    def is_passive(self) -> bool:
        """Whether nobody is asked to accept."""
        return self.passive or self.relay or not self.greeting


PLAIN: Final = Treatment()
"""A number that nobody said anything about."""


class SpeedDial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A short code with its own number and treatment; a hotline is a free one for help."""

    facility: str
    code: Annotated[str, msgspec.Meta(pattern=r"^[*#0-9]{1,8}$")]
    number: str
    """E.164."""
    name: str = ""
    hotline: bool = False
    pin_required: bool = False
    """Only for a hotline: they need no PIN by default. calls.md A16."""
    any_hour: bool = True
    """Only for a hotline: spared the terminal's schedule."""
    inspected: bool = False
    """Only for a hotline: heard by machines after all; the caller is told first."""
    treatment: Treatment = Treatment()
