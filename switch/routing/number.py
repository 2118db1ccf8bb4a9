"""What was dialled: digits in, one E.164 number and its kind out.

Source: ITU-T E.164; the dialling habits of North America as money.md section 6 and calls.md
section 3 want them: service strings before any parsing, possible by length, never refused because
a library has not heard of an area code yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

import phonenumbers
from phonenumbers import PhoneNumberType

from switch.routing.area_codes import PLACE_OF_AREA_CODE, TERRITORIES

E164 = NewType("E164", str)
"""A complete number with its plus: `+15552345678`."""


class NumberKind(StrEnum):
    """What kind of number it is, before anybody's rules."""

    ORDINARY = "ordinary"
    INCOMPLETE = "incomplete"
    EMERGENCY = "emergency"
    SERVICE = "service"
    OPERATOR = "operator"
    CARRIER = "carrier"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    PERSONAL = "personal"


class RateClass(StrEnum):
    """How far a call goes, for its price. money.md section 6."""

    LOCAL = "local"
    INTRASTATE = "intrastate"
    INTERSTATE = "interstate"
    TERRITORY = "territory"
    CANADA = "canada"
    INTERNATIONAL = "international"


EMERGENCY_STRINGS: Final = frozenset({"911", "112", "933", "999", "9911"})
"""Never parsed, never dialled: 911 and its test line 933, 112 and 999 by habit from elsewhere."""

SERVICE_STRINGS: Final = frozenset({"211", "311", "411", "511", "611", "711", "811", "988"})
"""Three-digit services of North America. A site may give one of them its own treatment."""

TOLL_FREE_CODES: Final = frozenset(
    ("800", "822", "833", "844", "855", "866", "877", "888", *map(str, range(880, 890))),
)
"""NANP toll-free area codes, the reserved ones included."""

PREMIUM_CODES: Final = frozenset({"900", "976"})
"""Premium area codes; 976 is one as an exchange too."""

PERSONAL_CODES: Final = frozenset(
    map(
        str,
        (
            *(500, 532, 533, 535, 538, 566, 569, 577, 578, 588, 589, 700),
            *range(521, 530),
            *range(542, 548),
            *(549, 550, 552, 553, 554, 556, 558),
        ),
    ),
)
"""NANP 5XX personal communication codes and 700. 555 is no area code; the laboratory uses it."""

DIGITS_MAX: Final = 15
"""ITU-T E.164 section 6: a number has at most 15 digits."""

_LIBRARY_KINDS: Final[Mapping[int, NumberKind]] = {
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.PREMIUM,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
    PhoneNumberType.UAN: NumberKind.PREMIUM,
}


@dataclass(frozen=True, slots=True)
class Number:
    """A dialled number, understood."""

    digits: str
    """What was keyed or sent."""
    e164: E164 | None
    """None: a service string, a barred form, or not complete."""
    kind: NumberKind
    country: str = ""
    """ISO 3166, '' if nobody knows."""
    state: str = ""
    """State of the United States, '' elsewhere or unknown."""


def normalise(digits: str, *, home_area_code: str = "") -> Number:
    """Turn dialled digits into one number.

    Args:
        digits: as keyed, or the user part of a Request-URI; may begin with a plus.
        home_area_code: put before seven digits; '' refuses them as incomplete.
    """
    bare = "".join(sign for sign in digits if sign in "+0123456789*#")
    barred = _barred_form(bare)
    if barred is not None:
        return Number(digits, None, barred)
    text = _international(bare, home_area_code)
    if text is None:
        return Number(digits, None, NumberKind.INCOMPLETE)
    return _parsed(digits, text)


def rate_class(number: Number, *, home_state: str, local_codes: frozenset[str]) -> RateClass:
    """Say how far a call from a facility goes.

    Args:
        number: what was dialled.
        home_state: the facility's state.
        local_codes: the facility's imported NPA-NXX, six digits each.
    """
    if number.e164 is None or not number.e164.startswith("+1"):
        return RateClass.INTERNATIONAL
    if number.e164[2:8] in local_codes:
        return RateClass.LOCAL
    if number.country in TERRITORIES:
        return RateClass.TERRITORY
    if number.country == "CA":
        return RateClass.CANADA
    if number.country not in {"US", ""}:
        return RateClass.INTERNATIONAL
    same = number.state != "" and number.state == home_state
    return RateClass.INTRASTATE if same else RateClass.INTERSTATE


def mask(number: str) -> str:
    """Return a number as a log may show it: the last four digits only."""
    return "…" + number[-4:] if len(number) > 4 else "…"


def _barred_form(bare: str) -> NumberKind | None:
    """Name the forms that are never dialled, whatever follows them."""
    if bare in EMERGENCY_STRINGS:
        return NumberKind.EMERGENCY
    if bare in SERVICE_STRINGS or (bare[:1] == "1" and bare[1:] in SERVICE_STRINGS):
        return NumberKind.SERVICE
    if bare.startswith("101") and len(bare) >= 7:
        return NumberKind.CARRIER
    if bare.startswith("0") and not bare.startswith("011"):
        return NumberKind.OPERATOR
    if bare.startswith("*") or "#" in bare:
        return NumberKind.SERVICE
    return None


def _international(bare: str, home_area_code: str) -> str | None:
    """Write the digits as +country…, or None if they are not a whole number."""
    if bare.startswith("+"):
        text = "+" + bare[1:].replace("+", "")
    elif bare.startswith("011"):
        text = "+" + bare[3:]
    elif len(bare) == 11 and bare.startswith("1"):
        text = "+" + bare
    elif len(bare) == 10:
        text = "+1" + bare
    elif len(bare) == 7 and home_area_code:
        text = "+1" + home_area_code + bare
    else:
        return None
    return text if text[1:].isdigit() and len(text) - 1 <= DIGITS_MAX else None


def _parsed(digits: str, text: str) -> Number:
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return Number(digits, None, NumberKind.INCOMPLETE)
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return Number(digits, None, NumberKind.INCOMPLETE)
    if parsed.country_code == 1:
        return _north_american(digits, E164(text))
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    kind = _LIBRARY_KINDS.get(phonenumbers.number_type(parsed), NumberKind.ORDINARY)
    return Number(digits, E164(text), kind, "" if country == "ZZ" else country)


def _north_american(digits: str, number: E164) -> Number:
    area, exchange = number[2:5], number[5:8]
    if area[0] in "01":
        return Number(digits, None, NumberKind.INCOMPLETE)
    country, state = PLACE_OF_AREA_CODE.get(area, ("", ""))
    if area in TOLL_FREE_CODES:
        kind = NumberKind.TOLL_FREE
    elif area in PREMIUM_CODES or exchange == "976":
        kind = NumberKind.PREMIUM
    elif area in PERSONAL_CODES:
        kind = NumberKind.PERSONAL
    elif exchange == "950" or exchange in SERVICE_STRINGS or exchange == "911":
        kind = NumberKind.CARRIER if exchange == "950" else NumberKind.SERVICE
    else:
        kind = NumberKind.ORDINARY
    return Number(digits, number, kind, country, state)
