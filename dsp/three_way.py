"""The outside leg's states between talk, hold and return; what each step adds to the ledger.

Source: the states are the product's own. The figure, without losses and vetoes:

    CONNECTED -gap-> GAP -same floor, same voice-> CONNECTED
    CONNECTED, GAP -hold note, floor gone 2 s-> HELD -tone-> HELD_TONE
    HELD, HELD_TONE -voice, resume-> REJOIN -same-> CONNECTED (call waiting)
                                            -another voice or room-> BRIDGED -20 s-> CONNECTED
                                            -undecided-> CONNECTED
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from dsp.evidence import EvidenceSet, Ledger


class State(Enum):
    """Where the far end is."""

    CONNECTED = auto()
    GAP = auto()
    HELD = auto()
    HELD_TONE = auto()
    REJOIN = auto()
    BRIDGED = auto()
    MASKED = auto()
    """Noise covers everything; nothing counts."""
    DATA = auto()
    """A TTY or fax; nothing counts any more."""


class Input(Enum):
    """What was heard or signalled."""

    GAP = auto()
    SAME_FLOOR = auto()
    VOICE = auto()
    """Speech, or another floor: someone is there."""
    MUTE = auto()
    """The gap was the mute of a call-waiting tone (G5)."""
    FLOOR_GONE = auto()
    HOLD = auto()
    RESUME = auto()
    TONE = auto()
    """Dial tone, ringback, busy, SIT, or a number dialled, after answer."""
    MUSIC = auto()
    """Music, and nobody speaks."""
    SAME_PARTY = auto()
    OTHER_PARTY = auto()
    UNDECIDED = auto()
    CALM = auto()
    """20 s without new evidence."""
    NOISE = auto()
    NOISE_OVER = auto()
    DATA = auto()


class Action(Enum):
    """What to do about it."""

    TELL_WAITING = auto()
    """Report `call_waiting`."""
    RETRACT_GAP = auto()
    """The gap was a pause: take its evidence back."""
    CLEAR = auto()
    """Score to zero."""
    COMPARE = auto()
    """Begin to compare room and voice with before."""
    LEARN = auto()
    """The comparison is over; if it was the voice of before, it teaches."""


_S, _I, _A = State, Input, Action
_Row = tuple[State, tuple[Action, ...]]
# fmt: off
TABLE: Final[Mapping[tuple[State, Input], _Row]] = {
    # in this state, on this            go to          and do
    (_S.CONNECTED, _I.GAP):             (_S.GAP,       ()),
    (_S.CONNECTED, _I.HOLD):            (_S.HELD,      (_A.COMPARE,)),
    (_S.CONNECTED, _I.TONE):            (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.GAP, _I.SAME_FLOOR):            (_S.CONNECTED, (_A.RETRACT_GAP,)),
    (_S.GAP, _I.VOICE):                 (_S.CONNECTED, (_A.RETRACT_GAP,)),
    (_S.GAP, _I.MUTE):                  (_S.CONNECTED, (_A.RETRACT_GAP, _A.TELL_WAITING)),
    (_S.GAP, _I.FLOOR_GONE):            (_S.HELD,      (_A.COMPARE,)),
    (_S.GAP, _I.HOLD):                  (_S.HELD,      (_A.COMPARE,)),
    (_S.GAP, _I.TONE):                  (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.CONNECTED, _I.MUSIC):           (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.GAP, _I.MUSIC):                 (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.HELD, _I.MUSIC):                (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.REJOIN, _I.MUSIC):              (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.HELD, _I.TONE):                 (_S.HELD_TONE, ()),
    (_S.HELD, _I.SAME_FLOOR):           (_S.REJOIN,    ()),
    (_S.HELD, _I.VOICE):                (_S.REJOIN,    ()),
    (_S.HELD, _I.MUTE):                 (_S.REJOIN,    ()),
    (_S.HELD, _I.RESUME):               (_S.REJOIN,    ()),
    (_S.HELD_TONE, _I.SAME_FLOOR):      (_S.REJOIN,    ()),
    (_S.HELD_TONE, _I.VOICE):           (_S.REJOIN,    ()),
    (_S.HELD_TONE, _I.MUTE):            (_S.REJOIN,    ()),
    (_S.HELD_TONE, _I.RESUME):          (_S.REJOIN,    ()),
    (_S.REJOIN, _I.HOLD):               (_S.HELD,      ()),
    (_S.REJOIN, _I.TONE):               (_S.HELD_TONE, ()),
    (_S.REJOIN, _I.SAME_PARTY):         (_S.CONNECTED, (_A.TELL_WAITING, _A.CLEAR, _A.LEARN)),
    (_S.REJOIN, _I.OTHER_PARTY):        (_S.BRIDGED,   ()),
    (_S.REJOIN, _I.UNDECIDED):          (_S.CONNECTED, (_A.LEARN,)),
    (_S.REJOIN, _I.CALM):               (_S.CONNECTED, (_A.LEARN,)),
    (_S.BRIDGED, _I.CALM):              (_S.CONNECTED, ()),
    (_S.BRIDGED, _I.HOLD):              (_S.HELD,      (_A.COMPARE,)),
    (_S.BRIDGED, _I.TONE):              (_S.HELD_TONE, (_A.COMPARE,)),
    (_S.MASKED, _I.NOISE_OVER):         (_S.CONNECTED, ()),
}
# fmt: on
"""What is not listed changes nothing: sounds come in any order. DATA and NOISE: see `step`."""

HOLDING: Final = frozenset({State.GAP, State.HELD, State.HELD_TONE, State.REJOIN, State.BRIDGED})
"""Here contributions do not fade."""

WATCHED: Final = frozenset({State.HELD, State.HELD_TONE, State.REJOIN, State.BRIDGED})
"""Here speech goes into the comparison instead of the reference."""

GAP_SETS: Final = (EvidenceSet.GAP_FLOOR, EvidenceSet.GAP_TIME, EvidenceSet.CLICK)


class FarEnd:
    """The machine of one leg. Pure: gives the actions back."""

    def __init__(self) -> None:
        self.state = State.CONNECTED

    def step(self, kind: Input) -> tuple[Action, ...]:
        """Take an input; data is for ever, noise masks until it is over."""
        if self.state is State.DATA:
            return ()
        if kind is Input.DATA:
            self.state = State.DATA
            return (Action.CLEAR,)
        if kind is Input.NOISE:
            self.state = State.MASKED
            return ()
        self.state, actions = TABLE.get((self.state, kind), (self.state, ()))
        return actions

    @property
    def is_deaf(self) -> bool:
        """Whether evidence counts at all."""
        return self.state in (State.MASKED, State.DATA)

    def settle(self, ledger: Ledger, t_s: float) -> None:
        """Let the ledger's time pass as this state has it."""
        ledger.settle(t_s, holding=self.state in HOLDING)
