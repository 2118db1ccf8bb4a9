"""Amounts, counts, hours, days and digits as names of spoken pieces, exactly. Pure.

A number is spoken from pieces: `n11`, `cents`. What a piece sounds like is its text, in
`vocabulary`. Nothing is rounded: 125,000 micros are "twelve point five cents", and a quarter of a
hundredth of a cent would be said as such.
"""

from collections.abc import Mapping
from typing import Final

from switch.media.phrase import Amount, Clock, Count, Day, Digits, Named, Value
from switch.money import MICROS_PER_CENT, Micros

Pieces = tuple[str, ...]

MICROS_PER_DOLLAR: Final = 100 * MICROS_PER_CENT

COUNT_MAX: Final = 999_999
"""Above it a number is read digit by digit. Chosen: no amount of a purse comes near."""

SPOKEN_KEYS: Final[Mapping[str, str]] = {"*": "star", "#": "pound", "+": "plus"}

LANGUAGES: Final = ("en", "es")
"""Languages whose grammar of numbers is here. A third one is a row in each table below."""


def speak(value: Value, language: str) -> Pieces:
    """Return the pieces of a value; `Named` has none of these: it is a file of its own."""
    match value:
        case Amount(micros=micros):
            return speak_amount(micros, language)
        case Count(number=number):
            return speak_count(number, language)
        case Clock(minute_of_day=minute):
            return speak_clock(minute, language)
        case Day():
            return speak_day(value, language)
        case Digits(digits=digits):
            return speak_digits(digits)
        case Named():
            return ()


def speak_at(value: Value, language: str) -> Pieces:
    """Return the pieces of an hour or a day with its preposition: "at eight", "on March fifth"."""
    if isinstance(value, Clock):
        return ("at", *speak(value, language))
    if isinstance(value, Day) and language != "es":
        return ("on", *speak(value, language))
    return speak(value, language)


def speak_digits(digits: str) -> Pieces:
    """Read digit by digit; anything that is no key of a telephone is left out."""
    return tuple(
        SPOKEN_KEYS.get(digit, f"n{digit}")
        for digit in digits
        if digit in SPOKEN_KEYS or (digit.isascii() and digit.isdecimal())
    )


def speak_count(number: int, language: str, gender: str = "") -> Pieces:
    """Return the pieces of a whole number.

    Args:
        number: 0 or more.
        language: `en` or `es`.
        gender: `m` or `f` before a noun of that gender, `` alone. Only Spanish hears it.
    """
    if number < 0:
        return ("minus", *speak_count(-number, language, gender))
    if number > COUNT_MAX:
        return speak_digits(str(number))
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_thousand(rest, language, gender)
    leading: Pieces = _below_thousand(thousands, language, "m")
    if language == "es" and thousands == 1:
        leading = ()
    tail = _below_thousand(rest, language, gender) if rest else ()
    return (*leading, "thousand", *tail)


def _below_thousand(number: int, language: str, gender: str) -> Pieces:
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return (_below_hundred(rest, language, gender),)
    if language != "es":
        return (f"n{hundreds}00", f"n{rest}") if rest else (f"n{hundreds}00",)
    if hundreds == 1:
        return ("ciento", _below_hundred(rest, language, gender)) if rest else ("n100",)
    head = f"n{hundreds}00f" if gender == "f" else f"n{hundreds}00"
    return (head, _below_hundred(rest, language, gender)) if rest else (head,)


def _below_hundred(number: int, language: str, gender: str) -> str:
    changes = language == "es" and gender and number % 10 == 1 and number != 11
    return f"n{number}{gender}" if changes else f"n{number}"


def speak_amount(micros: Micros, language: str) -> Pieces:
    """Return the pieces of an amount: dollars, cents, decimals of a cent; nothing is rounded."""
    if micros < 0:
        return ("minus", *speak_amount(Micros(-micros), language))
    dollars, rest = divmod(micros, MICROS_PER_DOLLAR)
    cents, fraction = divmod(rest, MICROS_PER_CENT)
    spoken: list[str] = []
    if dollars:
        spoken += speak_count(dollars, language, "m")
        spoken.append("dollar" if dollars == 1 else "dollars")
    if not cents and not fraction and dollars:
        return tuple(spoken)
    if dollars:
        spoken.append("and_cents")
    if not fraction:
        spoken += speak_count(cents, language, "m")
        return (*spoken, "cent" if cents == 1 else "cents")
    decimals = f"{fraction:04d}".rstrip("0")
    spoken += speak_count(cents, language)
    return (*spoken, "point", *(f"n{digit}" for digit in decimals), "cents")


