"""A code proves that an address belongs to whoever types it in: how often, how long, whereto. Pure.

Source of the figures: the section on codes of the money rules.
"""

import hmac
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Final

CODE_DIGITS: Final = 6

LIFE_S: Final = 600.0
"""Ten minutes."""

TRIES_MAX: Final = 5

AGAIN_S: Final = (30.0, 60.0, 120.0)
"""How long after each sending the next one may follow; the last holds for all later ones."""

DAY_S: Final = 86_400.0

ADDRESS_DAY_MAX: Final = 8
"""Codes to one address in a day. Chosen: with 5 tries each, 40 of a million guesses."""

CLIENT_DAY_MAX: Final = 40
"""Codes that one place asks for in a day. Chosen: a library's computer room."""

PREFIX_DAY_MAX: Final = 200
"""Codes to one exchange, or one domain of mail, in a day. Chosen: above any real day of a site,
far below what pumping of messages needs."""


class CodeRefusal(Enum):
    """Why no code is sent, in order of precedence. None of them says whom we know."""

    NO_ADDRESS = "no_address"
    """It is no address that codes go to."""
    TOO_SOON = "too_soon"
    TOO_MANY = "too_many"


class CodeVerdict(Enum):
    """What becomes of a code that was typed in."""

    RIGHT = "right"
    WRONG = "wrong"
    """Or none was sent, or its time is over: the same to whoever asks."""
    TRIED_OUT = "tried_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCode:
    """The last code that went to an address for one purpose."""

    mac: str
    sends: int
    tries: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SentToday:
    """How many codes went out in the last day."""

    to_address: int
    for_client: int
    to_prefix: int


def mac_of(code: str, *, key: bytes, purpose: str, way: str, address: str) -> str:
    """Return what is stored of a code; worth nothing for another purpose or address."""
    body = f"{purpose}\n{way}\n{address}\n{code}"
    return hmac.new(key, body.encode(), sha256).hexdigest()


def judge_sending(last: SentCode | None, today: SentToday, *, at: float) -> CodeRefusal | None:
    """Say whether a code may be sent now; None: it may."""
    if last is not None and at < last.at + again_s(last.sends):
        return CodeRefusal.TOO_SOON
    is_much = (
        today.to_address >= ADDRESS_DAY_MAX
        or today.for_client >= CLIENT_DAY_MAX
        or today.to_prefix >= PREFIX_DAY_MAX
    )
    return CodeRefusal.TOO_MANY if is_much else None


def again_s(sends: int) -> float:
    """Return how long to wait after so many sendings."""
    return AGAIN_S[min(max(sends, 1), len(AGAIN_S)) - 1]


def judge_code(last: SentCode | None, mac: str, *, at: float) -> CodeVerdict:
    """Hold a code that was typed in against the one that was sent."""
    if last is None or at >= last.at + LIFE_S:
        return CodeVerdict.WRONG
    if last.tries >= TRIES_MAX:
        return CodeVerdict.TRIED_OUT
    is_right = hmac.compare_digest(last.mac, mac)
    return CodeVerdict.RIGHT if is_right else CodeVerdict.WRONG


def prefix_of(way: str, address: str) -> str:
    """Return the exchange of a number, `+1555010`, or the domain of a mail address."""
    return address.rpartition("@")[2].lower() if way == "mail" else address[:8]
