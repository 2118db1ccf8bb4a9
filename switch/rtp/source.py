"""The state of one RTP sender: sequence, loss, jitter. Source: RFC 3550 A.1, A.3, A.8.

The state is one row of int64, so that the media room can keep all legs in one array and compile
`receive`. The names are those of the RFC. Two things differ: there is no probation
(MIN_SEQUENTIAL = 0), because only packets from the signalled address come this far; and a packet
that comes twice is not counted as received, so that it cannot hide a lost one.
"""

from typing import Final

from switch.rtp.packet import MutableNumbers, Numbers

STARTED: Final = 0
SSRC: Final = 1
MAX_SEQ: Final = 2
CYCLES: Final = 3
BASE_SEQ: Final = 4
BAD_SEQ: Final = 5
RECEIVED: Final = 6
EXPECTED_PRIOR: Final = 7
RECEIVED_PRIOR: Final = 8
TRANSIT: Final = 9
JITTER: Final = 10
"""Sixteen times the estimate, in samples."""
TIMESTAMP: Final = 11
"""Of the newest packet."""
LATE: Final = 12
"""Packets that came out of order or twice."""
LOST_BEFORE: Final = 13
"""Lost by earlier sources of the same leg."""
RECEIVED_BEFORE: Final = 14
LOSS_RUNS: Final = 15
"""How often packets were missing, however many at a time."""
FIELDS: Final = 16

RTP_SEQ_MOD: Final = 1 << 16
MAX_DROPOUT: Final = 3000
MAX_MISORDER: Final = 100
"""RFC 3550 A.1."""

JUMP_SAMPLES: Final = 2000
"""A timestamp that runs away from the clock by more than this has jumped. Chosen: 250 ms, above
the jitter of a usable line and below the shortest hold."""

GOOD: Final = 0
SAW_LOSS: Final = 1
SAW_LATE: Final = 2
SAW_NEW_SSRC: Final = 4
SAW_JUMP: Final = 8
BAD: Final = 16
"""What `receive` returns: bits. BAD: throw this packet away."""


def init_seq(s: MutableNumbers, seq: int, ssrc: int) -> None:
    """Begin with a new source at `seq`; what the earlier ones lost stays counted."""
    if s[STARTED]:
        s[LOST_BEFORE] = lost(s)
        s[RECEIVED_BEFORE] += s[RECEIVED]
    s[STARTED] = 1
    s[SSRC] = ssrc
    s[BASE_SEQ] = seq
    s[MAX_SEQ] = seq
    s[BAD_SEQ] = RTP_SEQ_MOD + 1
    s[CYCLES] = 0
    s[RECEIVED] = 0
    s[RECEIVED_PRIOR] = 0
    s[EXPECTED_PRIOR] = 0


def receive(s: MutableNumbers, seq: int, timestamp: int, ssrc: int, arrival: int) -> int:
    """Take note of a packet.

    Args:
        s: FIELDS numbers, all zero before the first packet.
        seq: its sequence number.
        timestamp: its timestamp.
        ssrc: its SSRC.
        arrival: when it came, in samples of any epoch.

    Returns:
        Bits SAW_… and BAD.
    """
    if not s[STARTED] or s[SSRC] != ssrc:
        seen = SAW_NEW_SSRC if s[STARTED] else GOOD
        init_seq(s, seq, ssrc)
        s[RECEIVED] = 1
        s[TIMESTAMP] = timestamp
        s[TRANSIT] = (arrival - timestamp) & 0xFFFF_FFFF
        return seen
    seen = update_seq(s, seq)
    if not seen & (BAD | SAW_LATE):
        s[TIMESTAMP] = timestamp
        if update_jitter(s, timestamp, arrival) > JUMP_SAMPLES:
            seen |= SAW_JUMP
    return seen


def update_seq(s: MutableNumbers, seq: int) -> int:
    """Follow the sequence number. RFC 3550 A.1, `update_seq` without its probation."""
    udelta = (seq - s[MAX_SEQ]) & 0xFFFF
    seen = GOOD
    if 0 < udelta < MAX_DROPOUT:
        if seq < s[MAX_SEQ]:
            s[CYCLES] += RTP_SEQ_MOD
        s[MAX_SEQ] = seq
        if udelta > 1:
            s[LOSS_RUNS] += 1
            seen = SAW_LOSS
    elif 0 < udelta <= RTP_SEQ_MOD - MAX_MISORDER:
        if seq != s[BAD_SEQ]:
            s[BAD_SEQ] = (seq + 1) & 0xFFFF
            return BAD
        init_seq(s, seq, s[SSRC])
        seen = SAW_JUMP
    else:
        s[LATE] += 1
        if udelta == 0:
            return SAW_LATE
        seen = SAW_LATE
    s[RECEIVED] += 1
    return seen


def update_jitter(s: MutableNumbers, timestamp: int, arrival: int) -> int:
    """Follow the interarrival jitter (RFC 3550 A.8); return the difference in transit, samples."""
    transit = (arrival - timestamp) & 0xFFFF_FFFF
    d = abs(((transit - s[TRANSIT] + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000)
    s[TRANSIT] = transit
    if d <= JUMP_SAMPLES:
        s[JITTER] += d - ((s[JITTER] + 8) >> 4)
    return int(d)


def expected(s: Numbers) -> int:
    """Return how many packets of the present source should have come. RFC 3550 A.3."""
    return int(s[CYCLES] + s[MAX_SEQ] - s[BASE_SEQ] + 1) if s[STARTED] else 0


def lost(s: Numbers) -> int:
    """Return how many packets of all sources of this leg did not come."""
    return int(s[LOST_BEFORE] + max(0, expected(s) - s[RECEIVED]))


def jitter_samples(s: Numbers) -> int:
    """Return the jitter estimate. RFC 3550 A.8."""
    return int(s[JITTER] >> 4)


def fraction_lost(s: MutableNumbers) -> int:
    """Return the share lost since the last call, in 1/256, and begin a new interval. A.3."""
    expected_interval = expected(s) - s[EXPECTED_PRIOR]
    received_interval = s[RECEIVED] - s[RECEIVED_PRIOR]
    s[EXPECTED_PRIOR] = expected(s)
    s[RECEIVED_PRIOR] = s[RECEIVED]
    lost_interval = expected_interval - received_interval
    if expected_interval <= 0 or lost_interval <= 0:
        return 0
    return int(min(255, (lost_interval << 8) // expected_interval))
