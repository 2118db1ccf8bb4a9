"""A pyVoIP softphone in a process of its own: orders by JSON lines on stdin, events on stdout.

    > {"do": "register", "host": "127.0.0.1", "port": 5070, "user": "lab", "password": "…"}
    < {"event": "registered"}
    > {"do": "call", "number": "call"}
    < {"event": "answered"}
    > {"do": "press", "keys": "1234", "on_s": 0.06, "off_s": 0.06}
    > {"do": "say", "ulaw": "<base64>"}
    < {"event": "ended", "reason": "…", "heard_s": 12.3}

pyVoIP 1.6.8 is GPL-3 and an optional extra of the lab; no other module imports it or this one.
Put right here, because no call lives without it: its ACK carries a tag that nobody gave out, its
digest names another target than its INVITE, and it reads nothing for a second after it registers.
Left as it is: it has no telephone events, so keys are played as tones; its sound has 8 bits.

Source: RFC 3261 section 13.2.2.4 (ACK), section 22.4 (digest target).
"""

import asyncio
import base64
import json
import os
import socket
import sys
from threading import Timer
from typing import Any, Final

import numpy as np
import pyVoIP.VoIP  # noqa: F401 - before SIP, which it imports in a circle
from pyVoIP import SIP
from pyVoIP.RTP import PayloadType, TransmitType
from pyVoIP.VoIP import CallState, VoIPCall, VoIPPhone
from pyVoIP.VoIP.status import PhoneStatus

from switch.lab import sounds
from switch.sip.digest import answer_challenge

FRAME_S: Final = 0.02
LINE_BYTES_MAX: Final = 4_194_304
"""Longest order. Chosen: minutes of sound."""

CENTRE: Final = 128
"""Silence in pyVoIP's unsigned 8 bits."""


class Sip(SIP.SIPClient):
    """pyVoIP's SIP, put right where a call depends on it."""

    def start(self) -> None:
        """Register, and listen from then on."""
        self.NSD = True
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((self.myIP, self.myPort))
        self.out = self.s
        self.register()
        Timer(0, self.recv_loop).start()

    def gen_ack(self, request: SIP.SIPMessage) -> str:
        """Acknowledge with the tag that the answer carries; a 2xx in a transaction of its own."""
        to, come_from = request.headers["To"], request.headers["From"]
        is_success = request.status == SIP.SIPStatus.OK
        target = (request.headers["Contact"] if is_success else to["raw"]).strip("<>")
        own = f"Via: SIP/2.0/UDP {self.myIP}:{self.myPort};branch={self.gen_branch()}\r\n"
        return (
            f"ACK {target} SIP/2.0\r\n"
            f"{own if is_success else self._gen_response_via_header(request)}"
            "Max-Forwards: 70\r\n"
            f"To: {to['raw']};tag={to['tag']}\r\n"
            f"From: {come_from['raw']};tag={come_from['tag']}\r\n"
            f"Call-ID: {request.headers['Call-ID']}\r\n"
            f"CSeq: {request.headers['CSeq']['check']} ACK\r\n"
            "Content-Length: 0\r\n\r\n"
        )

    def invite(
        self, number: str, ms: dict[int, dict[str, PayloadType]], sendtype: TransmitType
    ) -> tuple[SIP.SIPMessage, str, int]:
        """Send an INVITE; answer one challenge, for the very target that is called."""
        call_id, session = self.gen_call_id(), self.sessID.next()

        def text() -> str:
            return str(
                self.gen_invite(number, str(session), ms, sendtype, self.gen_branch(), call_id)
            )

        with self.recvLock:
            self.s.setblocking(True)
            sent = text()
            answer = self._answer_to(sent, call_id)
            if answer.status == SIP.SIPStatus.UNAUTHORIZED:
                self._send(self.gen_ack(answer))
                proof = answer_challenge(
                    _header(answer.raw, "www-authenticate"),
                    method="INVITE",
                    uri=f"sip:{number}@{self.server}",
                    user=self.username,
                    password=self.password,
                    cnonce=self.gen_tag(),
                )
                sent = text().replace(
                    "\r\nContent-Length", f"\r\nAuthorization: {proof}\r\nContent-Length"
                )
                self._send(sent)
        return SIP.SIPMessage(sent.encode()), call_id, session

    def _answer_to(self, text: str, call_id: str) -> SIP.SIPMessage:
        self._send(text)
        while True:
            answer = SIP.SIPMessage(self.s.recv(8192))
            if answer.headers["Call-ID"] == call_id:
                return answer
            self.parse_message(answer)
            self.s.setblocking(True)

    def _send(self, text: str) -> None:
        self.out.sendto(text.encode(), (self.server, self.port))


