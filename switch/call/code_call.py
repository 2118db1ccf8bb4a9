"""The call that speaks a code: one telephone is rung, hears its code, and is let go. Pure.

    DIALLING --no trunk yet answered, another may do--> DIALLING
    DIALLING --answered--> SPEAKING --all was said--> DONE, and heard
    DIALLING --refused, or nobody there--> DONE
    SPEAKING --hung up--> DONE
    DIALLING, SPEAKING --it takes too long--> DONE

There is no other leg, no meter and no record of it. Nothing is built that could hear, and what the
far end sends, sound or keys, is asked for by nobody.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from switch.call.speech import phrase
from switch.media.phrase import Digits, Phrase


class CodeState(Enum):
    """Where it stands."""

    DIALLING = "dialling"
    SPEAKING = "speaking"
    DONE = "done"


class CodeInput(Enum):
    """What happens to it."""

    ANSWERED = "answered"
    FAILED_OVER = "failed_over"
    """This trunk cannot; another one may."""
    OVER = "over"
    """Refused, hung up or lost: the dialog is gone."""
    SPOKEN = "spoken"
    """All of it was played."""
    LATE = "late"


class CodeDeed(Enum):
    """What is to be done."""

    DIAL = "dial"
    SPEAK = "speak"
    RELEASE = "release"
    NOTHING = "nothing"


_S, _I, _D = CodeState, CodeInput, CodeDeed

# fmt: off
TABLE: Final[Mapping[tuple[CodeState, CodeInput], tuple[CodeState, CodeDeed]]] = {
    # in this state, on this         go to        and do
    (_S.DIALLING, _I.ANSWERED):     (_S.SPEAKING, _D.SPEAK),
    (_S.DIALLING, _I.FAILED_OVER):  (_S.DIALLING, _D.DIAL),
    (_S.DIALLING, _I.OVER):         (_S.DONE,     _D.NOTHING),
    (_S.DIALLING, _I.LATE):         (_S.DONE,     _D.RELEASE),
    (_S.SPEAKING, _I.ANSWERED):     (_S.SPEAKING, _D.NOTHING),
    (_S.SPEAKING, _I.FAILED_OVER):  (_S.DONE,     _D.NOTHING),
    (_S.SPEAKING, _I.OVER):         (_S.DONE,     _D.NOTHING),
    (_S.SPEAKING, _I.SPOKEN):       (_S.DONE,     _D.RELEASE),
    (_S.SPEAKING, _I.LATE):         (_S.DONE,     _D.RELEASE),
}
# fmt: on


class CodeCall:
    """Where one call stands."""

    def __init__(self) -> None:
        self.state = CodeState.DIALLING
        self.is_heard = False
        """All of it was said while somebody was on the line."""

    def take(self, happened: CodeInput) -> CodeDeed:
        """Go on; what comes too late, or cannot be, does nothing."""
        state, deed = TABLE.get((self.state, happened), (self.state, CodeDeed.NOTHING))
        self.is_heard |= self.state is CodeState.SPEAKING and happened is CodeInput.SPOKEN
        self.state = state
        return deed


def spoken_code(code: str) -> tuple[Phrase, ...]:
    """Return what is said: who calls, the code twice, digit by digit, and what it is worth.

    Each digit is a phrase of its own, so that no phrase that is kept anywhere has a code in it.
    """
    digits = tuple(phrase("code_digit", d=Digits(digit)) for digit in code)
    return (Phrase("code_greeting"), *digits, Phrase("code_again"), *digits, Phrase("code_end"))
