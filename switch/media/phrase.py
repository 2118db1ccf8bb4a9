"""What is to be said, apart from how it sounds: a key of the phrase book and its values."""

from dataclasses import dataclass
from enum import Enum

from switch.money import Micros


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money, spoken exactly, down to decimals of a cent."""

    micros: Micros


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number from 0 to 9999."""

    number: int


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour of the day, 0 to 1439 minutes after midnight, in the facility's time."""

    minute_of_day: int


@dataclass(frozen=True, slots=True)
class Day:
    """A date."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Digits:
    """A number read digit by digit."""

    digits: str


@dataclass(frozen=True, slots=True)
class Named:
    """A name with a file of its own: `facility/F1`, `provider/P1`, `person/123`, `use/library`."""

    path: str


Value = Amount | Count | Clock | Day | Digits | Named


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence of the phrase book: `config/prompts/<language>.toml` has its text.

    `{name}` in the text is filled from `values`, in the order of the language.
    """

    key: str
    values: tuple[tuple[str, Value], ...] = ()


class Tone(Enum):
    """Sounds that are not words."""

    RINGBACK = "ringback"
    """Our own ring tone: 440+480 Hz, 2 s on, 4 s off. ITU-T E.180, North America."""
    WAIT = "wait"
    """A soft tone every 5 s while the called party hears the greeting. Chosen."""