def speak_clock(minute_of_day: int, language: str) -> Pieces:
    """Return the pieces of an hour of the day; noon and midnight have their own words."""
    hour, minute = divmod(minute_of_day % 1440, 60)
    if minute == 0 and hour in {0, 12}:
        return ("midnight",) if hour == 0 else ("noon",)
    on_face = hour % 12 or 12
    if language == "es":
        after: Pieces = ("and_minutes", f"n{minute}") if minute else ()
        return (f"hour{on_face}", *after, _part_of_day(hour))
    tail: Pieces = ("oh", f"n{minute}") if minute < 10 else (f"n{minute}",)
    if not minute:
        tail = ()
    return (f"n{on_face}", *tail, "am" if hour < 12 else "pm")


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "in_the_morning"
    return "in_the_afternoon" if hour < 19 else "at_night"


def speak_day(day: Day, language: str) -> Pieces:
    """Return the pieces of a date, with its year."""
    if language == "es":
        first = "first" if day.day == 1 else f"n{day.day}"
        return ("the", first, "of", f"month{day.month}", "of", *speak_count(day.year, "es"))
    century, rest = divmod(day.year, 100)
    year = speak_count(day.year, "en") if rest < 10 else (f"n{century}", f"n{rest}")
    return (f"month{day.month}", f"day{day.day}", *year)


# fmt: off
_ENGLISH: Final = {
    "star": "star", "pound": "pound", "plus": "plus", "minus": "minus", "point": "point",
    "thousand": "thousand", "dollar": "dollar", "dollars": "dollars", "cent": "cent",
    "cents": "cents", "and_cents": "and", "oh": "oh", "am": "A M", "pm": "P M", "noon": "noon",
    "midnight": "midnight", "at": "at", "on": "on",
}

_SPANISH: Final = {
    "star": "asterisco", "pound": "numeral", "plus": "más", "minus": "menos", "point": "punto",
    "thousand": "mil", "dollar": "dólar", "dollars": "dólares", "cent": "centavo",
    "cents": "centavos", "and_cents": "con", "ciento": "ciento", "noon": "el mediodía",
    "midnight": "la medianoche", "at": "a", "and_minutes": "y", "the": "el", "of": "de",
    "first": "primero", "in_the_morning": "de la mañana", "in_the_afternoon": "de la tarde",
    "at_night": "de la noche",
}

_MONTHS: Final = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
           "octubre", "noviembre", "diciembre"),
}

_ENGLISH_DAYS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
    "eighteenth", "nineteenth", "twentieth", "twenty-first", "twenty-second", "twenty-third",
    "twenty-fourth", "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth",
    "twenty-ninth", "thirtieth", "thirty-first",
)

_SPANISH_HOURS: Final = (
    "la una", "las dos", "las tres", "las cuatro", "las cinco", "las seis", "las siete",
    "las ocho", "las nueve", "las diez", "las once", "las doce",
)

_SPANISH_TENS: Final = (
    "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa",
)

_SPANISH_HUNDREDS_F: Final = (
    "doscientas", "trescientas", "cuatrocientas", "quinientas", "seiscientas", "setecientas",
    "ochocientas", "novecientas",
)
# fmt: on


def vocabulary(language: str) -> dict[str, str]:
    """Return every piece that values are spoken from in a language, with its text."""
    numbers = {f"n{number}": str(number) for number in (*range(100), *range(100, 1000, 100))}
    months = {f"month{n}": name for n, name in enumerate(_MONTHS[language], start=1)}
    if language != "es":
        days = {f"day{n}": name for n, name in enumerate(_ENGLISH_DAYS, start=1)}
        return {**numbers, **months, **_ENGLISH, **days}
    hours = {f"hour{n}": name for n, name in enumerate(_SPANISH_HOURS, start=1)}
    feminine = {f"n{n}00f": name for n, name in enumerate(_SPANISH_HUNDREDS_F, start=2)}
    ones = {"n1m": "un", "n1f": "una", "n21m": "veintiún", "n21f": "veintiuna"}
    for tens, name in enumerate(_SPANISH_TENS, start=3):
        ones |= {f"n{tens}1m": f"{name} y un", f"n{tens}1f": f"{name} y una"}
    return {**numbers, **months, **_SPANISH, **hours, **feminine, **ones}
