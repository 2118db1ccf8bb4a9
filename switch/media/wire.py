"""What control and a media worker say to each other over `DATA/worker-N.sock`.

A SOCK_SEQPACKET Unix socket: one message is one packet, a msgpack array of structs. The sockets
of a leg travel beside `OpenLeg` and `LegBack` as SCM_RIGHTS. Orders go down, reports come up.
"""

import array
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from switch.ids import CallId, LegId
from switch.media.messages import (
    CallEnded,
    Detected,
    DigitHeard,
    FlashHeard,
    Hearing,
    LegReport,
    LegResumed,
    PlayEnded,
    Recorded,
    RecordingEnded,
    RecordingFailed,
    WorkerReport,
)
from switch.recording.plan import RecordingPlan
from switch.routing.call_class import Inspectable

Law = Literal["PCMU", "PCMA"]

PROTOCOL: Final = 3
"""Raised with every change of this file: a worker of another version is let go, not talked to."""

MESSAGE_BYTES_MAX: Final = 1 << 17
"""Below the kernel's default send buffer (212,992), which bounds a packet. Chosen."""

BATCH_MAX: Final = 128
"""Structs in one packet. Chosen: 128 leg reports are about 30 kB."""

RIGHTS_MAX: Final = 2
"""Descriptors beside one packet: RTP and RTCP of one leg."""


