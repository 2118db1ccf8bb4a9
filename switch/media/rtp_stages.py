"""Lets the compiled packet path call the RTP room's functions, which stay plain Python there.

Source: numba, `register_jitable` (see `dsp.jit`).
"""

from dsp.jit import stage
from switch.rtp import packet, serial, source, telephone_event

for function in (
    packet.word16,
    packet.word32,
    packet.put_word16,
    packet.put_word32,
    packet.put_header,
    packet.padding_bytes,
    packet.payload_offset,
    serial.sequence_delta,
    serial.timestamp_delta,
    source.expected,
    source.lost,
    source.init_seq,
    source.update_seq,
    source.update_jitter,
    source.receive,
    telephone_event.press,
):
    stage(function)
