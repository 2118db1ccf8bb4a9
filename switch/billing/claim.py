"""A payer asks for the charge of a call back: who decides, and what follows. Pure.

    OPEN ------grant, small---------------> GRANTED
    OPEN ------grant, above the limit-----> SECOND ----grant, by another----> GRANTED
    OPEN ------deny-----> DENIED           SECOND ----deny, by another-----> DENIED
    DENIED ----appeal---> APPEALED ---grant, by another than denied it---> GRANTED, or SECOND
    APPEALED --deny, by another--> CLOSED
    OPEN, SECOND, APPEALED ---nobody decided in time---> GRANTED
    any but GRANTED ---the alarm was false---> GRANTED

Source: the section on refunds and credits of the money rules.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final


class ClaimState(StrEnum):
    """Where a claim stands."""

    OPEN = "open"
    SECOND = "second"
    """Granted by one; another must agree."""
    GRANTED = "granted"
    DENIED = "denied"
    APPEALED = "appealed"
    CLOSED = "closed"
    """Denied twice, by two people."""


class ClaimInput(Enum):
    """What somebody does."""

    GRANT = "grant"
    DENY = "deny"
    APPEAL = "appeal"
    LAPSE = "lapse"
    """The time is over."""
    FALSE_ALARM = "false_alarm"
    """Staff found that the alarm that ended the call was false (money I7)."""


class ClaimRefusal(Enum):
    """Why it is not done, in order of precedence."""

    NOT_NOW = "not_now"
    """The claim does not stand where this can be done."""
    SAME_PERSON = "same_person"
    """It takes another person than the one who decided before."""


_S, _I = ClaimState, ClaimInput

# fmt: off
TABLE: Final[Mapping[tuple[ClaimState, ClaimInput], ClaimState]] = {
    # in this state, on this      go to
    (_S.OPEN,     _I.GRANT):      _S.GRANTED,     # SECOND above the limit
    (_S.OPEN,     _I.DENY):       _S.DENIED,
    (_S.OPEN,     _I.LAPSE):      _S.GRANTED,
    (_S.OPEN,     _I.FALSE_ALARM): _S.GRANTED,
    (_S.SECOND,   _I.FALSE_ALARM): _S.GRANTED,
    (_S.DENIED,   _I.FALSE_ALARM): _S.GRANTED,
    (_S.APPEALED, _I.FALSE_ALARM): _S.GRANTED,
    (_S.CLOSED,   _I.FALSE_ALARM): _S.GRANTED,
    (_S.SECOND,   _I.GRANT):      _S.GRANTED,
    (_S.SECOND,   _I.DENY):       _S.DENIED,
    (_S.SECOND,   _I.LAPSE):      _S.GRANTED,
    (_S.DENIED,   _I.APPEAL):     _S.APPEALED,
    (_S.APPEALED, _I.GRANT):      _S.GRANTED,     # SECOND above the limit
    (_S.APPEALED, _I.DENY):       _S.CLOSED,
    (_S.APPEALED, _I.LAPSE):      _S.GRANTED,
}
# fmt: on

ANOTHER: Final = frozenset({_S.SECOND, _S.APPEALED})
"""States in which the one who decided before does not decide."""

NEEDS_SECOND: Final = frozenset({_S.OPEN, _S.APPEALED})
"""States out of which one person alone grants small amounts only."""


def step(
    state: ClaimState, kind: ClaimInput, *, by: str, decided_by: str, is_large: bool
) -> ClaimState | ClaimRefusal:
    """Return where a claim goes.

    Args:
        state: where it stands.
        kind: what is done.
        by: who does it.
        decided_by: who decided last; '' if nobody did.
        is_large: it is above what one person grants alone.
    """
    if (state, kind) not in TABLE:
        return ClaimRefusal.NOT_NOW
    decides = kind in {_I.GRANT, _I.DENY}
    if decides and state in ANOTHER and by == decided_by:
        return ClaimRefusal.SAME_PERSON
    if kind is _I.GRANT and is_large and state in NEEDS_SECOND:
        return _S.SECOND
    return TABLE[state, kind]
