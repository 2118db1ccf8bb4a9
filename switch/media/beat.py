"""What the compiled side does once a tick: announcements, the end of paid time, budgets.

Announcements are clocked here, not by packets. Over a joined leg the talk that came for it is mixed
under, lowered by DUCK_DB, and nothing else is forwarded until the announcement ends.
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
    law = legs.law[index]
    head = legs.talk_head[index]
    for i in range(FRAME_BYTES):
        talk = legs.linear[law, legs.talk[index, (head + i) % TALK_BYTES]]
        said = legs.linear[law, legs.frame[packet.HEADER_BYTES + i]]
        both = min(max(said + (talk * DUCK_256 >> 8), -32768), 32767)
        legs.frame[packet.HEADER_BYTES + i] = legs.code[law, both + 32768]
    legs.talk_head[index] = (head + FRAME_BYTES) % TALK_BYTES
    legs.talk_fill[index] -= FRAME_BYTES


@stage
def forget_talk(legs: Legs, index: int) -> None:
    """Leave no talk behind when an announcement has ended."""
    legs.talk_head[index] = 0
    legs.talk_fill[index] = 0
    for i in range(TALK_BYTES):
        legs.talk[index, i] = 0
