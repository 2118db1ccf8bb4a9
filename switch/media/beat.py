"""What the compiled side does once a tick: announcements, the end of paid time, budgets.

Announcements are clocked here, not by packets. Over a joined leg the talk that came for it is mixed
under, lowered by DUCK_DB, and nothing else is forwarded until the announcement ends. Talk that
does not come is concealed there, with the times of ITU-T G.711 Appendix I: what was heard last is
repeated, softer from 10 ms on, and is gone after 60 ms. Elsewhere nothing is concealed: the far end
does that better, and a recording has its gaps.
"""

from typing import Final

from dsp.jit import stage
from switch.media import outlet
from switch.media.legs import COUNT_MAIL_LOST, FRAME_BYTES, MAIL_MAX, TALK_BYTES, Legs, Mail
from switch.media.libc import memcpy
from switch.rtp import packet

PACKETS_PER_TICK: Final = 4
"""200 packets a second of one leg pass. Signalling rules, §8."""

PACKETS_BURST: Final = 50
"""A second's worth at 20 ms may come at once. Chosen: a network that was stuck lets go."""

DUCK_DB: Final = -12.0
"""Talk under an announcement. Chosen: still there, but the announcement is understood."""

DUCK_256: Final = round(256 * 10 ** (DUCK_DB / 20))
"""The same as a factor of 1/256."""


CONCEALED_TICKS: Final = 3
"""The last 20 ms are repeated so often."""

FADE_SAMPLES: Final = 80
SILENT_SAMPLES: Final = FRAME_BYTES * CONCEALED_TICKS
"""From when on concealed talk gets softer, and when it is gone. ITU-T G.711 Appendix I; repeated is
the frame and not the pitch period, which under an announcement nobody tells apart."""


@stage
def mail(legs: Legs, kind: int, index: int, value: int, at_ns: int) -> None:
    """Leave word for Python."""
    count = legs.mail_count[0]
    if count >= MAIL_MAX:
        legs.counts[COUNT_MAIL_LOST] += 1
        return
    legs.mail[count, 0] = kind
    legs.mail[count, 1] = index
    legs.mail[count, 2] = value
    legs.mail[count, 3] = at_ns
    legs.mail_count[0] = count + 1


@stage
def beat(legs: Legs, now: int) -> None:
    """Do for each leg what is due on a tick."""
    for index in range(legs.top[0]):
        if legs.fd[index] < 0:
            continue
        legs.tokens[index] = min(legs.tokens[index] + PACKETS_PER_TICK, PACKETS_BURST)
        if legs.sound[index] != 0:
            announce(legs, index, now)
        if legs.is_a[index] == 1 and legs.peer[index] >= 0:
            watch(legs, index, now)


@stage
def watch(legs: Legs, index: int, now: int) -> None:
    """See to one bridge: were both heard, is it still paid."""
    peer = legs.peer[index]
    if now >= legs.until_ns[index]:
        legs.peer[index] = -1
        legs.peer[peer] = -1
        mail(legs, Mail.UNPAID.value, index, 0, legs.until_ns[index])
        return
    both_ns = min(legs.received_ns[index], legs.received_ns[peer])
    legs.both_heard_ns[index] = max(legs.both_heard_ns[index], both_ns)


@stage
def announce(legs: Legs, index: int, now: int) -> None:
    """Send the next 20 ms of what plays to a leg."""
    at = legs.sound_at[index]
    count = min(FRAME_BYTES, legs.sound_bytes[index] - at)
    silence = legs.code[legs.law[index], 32768]
    for i in range(packet.HEADER_BYTES + count, packet.HEADER_BYTES + FRAME_BYTES):
        legs.frame[i] = silence
    memcpy(legs.frame.ctypes.data + packet.HEADER_BYTES, legs.sound[index] + at, count)
    if legs.talk_fill[index] >= FRAME_BYTES:
        mix(legs, index)
    elif legs.talk_kept[index] > 0:
        conceal(legs, index)
    outlet.speak(legs, index, now)
    legs.sound_at[index] = at + FRAME_BYTES
    if legs.sound_at[index] < legs.sound_bytes[index]:
        return
    legs.sound_at[index] = 0
    if legs.sound_loops[index] == 0:
        legs.sound[index] = 0
        forget_talk(legs, index)
        mail(legs, Mail.PLAY_ENDED.value, index, legs.sound_bytes[index], now)


@stage
def mix(legs: Legs, index: int) -> None:
    """Put 20 ms of waiting talk under the frame at hand."""
    head = legs.talk_head[index]
    lay_under(legs, index, head, -FRAME_BYTES)
    legs.talk_head[index] = (head + FRAME_BYTES) % TALK_BYTES
    legs.talk_fill[index] -= FRAME_BYTES
    legs.talk_kept[index] = CONCEALED_TICKS


@stage
def conceal(legs: Legs, index: int) -> None:
    """Put the last 20 ms of talk under the frame at hand again, softer each time."""
    gone = FRAME_BYTES * (CONCEALED_TICKS - legs.talk_kept[index])
    lay_under(legs, index, legs.talk_head[index] + TALK_BYTES - FRAME_BYTES, gone)
    legs.talk_kept[index] -= 1


@stage
def lay_under(legs: Legs, index: int, at: int, gone: int) -> None:
    """Mix 20 ms of the talk ring, from place `at`, under the frame; it ended `gone` samples ago."""
    law = legs.law[index]
    for i in range(FRAME_BYTES):
        left = SILENT_SAMPLES - gone - i
        fade_256 = min(256, 256 * left // (SILENT_SAMPLES - FADE_SAMPLES))
        talk = legs.linear[law, legs.talk[index, (at + i) % TALK_BYTES]]
        said = legs.linear[law, legs.frame[packet.HEADER_BYTES + i]]
        both = min(max(said + (talk * DUCK_256 * fade_256 >> 16), -32768), 32767)
        legs.frame[packet.HEADER_BYTES + i] = legs.code[law, both + 32768]


@stage
def forget_talk(legs: Legs, index: int) -> None:
    """Leave no talk behind when an announcement has ended."""
    legs.talk_head[index] = 0
    legs.talk_fill[index] = 0
    legs.talk_kept[index] = 0
    for i in range(TALK_BYTES):
        legs.talk[index, i] = 0
