"""The recorder of one call, and all recorders of a worker.

A recorder is built from an `Inspectable` and nothing else: for a privileged call there is no way
to make one. It hears what each leg says, from the bridge to its end; prompts are not in it. Once a
second it takes what waits on its two tapes to the writer, each call on a tick of its own, so that
neither the disk nor the work comes all at once.
"""

import heapq
from pathlib import Path
from typing import Final

import numpy as np

from switch.errors import LocalError
from switch.ids import CallId
from switch.media import legs as legs_module
from switch.media import wire
from switch.media.legs import TAPE_DONE, TAPE_OUTSIDE, Legs
from switch.media.messages import RecordingEnded, RecordingFailed
from switch.media.recording_writer import FileClosed, RecordingFile, RecordingWriter
from switch.media.seats import NS
from switch.media.tape import PEAK_SAMPLES, SAMPLE_NS, take_off
from switch.recording.file_format import CHUNK_SAMPLES, GAPS_MAX, End, build_chunk
from switch.routing.call_class import Inspectable

LATE_SAMPLES: Final = 1_600
"""How long a chunk waits for packets that the network held up. Chosen: 200 ms, longer than the
jitter of any call that can be understood."""

TICKS_PER_CHUNK: Final = 50

PRIVILEGED: Final = "privileged"
"""Why a recording ended before its call: the number is privileged now."""


