"""What the media workers tell control. Times are monotonic seconds of this machine."""

from typing import Any

import msgspec

from switch.ids import CallId, LegId


class DigitHeard(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A key was pressed: one report per press, whether by RFC 4733 or in the sound."""

    leg: LegId
    key: str
    """`0`-`9`, `*`, `#`, `A`-`D`."""
    at: float
    in_band: bool
    """In the sound; False: as a telephone event."""


class FlashHeard(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Telephone event 16."""

    leg: LegId
    at: float


class PlayEnded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A play list ran out, or was stopped."""

    leg: LegId
    play: int
    completed: bool
    at: float
    played_s: float


class Recorded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A name was taken; `path` is '' if nothing was heard."""

    leg: LegId
    path: str
    speech_s: float


class Detected(msgspec.Struct, frozen=True, gc=False, tag=True):
    """An event of the detectors, in the schema of the dsp room."""

    leg: LegId
    at: float
    event: dict[str, Any]


class CallEnded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The worker parted the two legs: at `paid_until`, or because it was told to. Told once."""

    call: CallId
    ended_at: float
    by_paid_until: bool
    last_both_heard_at: float
    """Until here both legs sent: the earlier of their last packets."""


class Hearing(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What exists in a worker that could hear a call. All zero for a privileged one."""

    call: CallId
    legs: int
    rings: int
    recorders: int
    tapes: int
    names: int
    """Recorders of a spoken name."""


class RecordingFailed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The disk took no more of a recording; the call goes on."""

    call: CallId
    recording: str
    because: str
    error: str


class RecordingEnded(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A recording is on the disk, whole or as whole as it will be."""

    call: CallId
    recording: str
    samples: int
    size_bytes: int
    sha256: str
    because: str
    """'' the bridge ended; else why it ended before: `disk`, `privileged`."""
    chunks_left_out: int
    """Seconds that the disk was too slow for; they are gaps."""


class LegReport(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What a leg has seen, once a second while it is open and once when it closes."""

    leg: LegId
    at: float
    packets_received: int
    packets_sent: int
    packets_lost: int
    packets_late: int
    dropped: dict[str, int]
    last_packet_at: float
    jitter_ms: float
    source_changes: int
    closed: bool
    loss_runs: int = 0
    """How often packets were missing, however many at a time."""
    silent_s: float = 0.0
    """How long nothing came though it should; 0 while the far end holds or has no address yet."""
    round_trip_ms: float | None = None
    """By RTCP; None: the far end has not reported."""
    far_lost: int = 0
    far_jitter_ms: float = 0.0
    """What the far end has reported of that which we sent."""


class LegResumed(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A leg whose worker died goes on at another one."""

    leg: LegId
    lost_at: float
    """When its worker was last alive: what came since then was not passed on. 0: not known."""
    at: float


class WorkerReport(msgspec.Struct, frozen=True, gc=False, tag=True):
    """How a worker is, once a second."""

    worker: int
    at: float
    legs: int
    calls: int
    ticks: int
    late_ticks: int
    tick_ms_p99: float
    inspected_legs: int
    busy: float = 0.0
    """Share of a processor that it has used since the report before."""
    shed_ticks: int = 0
    """Ticks without a look at the sound, the worker being full."""


class WorkerDied(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A worker process died; its calls are taken up by another one."""

    worker: int
    calls: list[CallId]


class CallsLost(msgspec.Struct, frozen=True, gc=False, tag=True):
    """These calls have no media any more: each worker that took them up died at once."""

    calls: list[CallId]


MediaEvent = (
    DigitHeard | FlashHeard | PlayEnded | Recorded | Detected | CallEnded | LegReport
    | LegResumed | WorkerReport | WorkerDied | CallsLost | RecordingEnded | RecordingFailed
    | Hearing
)  # fmt: skip