class Phone(VoIPPhone):
    """A pyVoIP telephone with that SIP, which remembers why it was hung up."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        sip_port, rtp_port = _free_port(), _free_port()
        super().__init__(
            host, port, user, password,
            myIP="127.0.0.1", sipPort=sip_port, rtpPortLow=rtp_port, rtpPortHigh=rtp_port,
        )  # fmt: skip
        self.reason = ""
        self.sip = Sip(
            host, port, user, password,
            phone=self, myIP="127.0.0.1", myPort=sip_port,
            callCallback=self.callback, fatalCallback=self.fatal,
        )  # fmt: skip

    def callback(self, request: SIP.SIPMessage) -> None:
        """See pyVoIP; a BYE says why."""
        if request.type == SIP.SIPMessageType.MESSAGE and request.method == "BYE":
            self.reason = _header(request.raw, "reason")
        super().callback(request)


class Terminal:
    """Obeys orders until there are no more."""

    def __init__(self) -> None:
        self._phone: Phone | None = None
        self._call: VoIPCall | None = None
        self._heard_frames = 0

    async def run(self) -> None:
        """Read orders; watch the call."""
        loop = asyncio.get_running_loop()
        orders = asyncio.StreamReader(limit=LINE_BYTES_MAX)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            while line := await orders.readline():
                await self._obey(json.loads(line))
            watching.cancel()

    async def _obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "register":
                names = ("host", "port", "user", "password")
                self._phone = Phone(*(order[name] for name in names))
                await asyncio.to_thread(self._phone.start)
                good = self._phone.get_status() is PhoneStatus.REGISTERED
                _report("registered" if good else "refused")
            case "call":
                assert self._phone is not None
                self._call = await asyncio.to_thread(self._phone.call, order["number"])
            case "press":
                self._say(sounds.keys(order["keys"], on_s=order["on_s"], off_s=order["off_s"]))
            case "say":
                self._say(sounds.decode(base64.b64decode(order["ulaw"])))
            case "hang_up":
                if self._call is not None and self._call.state is CallState.ANSWERED:
                    self._call.hangup()
            case unknown:
                _report("refused", reason=f"no such order: {unknown}")

    def _say(self, sound: sounds.Sound) -> None:
        if self._call is not None and self._call.state is CallState.ANSWERED:
            unsigned = np.clip(np.round(sound * (CENTRE - 1)) + CENTRE, 0, 255).astype(np.uint8)
            self._call.write_audio(unsigned.tobytes())

    async def _watch(self) -> None:
        state = CallState.DIALING
        while True:
            await asyncio.sleep(FRAME_S)
            call, phone = self._call, self._phone
            if call is None or phone is None:
                continue
            if call.state is CallState.ANSWERED:
                frame = call.read_audio(sounds.FRAME_SAMPLES, blocking=False)
                self._heard_frames += frame != bytes([CENTRE]) * sounds.FRAME_SAMPLES
            if call.state is not state:
                state = call.state
                _report(
                    state.value.lower(),
                    reason=phone.reason,
                    heard_s=round(self._heard_frames * FRAME_S, 2),
                )


def _report(event: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
    sys.stdout.write(json.dumps({"event": event} | facts) + "\n")
    sys.stdout.flush()


def _header(raw: bytes, name: str) -> str:
    """Return a header as it came; pyVoIP keeps only what it understands."""
    for line in raw.decode("utf-8", "replace").split("\r\n\r\n")[0].split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Run one terminal. pyVoIP's threads do not end by themselves: the process does it for them."""
    try:
        asyncio.run(Terminal().run())
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
