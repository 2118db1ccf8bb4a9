"""The recorder of a worker, over tapes without a socket and files on a real disk."""

import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from switch.errors import LocalError
from switch.ids import CallId
from switch.media import wire
from switch.media.messages import RecordingEnded, RecordingFailed
from switch.media.recorder import TICKS_PER_CHUNK, Recorder, Recorders
from switch.media.recording_writer import RecordingFile
from switch.recording.keys import MasterKey
from switch.recording.reader import RecordingReader
from switch.routing.call_class import Inspectable, Privileged
from tests.support.leg_pair import NS, A, B, LegPair
from tests.support.recording_file import KEY, MASTER, header_of

CALL = CallId(7)
TICK_NS = 20_000_000
PAUSE = threading.Event()


class Deck:
    """A pair of legs that is recorded, tick by tick."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self.pair = LegPair(monkeypatch)
        self.path = path
        self.recorders = Recorders(self.pair.legs, tapes_max=4)
        self.ticks = 0
        self.sequence = 0
        self.said: list[bytes] = []

    @property
    def now(self) -> float:
        return self.pair.libc.now_ns / NS

    def order(self, **changes: Any) -> wire.Record:
        values: dict[str, Any] = {
            "permit": Inspectable(CALL),
            "recording": "abc",
            "path": str(self.path),
            "key": KEY,
            "header": header_of(),
            "began": self.now,
        }
        return wire.Record(**(values | changes))

    def start(self, **changes: Any) -> None:
        self.recorders.start(self.order(**changes), A, B, now=self.now)
        self.pair.join()

    def talk(self, ticks: int) -> None:
        for _ in range(ticks):
            frame = bytes([self.sequence % 200 + 1]) * 160
            self.said.append(frame)
            self.pair.legs.tokens[:2] = 50
            self.pair.say(A, self.sequence, frame)
            self.pair.say(B, self.sequence, frame[::-1])
            self.sequence += 1
            self.pair.libc.now_ns += TICK_NS
            self.ticks += 1
            self.recorders.tick(self.ticks, now=self.now)

    def wait(self, kind: type[RecordingEnded | RecordingFailed]) -> Any:
        """Wait for the writer's threads."""
        for _ in range(500):
            for outcome in self.recorders.outcomes():
                if isinstance(outcome, kind):
                    return outcome
            PAUSE.wait(0.01)
        raise AssertionError("the writer said nothing")

    def read(self) -> RecordingReader:
        return RecordingReader(self.path, MASTER)


