"""What the script of a call asks the switchboard to do. Values; nothing here does anything."""

from dataclasses import dataclass
from enum import Enum

from switch.call.cause import EndReason
from switch.call.signals import Side
from switch.media.phrase import Phrase, Tone
from switch.screening.reasons import DenyReason


@dataclass(frozen=True, slots=True)
class AnswerCaller:
    """Answer the a-leg (200)."""


@dataclass(frozen=True, slots=True)
class Play:
    """Say this to one side, in its language; replaces what plays; `prompt_ended` comes."""

    side: Side
    phrases: tuple[Phrase, ...]
    language: str
    play: int


@dataclass(frozen=True, slots=True)
class PlayTone:
    """Play a tone to one side until something replaces it."""

    side: Side
    tone: Tone


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """Silence one side's prompt or tone."""

    side: Side


@dataclass(frozen=True, slots=True)
class HearDigits:
    """Listen for keys in the sound of one side, beside telephone events."""

    side: Side


@dataclass(frozen=True, slots=True)
class Deafen:
    """Close what HearDigits opened."""

    side: Side


@dataclass(frozen=True, slots=True)
class CheckPin:
    """Ask who this is. `person_checked` or `person_denied` comes back."""

    digits: str


@dataclass(frozen=True, slots=True)
class RecordName:
    """Take the person's spoken name. `name_taken` comes back."""

    seconds_max: float


@dataclass(frozen=True, slots=True)
class ReadBalance:
    """Ask for the person's own balance. `balance_read` comes back."""


@dataclass(frozen=True, slots=True)
class RequestNumber:
    """Ask for a number to be put on the person's list. `number_requested` comes back."""

    digits: str


@dataclass(frozen=True, slots=True)
class Screen:
    """Ask whether these digits may be called. `screened` comes back."""

    digits: str


@dataclass(frozen=True, slots=True)
class ReserveMoney:
    """Reserve the first money of the permit's quote. `reserved` comes back."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Send the call to the trunks. `ringing`, `answered` or `failed` come back."""

    ring_s_max: float


@dataclass(frozen=True, slots=True)
class CancelDial:
    """Give up the call to the trunks."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """Join the legs, start charging and inspecting. `bridged` comes back."""

    limit_s: int


@dataclass(frozen=True, slots=True)
class Part:
    """Part the legs: talking and charging stop now. `parted` comes back."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Release one leg; its cause goes to the terminal side only."""

    side: Side
    q850: int
    text: str
    """The code of the reason, for the terminal side's Reason header."""


@dataclass(frozen=True, slots=True)
class RefuseCaller:
    """Refuse the a-leg by SIP status, unspoken."""

    reason: DenyReason


class BlockScope(Enum):
    """Whom the called party blocks."""

    PERSON = "person"
    FACILITY = "facility"
    AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class BlockByKeypad:
    """The called party blocked these calls."""

    scope: BlockScope


@dataclass(frozen=True, slots=True)
class UndoKeypadBlock:
    """The called party took back every block of theirs."""


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Keep the caller's sound and digits from the trunk, or stop doing so (dial tone)."""

    on: bool


@dataclass(frozen=True, slots=True)
class Prolong:
    """The call may last so long after all, counted from the bridge."""

    limit_s: int


@dataclass(frozen=True, slots=True)
class ScreenTarget:
    """The carrier says that the call goes on to this number: may it be called at all?"""

    digits: str


@dataclass(frozen=True, slots=True)
class NoteDetector:
    """Tell the detectors about one leg: `talking`, `warned`, `hold`, `resume`, `flash`."""

    side: Side
    note: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Write a mark into the record and tell the consoles: detection, digits, flash, order."""

    kind: str
    tier: str
    text: str
    detail: tuple[tuple[str, str], ...] = ()
    for_review: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """Evidence of acceptance."""

    how: str
    """`1` (the key), `passive`, `pulse`."""


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The call is in another state of calls.md section 2.1."""

    state: "CallState"


@dataclass(frozen=True, slots=True)
class Finish:
    """All is said: settle, credit, write the record. The last effect of a call."""

    reason: EndReason | DenyReason
    released_by: str
    """`caller`, `called`, `switch`, `staff`, `network`."""


class CallState(Enum):
    """Where a call is. calls.md section 2.1."""

    OFF_HOOK = "off_hook"
    LANGUAGE = "language"
    PIN = "pin"
    NUMBER = "number"
    SCREENING = "screening"
    VOICE_CHECK = "voice_check"
    QUOTE = "quote"
    RINGING = "ringing"
    GREETING = "greeting"
    TALKING = "talking"
    CLOSING = "closing"
    DONE = "done"


Effect = (
    AnswerCaller | Play | PlayTone | StopPlaying | HearDigits | Deafen | CheckPin | RecordName
    | ReadBalance | RequestNumber | Screen | ReserveMoney | Dial | CancelDial | Bridge | Part
    | HangUp
    | RefuseCaller | BlockByKeypad | UndoKeypadBlock | HoldBack | Prolong | NoteDetector | Mark
    | Accepted | StateChanged | ScreenTarget | Finish
)  # fmt: skip
