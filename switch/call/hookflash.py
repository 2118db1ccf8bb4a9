"""A hookflash in an INFO, in whichever of its forms. Source: RFC 6086; vendors' manuals.

| form | body |
|---|---|
| 2 | `application/hook-flash`: `signal=hf` |
| 3 | `application/dtmf-relay`: `Signal=16`, some send `!` |
| 4 | `application/broadsoft`: `event flashhook` |
| 5 | `application/sscc`: `event=flashhook` |

Form 1 is telephone event 16 and form 6 is a hold or a second INVITE: both are seen elsewhere.
"""

import re
from typing import Final

KNOWN_TYPES: Final = frozenset(
    {
        "application/hook-flash",
        "application/dtmf-relay",
        "application/dtmf",
        "application/broadsoft",
        "application/sscc",
    }
)
"""Every INFO of these gets 200, even an empty one, so that an adapter never sends it again."""

_SIGNAL: Final = re.compile(rb"(?im)^\s*signal\s*=\s*(\S+)")
_EVENT: Final = re.compile(rb"(?im)^\s*event[\s=]+(\S+)")
_KEYS: Final = frozenset("0123456789*#ABCD")


def media_type(content_type: str) -> str:
    """Return the bare media type in lower case."""
    return content_type.partition(";")[0].strip().lower()


def flash_form(content_type: str, body: bytes) -> int | None:
    """Return the form of the hookflash in this INFO, 2 to 5, or None if it is none."""
    kind = media_type(content_type)
    signal = _SIGNAL.search(body)
    value = signal[1].decode("latin-1").lower() if signal else ""
    if kind == "application/hook-flash":
        return 2 if value in ("", "hf") else None
    if kind == "application/dtmf-relay":
        return 3 if value in ("16", "!", "hf") else None
    event = _EVENT.search(body)
    is_flash = event is not None and event[1].lower() == b"flashhook"
    if kind == "application/broadsoft" and is_flash:
        return 4
    if kind == "application/sscc" and is_flash:
        return 5
    return None


def key_of(content_type: str, body: bytes) -> str | None:
    """Return the key that this INFO carries, or None."""
    kind = media_type(content_type)
    if kind == "application/dtmf-relay":
        signal = _SIGNAL.search(body)
        value = signal[1].decode("latin-1").upper() if signal else ""
    elif kind == "application/dtmf":
        value = body.strip().decode("latin-1").upper()
    else:
        return None
    named = {"10": "*", "11": "#"}.get(value, value)
    return named if named in _KEYS else None