@pytest.fixture
def deck(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deck:
    return Deck(monkeypatch, tmp_path / "day" / "abc.rec")


def test_a_recorder_takes_nothing_but_an_inspectable_call(deck: Deck, tmp_path: Path) -> None:
    order = deck.order()
    file = RecordingFile("abc", tmp_path / "x.rec", KEY, b"")
    for permit in (Privileged(CALL), None, CALL):
        with pytest.raises(TypeError, match="inspectable"):
            Recorder(permit, order, legs=deck.pair.legs, tapes=(0, 1), file=file)  # type: ignore[arg-type]


def test_what_was_said_is_in_the_file(deck: Deck) -> None:
    deck.start()
    deck.talk(3 * TICKS_PER_CHUNK + 7)
    deck.recorders.end(CALL, at=deck.now)
    ended = deck.wait(RecordingEnded)
    reader = deck.read()
    assert reader.is_closed
    assert (ended.samples, ended.because) == (157 * 160, "")
    assert ended.sha256 == reader.prove()
    assert ended.size_bytes == deck.path.stat().st_size
    sound = reader.sound()
    assert sound.samples[0].tobytes() == b"".join(deck.said)
    assert sound.gaps == ((), ())
    assert len(reader.beside("peaks") or b"") == 2 * -(-157 * 160 // 400)


def test_a_call_writes_once_a_second_on_a_tick_of_its_own(deck: Deck) -> None:
    deck.start()
    deck.talk(4 * TICKS_PER_CHUNK)
    deck.recorders.end(CALL, at=deck.now)
    deck.wait(RecordingEnded)
    assert deck.read().parts_count == 5, "three seconds, the rest, the end"


def test_nothing_of_a_call_is_left_on_its_tapes(deck: Deck) -> None:
    deck.start()
    deck.talk(10)
    deck.recorders.end(CALL, at=deck.now)
    legs = deck.pair.legs
    assert deck.recorders.count == deck.recorders.tapes_count == 0
    assert not legs.tape_sound.any()
    assert not legs.tape_there.any()
    assert (legs.tape == -1).all()


def test_a_call_is_recorded_once_and_room_is_limited(deck: Deck) -> None:
    deck.start()
    with pytest.raises(LocalError):
        deck.recorders.start(deck.order(), A, B, now=deck.now)


def test_a_recording_that_is_stopped_forgets_what_was_not_written(deck: Deck) -> None:
    deck.start()
    deck.talk(2 * TICKS_PER_CHUNK)
    deck.recorders.stop(CALL, because="privileged")
    deck.talk(TICKS_PER_CHUNK)
    deck.recorders.end(CALL, at=deck.now)
    assert deck.wait(RecordingEnded).because == "privileged"
    assert deck.read().samples <= 2 * 8000


def test_a_successor_goes_on_behind_the_last_whole_chunk(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = deck.now
    deck.start()
    deck.talk(2 * TICKS_PER_CHUNK + 20)
    deck.recorders.end(CALL, at=deck.now)
    deck.wait(RecordingEnded)
    data = deck.path.read_bytes()
    deck.path.write_bytes(data[:-200])  # a torn end: as if the worker had died while it wrote
    heir = Deck(monkeypatch, deck.path)
    heir.pair.libc.now_ns = deck.pair.libc.now_ns + 25 * TICK_NS
    heir.sequence = 1000
    heir.start(began=began, resumes=True)
    heir.talk(TICKS_PER_CHUNK)
    heir.recorders.end(CALL, at=heir.now)
    ended = heir.wait(RecordingEnded)
    reader = heir.read()
    assert ended.sha256 == reader.prove()
    total = (2 * TICKS_PER_CHUNK + 20 + 25 + TICKS_PER_CHUNK) * 160
    assert reader.samples == ended.samples == total
    sound = reader.sound()
    resumed = total - TICKS_PER_CHUNK * 160
    assert sound.samples[0, :16_000].tobytes() == b"".join(deck.said)[:16_000]
    assert sound.samples[0, resumed:].tobytes() == b"".join(heir.said)
    (gap,) = sound.gaps[0]
    assert gap[0] + gap[1] == resumed


def test_a_file_that_is_another_recording_is_left_alone(deck: Deck) -> None:
    deck.path.parent.mkdir()
    deck.path.write_bytes(b"somebody else's")
    deck.start(resumes=True)
    assert deck.wait(RecordingFailed).because == "disk"
    deck.recorders.end(CALL, at=deck.now)
    deck.wait(RecordingEnded)
    assert deck.path.read_bytes() == b"somebody else's"


FULL_DISK = """
import resource, sys
from pathlib import Path
import pytest
from tests.switch.media.test_recorder import CALL, TICKS_PER_CHUNK, Deck, RecordingEnded, \\
    RecordingFailed
with pytest.MonkeyPatch.context() as monkeypatch:
    deck = Deck(monkeypatch, Path(sys.argv[1]))
    deck.recorders.warm()
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
    deck.start()
    deck.talk(5 * TICKS_PER_CHUNK)
    failed = deck.wait(RecordingFailed)
    assert failed.because == "disk", failed
    deck.talk(TICKS_PER_CHUNK)
    deck.recorders.end(CALL, at=deck.now)
    ended = deck.wait(RecordingEnded)
    assert ended.because == "disk", ended
    reader = deck.read()
    assert not reader.is_closed
    assert reader.samples == ended.samples == 16_000, reader.samples
    assert reader.prove() == ended.sha256
    assert reader.sound().samples[0].tobytes() == b"".join(deck.said)[:16_000]
"""


def test_a_disk_that_is_full_keeps_what_is_whole_and_says_so(tmp_path: Path) -> None:
    """The kernel refuses the write (RLIMIT_FSIZE), in a process of its own."""
    assert resource.RLIMIT_FSIZE
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "abc.rec")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_folder_that_cannot_be_made_fails_the_recording_and_no_more(deck: Deck) -> None:
    deck.path.parent.parent.joinpath("day").write_text("a file is in the way")
    deck.start()
    assert deck.wait(RecordingFailed).because == "disk"
    deck.talk(TICKS_PER_CHUNK)
    deck.recorders.end(CALL, at=deck.now)
    assert deck.wait(RecordingEnded).because == "disk"


def test_the_peaks_follow_the_sound(deck: Deck) -> None:
    deck.start()
    deck.talk(5)
    deck.recorders.end(CALL, at=deck.now)
    deck.wait(RecordingEnded)
    peaks = np.frombuffer(deck.read().beside("peaks") or b"", np.uint8).reshape(-1, 2)
    assert peaks.any(axis=0).all()
    assert MASTER.id == MasterKey(bytes(range(32))).id
