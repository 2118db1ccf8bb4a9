"""Two legs back to back. Pure.

What depends on both legs is decided here and nowhere else: whether they can be joined, and
whether the call is over. What one leg does reaches the other only through the script.
"""

from dataclasses import dataclass

from switch.call.cause import NORMAL_CLEARING
from switch.call.effects import (
    AnswerCaller,
    CancelDial,
    Dial,
    Effect,
    HangUp,
    RefuseCaller,
)
from switch.call.leg import Leg, LegEffect, State
from switch.call.signals import Side, Signal
from switch.screening.reasons import DENY_STATUS


@dataclass(frozen=True, slots=True)
class OfLeg:
    """An effect and the leg it is for."""

    side: Side
    effect: LegEffect


class Call:
    """One call: the a-leg came in, the b-leg goes out."""

    def __init__(self) -> None:
        self.legs = {Side.A: Leg.incoming(), Side.B: Leg.outgoing()}

    @property
    def can_join(self) -> bool:
        """Whether both legs are answered."""
        return all(leg.state is State.ANSWERED for leg in self.legs.values())

    @property
    def is_over(self) -> bool:
        """Whether neither leg is in use any more."""
        over = {State.OVER, State.IDLE}
        return self.legs[Side.A].state is State.OVER and self.legs[Side.B].state in over

    def perform(self, effect: Effect) -> list[OfLeg]:
        """Turn what the script wants into what a leg does; nothing if it is not about a leg."""
        match effect:
            case AnswerCaller():
                return self._of(Side.A, self.legs[Side.A].answer())
            case RefuseCaller(reason=reason):
                status = DENY_STATUS[reason]
                refused = self.legs[Side.A].refuse(status.sip, status.q850, reason.value)
                return self._of(Side.A, refused)
            case Dial():
                return self._of(Side.B, self.legs[Side.B].dial())
            case CancelDial():
                return self._of(Side.B, self.legs[Side.B].release())
            case HangUp(side=side, q850=q850, text=text):
                # The carrier is never told why. calls.md section 5.0.
                why = (q850, text) if side is Side.A else (NORMAL_CLEARING, "")
                return self._of(side, self.legs[side].release(*why))
            case _:
                return []

    def received(self, side: Side, signal: Signal) -> list[OfLeg]:
        """Take what the far end of a leg did."""
        return self._of(side, self.legs[side].received(signal))

    def _of(self, side: Side, effects: list[LegEffect]) -> list[OfLeg]:
        return [OfLeg(side, effect) for effect in effects]
