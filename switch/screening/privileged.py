"""The one function that decides whether a call may be heard. calls.md section 6, P1 and P2.

It takes the number, the person and what the register says, before a b-leg exists and before
anything that could record or inspect. Nothing later turns its answer into the other one: the two
answers are two types (`switch.routing.call_class`).
"""

from switch.ids import CallId
from switch.routing.call_class import Audibility, CallClass, Inspectable, Privileged
from switch.routing.treatment import SpeedDial, Treatment
from switch.screening.register import RegisterAnswer


def classify(answer: RegisterAnswer, call: CallId) -> Audibility:
    """Decide whether machines may hear this call.

    Args:
        answer: what the register says of this number for this person. Not whole: the call goes
            ahead as privileged for its sound.
        call: which call the permit is for.
    """
    if not answer.whole or answer.entry is not None:
        return Privileged(call)
    return Inspectable(call)


def class_of(
    answer: RegisterAnswer, speed_dial: SpeedDial | None, treatment: Treatment
) -> CallClass:
    """Decide which conditions count; a register that cannot answer changes nothing here (P2)."""
    if answer.whole and answer.entry is not None:
        return CallClass.PRIVILEGED
    if speed_dial is not None and speed_dial.hotline:
        return CallClass.HOTLINE
    if treatment.is_free:
        return CallClass.FREE
    return CallClass.ORDINARY
