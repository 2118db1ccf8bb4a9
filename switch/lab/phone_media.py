"""The ear and mouth of a lab telephone: one RTP stream each way, 20 ms frames, asyncio.

Source: RFC 3550 section 5.1 (RTP), RFC 4733 section 2.3 (keys), ITU-T G.711.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Final, cast

import numpy as np

from switch.lab import sounds
from switch.rtp.packet import RtpPacket, build, parse
from switch.rtp.telephone_event import CODE_MAX, KEYS, EventPacket, build_press
from switch.sdp.offer_answer import RemoteAudio

FRAME_S: Final = 0.02
KEY_MS: Final = 100
"""Length of a key. Chosen: twice what ITU-T Q.24 asks for."""

KEY_GAP_FRAMES: Final = 4
"""Frames of pause between two keys: 80 ms. Chosen: twice what ITU-T Q.24 asks for."""

HEARD_FRAMES_MAX: Final = 60_000
"""What a telephone remembers: 20 minutes. Chosen."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame that came."""

    at: float
    """Loop time."""
    payload: bytes


class PhoneMedia(asyncio.DatagramProtocol):
    """Sends what is in the mouth, keeps what comes to the ear.

    Args:
        random: SSRC, first sequence number and timestamp.
        speaks_always: send silence when there is nothing to say; else send nothing.
    """

    def __init__(self, random: Random, *, speaks_always: bool = True) -> None:
        self.heard: deque[Heard] = deque(maxlen=HEARD_FRAMES_MAX)
        self.keys_heard: list[str] = []
        self.sent_frames = 0
        self.payload_type = 0
        self.event_type: int | None = None
        self.background: bytes = sounds.SILENCE
        self._mouth: deque[bytes] = deque()
        self._keys: deque[EventPacket | None] = deque()
        """Packets of keys to send, one per frame; None is a pause."""
        self._key_timestamp = 0
        self._speaks_always = speaks_always
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(31)
        self._remote: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._last_event = -1
        self._said = asyncio.Event()
        self._said.set()

    @property
    def port(self) -> int:
        """Where this telephone hears."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - asyncio's signature
        """Keep a frame, or read a key."""
        packet = parse(data)
        if packet is None:
            return
        if packet.payload_type == self.event_type:
            self._key_heard(packet)
        elif packet.payload_type == self.payload_type:
            self.heard.append(Heard(asyncio.get_running_loop().time(), packet.payload))

    def _key_heard(self, packet: RtpPacket) -> None:
        if packet.timestamp != self._last_event and len(packet.payload) >= 4:
            self._last_event = packet.timestamp
            event = packet.payload[0]
            self.keys_heard.append(KEYS[event] if event < CODE_MAX else f"event {event}")

    def close(self) -> None:
        """Close the socket; what was heard stays."""
        if self._transport is not None:
            self._transport.close()

    def talk_to(self, remote: RemoteAudio) -> None:
        """Send there from now on."""
        self._remote = (remote.ip, remote.port)
        self.payload_type, self.event_type = remote.payload_type_send, remote.event_type_send

    # ---- the mouth

    def say(self, sound: sounds.Sound | bytes) -> None:
        """Say this after what is being said."""
        self._mouth.extend(sounds.frames(sound))
        self._said.clear()

    def hush(self) -> None:
        """Stop saying anything."""
        self._mouth.clear()
        self._said.set()

    def press(self, keys: str, *, on_ms: int = KEY_MS, gap_frames: int = KEY_GAP_FRAMES) -> None:
        """Press keys, as telephone events if the other side takes them, else as tones."""
        if self.event_type is None:
            self.say(sounds.keys(keys))
            return
        for key in keys:
            self._keys.extend(build_press(key, duration_ms=on_ms))
            self._keys.extend([None] * gap_frames)
        self._said.clear()

    async def said(self) -> None:
        """Wait until everything is said."""
        await self._said.wait()

    async def run(self) -> None:
        """Send a frame each 20 ms until cancelled; a late frame is not made up for."""
        loop = asyncio.get_running_loop()
        start, beat = loop.time(), 0
        while True:
            self._tick()
            beat = max(beat + 1, int((loop.time() - start) / FRAME_S))
            await asyncio.sleep(max(0.0, start + beat * FRAME_S - loop.time()))

    def heard_sound(self, *, since: float = 0.0, until: float = float("inf")) -> sounds.Sound:
        """Return what was heard between two loop times."""
        payload = b"".join(h.payload for h in self.heard if since <= h.at < until)
        return sounds.decode(payload) if payload else np.zeros(0)

    def _tick(self) -> None:
        self._timestamp = (self._timestamp + sounds.FRAME_SAMPLES) & 0xFFFFFFFF
        if self._keys:
            self._send_key_packet(self._keys.popleft())
            return
        payload = self._mouth.popleft() if self._mouth else None
        if payload is None:
            self._said.set()
            if not self._speaks_always:
                return
            payload = self.background
        self._send(payload, self.payload_type, self._timestamp, marker=False)
        self.sent_frames += 1

    def _send_key_packet(self, event: EventPacket | None) -> None:
        """Send one packet of a key: all of a press carry the timestamp of its beginning."""
        if event is None or self.event_type is None:
            return
        if event.marker:
            self._key_timestamp = self._timestamp
        self._send(event.payload, self.event_type, self._key_timestamp, marker=event.marker)

    def _send(self, payload: bytes, payload_type: int, timestamp: int, *, marker: bool) -> None:
        if self._remote is None or self._transport is None or self._transport.is_closing():
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        packet = RtpPacket(
            payload_type=payload_type,
            sequence=self._sequence,
            timestamp=timestamp,
            ssrc=self._ssrc,
            marker=marker,
            payload=payload,
        )
        self._transport.sendto(build(packet), self._remote)
