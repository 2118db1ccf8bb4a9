"""The class of a call, and the permit without which nothing that hears can be built.

A recorder, a ring, a detector or a tap takes an `Inspectable` in its constructor. Only
`switch.screening.privileged.classify` makes one, and for a privileged call it makes a
`Privileged`, which is another type: there is nothing to switch off.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from switch.ids import CallId


class CallClass(StrEnum):
    """What kind of number was dialled; decides which conditions count."""

    ORDINARY = "ordinary"
    FREE = "free"
    HOTLINE = "hotline"
    PRIVILEGED = "privileged"


SPARED: Final = frozenset({CallClass.HOTLINE, CallClass.PRIVILEGED})
"""Those for whom room is kept, and who skip most conditions. calls.md section 3."""


@dataclass(frozen=True, slots=True)
class Inspectable:
    """A call that may be heard by machines. Not privileged, and the register could prove it."""

    call: CallId


@dataclass(frozen=True, slots=True)
class Privileged:
    """A call of which nothing may be heard, kept or decoded. Has no way to become the other."""

    call: CallId


Audibility = Inspectable | Privileged