class Recorder:
    """Records one call.

    Args:
        permit: says that this call may be heard.
        order: what control said: names, key, the beginning.
        legs: the shared arrays.
        tapes: of the terminal and the outside; they are empty and begin with the bridge.
        file: where it goes.

    Raises:
        TypeError: the call is not inspectable.
    """

    def __init__(
        self,
        permit: Inspectable,
        order: wire.Record,
        *,
        legs: Legs,
        tapes: tuple[int, int],
        file: RecordingFile,
    ) -> None:
        if not isinstance(permit, Inspectable):
            raise TypeError(f"only an inspectable call is recorded, not {type(permit).__name__}")
        self.call = permit.call
        self.recording = order.recording
        self.tapes = tapes
        self.file = file
        self.is_over = False
        self._legs = legs
        self._began_ns = round(order.began * NS)
        self._peaks: list[bytes] = []

    def write(self, writer: RecordingWriter, *, now: float) -> None:
        """Hand over every chunk whose time, and some more, is past."""
        now_samples = self._samples_at(now)
        while self._done + CHUNK_SAMPLES + LATE_SAMPLES <= now_samples:
            self._take(writer, CHUNK_SAMPLES)

    def finish(self, writer: RecordingWriter, *, at: float, because: str) -> None:
        """Hand over the rest, up to the moment the bridge ended; nothing after."""
        self.is_over = True
        end = self._samples_at(at)
        while self._done < end:
            self._take(writer, min(CHUNK_SAMPLES, end - self._done))
        writer.close(self.file, End(samples=end, because=because), b"".join(self._peaks))

    def drop(self, writer: RecordingWriter, *, because: str) -> None:
        """End at once: what waits on the tapes is never written."""
        self.is_over = True
        writer.close(self.file, End(samples=self._done, because=because), b"".join(self._peaks))

    @property
    def outside(self) -> int:
        """Packets that came too late or too early to be kept."""
        return sum(int(self._legs.tape_state[tape, TAPE_OUTSIDE]) for tape in self.tapes)

    @property
    def _done(self) -> int:
        return int(self._legs.tape_state[self.tapes[0], TAPE_DONE])

    def _samples_at(self, at: float) -> int:
        return max(0, (round(at * NS) - self._began_ns) // SAMPLE_NS)

    def _take(self, writer: RecordingWriter, count: int) -> None:
        first = self._done
        sound, gaps = _SOUND[:, :count], _GAPS
        peaks = np.zeros((2, CHUNK_SAMPLES // PEAK_SAMPLES), np.uint8)
        found = take_off(self._legs, *self.tapes, count, _SOUND, gaps, peaks)
        left, right = found % 65_536, found // 65_536
        plain = build_chunk(sound, (gaps[0, :left], gaps[1, :right]))
        writer.write(self.file, first, count, plain)
        self._peaks.append(peaks[:, : -(-count // PEAK_SAMPLES)].T.tobytes())


_SOUND: Final = np.zeros((2, CHUNK_SAMPLES), np.uint8)
_GAPS: Final = np.zeros((2, GAPS_MAX, 2), np.int32)
"""Scratch of `take_off`: there is one loop in a worker."""


class Recorders:
    """All recorders of one worker.

    Args:
        legs: the shared arrays.
        tapes_max: how many legs may be recorded.
    """

    def __init__(self, legs: Legs, *, tapes_max: int) -> None:
        self._legs = legs
        self._free = list(range(tapes_max))
        self._writer: RecordingWriter | None = None
        self._slots: list[dict[CallId, Recorder]] = [{} for _ in range(TICKS_PER_CHUNK)]
        self._by_call: dict[CallId, Recorder] = {}
        self._open_files: dict[str, CallId] = {}

    @property
    def count(self) -> int:
        """How many calls are being recorded."""
        return len(self._by_call)

    def has(self, call: CallId) -> bool:
        """Whether a call is being recorded."""
        return call in self._by_call

    @property
    def tapes_count(self) -> int:
        """How many tapes are in use."""
        return int(np.count_nonzero(self._legs.tape >= 0))

    @property
    def files_count(self) -> int:
        """Files that are not yet safe on the disk."""
        return len(self._open_files)

    def warm(self) -> None:
        """Compile what takes sound off the tapes, or load what was compiled."""
        peaks = np.zeros((2, CHUNK_SAMPLES // PEAK_SAMPLES), np.uint8)
        take_off(self._legs, 0, 1, 0, _SOUND, _GAPS, peaks)

    def start(self, order: wire.Record, a_index: int, b_index: int, *, now: float) -> None:
        """Begin to record a call whose two legs are open.

        Raises:
            LocalError: it is recorded already, or no tape is free.
            TypeError: the call is not inspectable.
        """
        call = order.permit.call
        if call in self._by_call or len(self._free) < 2:
            raise LocalError(f"call {call} cannot be recorded")
        began_ns = round(order.began * NS)
        file = RecordingFile(
            order.recording, Path(order.path), order.key, order.header, order.resumes
        )
        tapes = (heapq.heappop(self._free), heapq.heappop(self._free))
        recorder = Recorder(order.permit, order, legs=self._legs, tapes=tapes, file=file)
        skip = (round(now * NS) - began_ns) // SAMPLE_NS if order.resumes else 0
        for tape, index in zip(tapes, (a_index, b_index), strict=True):
            legs_module.clear_tape(self._legs, tape, began_ns=began_ns)
            self._legs.tape_state[tape, TAPE_DONE] = max(0, skip & ~(legs_module.TAPE_BLOCK - 1))
            self._legs.tape[index] = tape
        if self._writer is None:
            self._writer = RecordingWriter()
        self._writer.open(file)
        self._by_call[call] = recorder
        self._open_files[order.recording] = call
        min(self._slots, key=len)[call] = recorder

    def tick(self, tick: int, *, now: float) -> None:
        """Hand over what the calls of this tick have to write."""
        if self._writer is None:
            return
        for recorder in self._slots[tick % TICKS_PER_CHUNK].values():
            recorder.write(self._writer, now=now)

    def end(self, call: CallId, *, at: float) -> None:
        """The bridge of a call is over; a call that is not recorded is left alone."""
        recorder = self._by_call.get(call)
        if recorder is not None and self._writer is not None:
            recorder.finish(self._writer, at=at, because="")
            self._forget(recorder)

    def stop(self, call: CallId, *, because: str) -> None:
        """End a recording now, though the call goes on; what is not written yet never is."""
        recorder = self._by_call.get(call)
        if recorder is not None and self._writer is not None:
            recorder.drop(self._writer, because=because)
            self._forget(recorder)

    def outcomes(self) -> list[RecordingEnded | RecordingFailed]:
        """Return what came of the files since last asked."""
        if self._writer is None:
            return []
        found: list[RecordingEnded | RecordingFailed] = []
        for outcome in self._writer.outcomes():
            call = self._open_files.get(outcome.recording)
            if call is None:
                continue
            if isinstance(outcome, FileClosed):
                del self._open_files[outcome.recording]
                found.append(_ended(call, outcome))
            else:
                found.append(
                    RecordingFailed(call, outcome.recording, outcome.because, outcome.error)
                )
        return found

    def _forget(self, recorder: Recorder) -> None:
        """Free the tapes; no sample of them is left."""
        del self._by_call[recorder.call]
        for slot in self._slots:
            slot.pop(recorder.call, None)
        for tape in recorder.tapes:
            self._legs.tape[self._legs.tape == tape] = -1
            legs_module.clear_tape(self._legs, tape, began_ns=0)
            heapq.heappush(self._free, tape)


def _ended(call: CallId, closed: FileClosed) -> RecordingEnded:
    return RecordingEnded(
        call=call,
        recording=closed.recording,
        samples=closed.samples,
        size_bytes=closed.size_bytes,
        sha256=closed.sha256,
        because=closed.because,
        chunks_left_out=closed.chunks_left_out,
    )