class Hello(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Control is here."""

    protocol: int
    orphan_s: float


class OpenLeg(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A new leg; its two sockets come beside it. The three numbers are random (RFC 3550 §5.1)."""

    leg: LegId
    law: Law
    ip: str
    port: int
    ssrc: int
    sequence: int
    timestamp: int
    resumed: bool = False
    """It was open at a worker that died: what waits in its sockets is late."""


class Srtp(msgspec.Struct, frozen=True, gc=False):
    """The keys of a leg."""

    suite: str
    ours: bytes
    """Master key and salt."""
    theirs: bytes

    def __repr__(self) -> str:
        """Say nothing that must not stand in a log."""
        return f"Srtp({self.suite})"


class SetRemote(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Where a leg's far end is, as its SDP says."""

    leg: LegId
    ip: str
    port: int
    law: Law
    payload_type_send: int
    payload_type_receive: int
    other_type_receive: int
    """Payload type of the law that we do not send; -1: it is not taken."""
    event_type_send: int
    """-1: the far end takes no telephone events."""
    event_type_receive: int
    sends_allowed: bool
    """False: on hold; nothing is sent there."""
    nat_ip: str
    """Not empty: latch onto a source with this address (signalling rules, §4)."""
    networks: list[str]
    """Sources within these networks are the far end's too, from any port."""
    sends: bool = True
    """False: the far end holds, and need not send."""
    srtp: Srtp | None = None
    """None: in the clear."""


class Play(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Say these files one after the other. Replaces what plays."""

    leg: LegId
    paths: list[str]
    play: int
    resumed: bool = False
    """It may have begun at a worker that died: it goes on where it was."""


class PlayTone(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Play a generated sound until told otherwise."""

    leg: LegId
    tone: str


class Stop(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Be quiet towards this leg."""

    leg: LegId


class Hear(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Open a ring and a row of the bank for one leg, for keys in its sound only."""

    leg: LegId


class Deafen(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Close ring and row of one leg."""

    leg: LegId


class Inspect(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Open rings and rows for both legs of one call."""

    a_leg: LegId
    b_leg: LegId
    kinds: list[str]


class Note(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Something the detectors should know."""

    leg: LegId
    note: str
    fields: dict[str, Any]


class RecordName(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Take a spoken name."""

    leg: LegId
    path: str
    max_s: float


class Record(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Record a call from its bridge to the end of its bridge."""

    permit: Inspectable
    recording: str
    path: str
    key: bytes
    """Of this file alone; the master key stays with control."""
    header: bytes
    began: float
    """The moment of the bridge."""
    resumes: bool = False
    """A worker before this one began the file; the time between is a gap."""


def record_order(permit: Inspectable, plan: RecordingPlan, *, began: float) -> Record:
    """Return the order that begins a recording."""
    return Record(
        permit=permit,
        recording=plan.recording,
        path=str(plan.path.absolute()),
        key=plan.key,
        header=plan.header,
        began=began,
    )


class LookAt(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Say what exists that could hear this call; `Hearing` answers."""

    call: CallId


class StopRecording(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Record no more of this call, though it goes on."""

    call: CallId
    because: str


class Join(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Bridge the two legs of a call until `paid_until`."""

    call: CallId
    paid_until: float
    mute_digits: bool
    now: float


class PaidUntil(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The talk is paid until here."""

    call: CallId
    at: float


class HoldBack(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Keep a leg's sound and keys from the other side, or let them through again."""

    leg: LegId
    on: bool


class Part(msgspec.Struct, frozen=True, gc=False, tag=True):
    """End the bridge, at the latest at this moment."""

    call: CallId
    at: float


class CloseLeg(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The leg is over: close its sockets, report, forget."""

    leg: LegId


class Taken(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Control has the `CallEnded` of this call: it need not be kept any longer."""

    call: CallId


class Inherit(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Go on for a worker that died; the memory that it left comes beside it. Its legs follow."""

    worker: int


class Leave(msgspec.Struct, frozen=True, gc=False, tag=True):
    """End as soon as no call lives here."""


class SurvivingCall(msgspec.Struct, frozen=True, gc=False):
    """A call as a worker knows it."""

    call: CallId
    bridged_at: float | None
    paid_until: float
    ended_at: float | None
    by_paid_until: bool
    last_both_heard_at: float


class Welcome(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A worker's answer to `Hello`. `legs` packets of one `LegBack` each follow.

    The memory that is left when the worker dies comes beside it (`switch.media.estate`).
    """

    protocol: int
    worker: int
    pid: int
    legs: int
    calls: list[SurvivingCall]


class LegBack(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A leg that outlived a former control; its sockets come beside it."""

    leg: LegId
    ip: str
    port: int


class Rooms(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What a worker holds, told on every change."""

    legs: int
    rings: int
    rows: int
    recorders: int = 0
    tapes: int = 0
    files: int = 0
    """Recordings that are not yet safe on the disk."""


Order = (
    Hello | OpenLeg | SetRemote | Play | PlayTone | Stop | Hear | Deafen | Inspect | Note
    | RecordName | Record | StopRecording | Join | PaidUntil | HoldBack | Part | CloseLeg | Taken
    | Inherit | Leave | LookAt
)  # fmt: skip
Report = (
    Welcome | LegBack | LegResumed | Rooms | DigitHeard | FlashHeard | PlayEnded | Recorded
    | Detected | CallEnded | LegReport | WorkerReport | RecordingEnded | RecordingFailed
    | Hearing
)  # fmt: skip

_ENCODER = msgspec.msgpack.Encoder()
_ORDERS = msgspec.msgpack.Decoder(list[Order])
_REPORTS = msgspec.msgpack.Decoder(list[Report])


def build(messages: Sequence[Order] | Sequence[Report]) -> bytes:
    """Return the bytes of one packet."""
    return _ENCODER.encode(messages)


def parse_orders(data: bytes | memoryview) -> list[Order]:
    """Read a packet that control sent."""
    return _ORDERS.decode(data)


def parse_reports(data: bytes | memoryview) -> list[Report]:
    """Read a packet that a worker sent."""
    return _REPORTS.decode(data)


def send(link: socket.socket, data: bytes, rights: Sequence[int] = ()) -> None:
    """Send one packet, with descriptors beside it.

    Raises:
        BlockingIOError: the other side does not read; nothing was sent.
    """
    ancillary = []
    if rights:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", rights))]
    link.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)


def receive(link: socket.socket, buffer: bytearray) -> tuple[memoryview, list[int]]:
    """Receive one packet; empty: the other side is gone.

    Args:
        link: the line.
        buffer: MESSAGE_BYTES_MAX long; the packet is a view of it.

    Raises:
        BlockingIOError: nothing is there.
    """
    room = socket.CMSG_SPACE(RIGHTS_MAX * array.array("i").itemsize)
    size, ancillary, _, _ = link.recvmsg_into([buffer], room)
    rights = array.array("i")
    for level, kind, body in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            rights.frombytes(body[: len(body) - len(body) % rights.itemsize])
    return memoryview(buffer)[:size], list(rights)


def socket_path(data: Path, worker: int) -> Path:
    """Return where worker number `worker` listens."""
    return data / f"worker-{worker}.sock"
