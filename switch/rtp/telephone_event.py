"""Keys as RTP events. Source: RFC 4733 §2.3 (payload), §2.5.1 (sending), §2.5.2 (receiving).

A press of `5` for 80 ms, sent each 20 ms. All its packets carry the same timestamp, the last is
sent three times, and any one of them tells the press:

    sequence   timestamp   marker   event   end   duration
        101       16000       1        5     0        160
        102       16000       0        5     0        320
        103       16000       0        5     0        480
        104       16000       0        5     1        640
        105       16000       0        5     1        640
        106       16000       0        5     1        640
"""

from dataclasses import dataclass
from typing import Final

from switch.rtp.packet import MutableNumbers

KEYS: Final = "0123456789*#ABCD"
"""Key of each event code. RFC 4733 §3.2 Table 3."""

FLASH_CODE: Final = 16
"""Hook flash: RFC 2833 §3.10; reserved since RFC 4733, still sent by adapters."""

CODE_MAX: Final = 16
"""Higher codes are not ours: we offer 0-16."""

EVENT_BYTES: Final = 4
DURATION_MAX: Final = 0xFFFF

HEARD: Final = 0
TIMESTAMP: Final = 1
CODE: Final = 2
DURATION: Final = 3
ENDED: Final = 4
FIELDS: Final = 5

VOLUME_DBM0: Final = 10
"""Minus dBm0. Chosen: within the 0 to -36 that a receiver must take (RFC 4733 §2.3.4)."""

END_REPEATS: Final = 3
"""RFC 4733 §2.5.1.4."""

_PACKET_SAMPLES: Final = 160


def press(s: MutableNumbers, timestamp: int, code: int, duration: int, ended: bool) -> bool:
    """Take note of an event packet; return whether it is the first of a new press.

    Args:
        s: FIELDS numbers, all zero before the first packet.
        timestamp: of the packet: when the press began.
        code: event code.
        duration: so far, in samples.
        ended: its end bit.

    A press longer than the duration field can say goes on in a new segment, whose timestamp is the
    end of the one before (§2.5.1.3); that is not a new press.
    """
    ahead = ((timestamp - s[TIMESTAMP] + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000
    if s[HEARD] and ahead < 0:
        return False
    same = s[HEARD] and ahead == 0
    segment = s[HEARD] and not s[ENDED] and code == s[CODE] and ahead == DURATION_MAX
    if same and duration < s[DURATION]:
        duration = s[DURATION]
    s[ENDED] = 1 if ended or (same and s[ENDED]) else 0
    s[HEARD] = 1
    s[TIMESTAMP] = timestamp
    s[CODE] = code
    s[DURATION] = duration
    return not same and not segment


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One packet of a press that we send."""

    marker: bool
    duration: int
    payload: bytes


def build_press(key: str, *, duration_ms: int) -> list[EventPacket]:
    """Return the packets of one press, to be sent 20 ms apart with one timestamp.

    Args:
        key: one of KEYS.
        duration_ms: how long it is held; at least 20.
    """
    code = KEYS.index(key)
    last = max(1, duration_ms // 20)
    spans = [*range(1, last + 1), *[last] * (END_REPEATS - 1)]
    packets = []
    for index, span in enumerate(spans):
        ended = index >= last - 1
        duration = min(span * _PACKET_SAMPLES, DURATION_MAX)
        body = bytes([code, (0x80 if ended else 0) | VOLUME_DBM0, duration >> 8, duration & 255])
        packets.append(EventPacket(marker=index == 0, duration=duration, payload=body))
    return packets
