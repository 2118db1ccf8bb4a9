"""Writes recordings: one thread for the disk, one for what waits for it to be safe.

The loop of the worker hands over what is to be written and never waits. What the disk cannot take
is not kept in memory without end: a chunk that finds the queue full is left out (a gap in the
file), and a file whose disk is full is closed where it is. The talk goes on in both cases.
"""

import errno
import hashlib
import os
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Final

from switch.recording import file_format as ff
from switch.recording.file_format import End, Kind, Sealer
from switch.recording.keys import seal_beside
from switch.recording.reader import beside_path

JOBS_MAX: Final = 8_192
"""What may wait for the disk. Chosen: 2,000 calls for four seconds, 130 MB."""

DISK: Final = "disk"
"""Why a recording ended before its call: the disk took no more."""


@dataclass(frozen=True, slots=True)
class FileClosed:
    """A file is whole and on the disk, or as whole as it will be."""

    recording: str
    samples: int
    size_bytes: int
    sha256: str
    because: str
    chunks_left_out: int


@dataclass(frozen=True, slots=True)
class FileFailed:
    """The disk took no more of a file; its call goes on."""

    recording: str
    because: str
    error: str


Outcome = FileClosed | FileFailed


@dataclass(slots=True)
class RecordingFile:
    """One file while it is written. Made by the loop, then touched by the writer only."""

    recording: str
    path: Path
    key: bytes
    header: bytes
    resumes: bool = False
    """A former worker began this file."""
    handle: int = -1
    number: int = 0
    at: int = 0
    samples: int = 0
    left_out: int = 0
    is_failed: bool = False
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    sealer: Sealer = field(init=False)

    def __post_init__(self) -> None:
        """Bind the key to the header."""
        self.sealer = Sealer(self.key, self.header)


class RecordingWriter:
    """The two threads, and the queues to and from them."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._handed = 0
        self._done = 0
        for name, jobs in (("recording-writer", self._jobs), ("recording-closer", self._closing)):
            Thread(target=_work, args=(jobs,), name=name, daemon=True).start()

    @property
    def waiting(self) -> int:
        """Jobs that the disk has not taken yet."""
        return self._handed - self._done

    def open(self, file: RecordingFile) -> None:
        """Begin a file, or go on with it."""
        self._hand(lambda: self._begin(file))

    def write(self, file: RecordingFile, first: int, count: int, plain: bytes) -> None:
        """Write one chunk; where the queue is full it is left out."""
        if self.waiting >= JOBS_MAX:
            file.left_out += 1
            return
        self._hand(lambda: self._append(file, first, count, Kind.SOUND, plain))

    def close(self, file: RecordingFile, end: End, peaks: bytes) -> None:
        """Write the end and make the file safe; `FileClosed` follows."""
        self._hand(lambda: self._finish(file, end, peaks))

    def outcomes(self) -> list[Outcome]:
        """Return what came of it since last asked."""
        found: list[Outcome] = []
        while not self._outcomes.empty():
            found.append(self._outcomes.get())
        return found

    # -- on the writer's thread ----------------------------------------------------------------

    def _hand(self, job: Callable[[], None]) -> None:
        self._handed += 1
        self._jobs.put(job)

    def _begin(self, file: RecordingFile) -> None:
        try:
            file.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if file.resumes and file.path.exists():
                self._go_on(file)
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            file.handle = os.open(file.path, flags, 0o600)
            self._put(file, file.header)
        except OSError as error:
            self._fail(file, error)
        finally:
            self._done += 1

    def _go_on(self, file: RecordingFile) -> None:
        """Continue behind the last whole part; a torn one is cut off."""
        data = file.path.read_bytes()
        at = len(file.header)
        if data[:at] != file.header:
            raise OSError(errno.EEXIST, "another recording is there", str(file.path))
        while (prefix := ff.parse_prefix(data[at : at + ff.PREFIX_BYTES])) is not None:
            end = at + ff.PREFIX_BYTES + prefix.size
            if end > len(data) or prefix.kind is Kind.END:
                break
            file.number = prefix.number + 1
            file.samples = prefix.first + prefix.count
            at = end
        file.handle = os.open(file.path, os.O_WRONLY | os.O_CLOEXEC)
        os.ftruncate(file.handle, at)
        os.lseek(file.handle, at, os.SEEK_SET)
        file.at = at
        file.digest.update(data[:at])

    def _append(
        self, file: RecordingFile, first: int, count: int, kind: Kind, plain: bytes
    ) -> None:
        try:
            if file.is_failed or first < file.samples:
                return
            self._put(file, file.sealer.seal(file.number, first, count, kind, plain))
            file.number += 1
            file.samples = first + count
        except OSError as error:
            self._fail(file, error)
        finally:
            self._done += 1

    def _put(self, file: RecordingFile, data: bytes) -> None:
        """Write all of it, or nothing of it."""
        left = memoryview(data)
        while left:
            left = left[os.write(file.handle, left) :]
        file.digest.update(data)
        file.at += len(data)

    def _fail(self, file: RecordingFile, error: OSError) -> None:
        """The disk takes no more: keep what is whole, say so once, let the call go on."""
        if file.is_failed:
            return
        file.is_failed = True
        if file.handle >= 0:
            os.ftruncate(file.handle, file.at)
        self._outcomes.put(FileFailed(file.recording, DISK, error.strerror or str(error)))

    def _finish(self, file: RecordingFile, end: End, peaks: bytes) -> None:
        because = end.because
        end = End(samples=max(end.samples, file.samples), because=because)
        self._append(file, end.samples, 0, Kind.END, ff.build_end(end))
        if file.is_failed:
            because = DISK
        self._closing.put(lambda: self._make_safe(file, because, peaks))

    # -- on the closer's thread ----------------------------------------------------------------

    def _make_safe(self, file: RecordingFile, because: str, peaks: bytes) -> None:
        """Wait until the disk has it. Here, because waiting holds up nobody else's chunks."""
        try:
            if file.handle >= 0:
                os.fsync(file.handle)
                os.close(file.handle)
                _sync_folder(file.path.parent)
            if not file.is_failed:
                sealed = seal_beside(file.key, file.recording, "peaks", peaks)
                beside_path(file.path, "peaks").write_bytes(sealed)
        except OSError as error:
            because = DISK
            self._fail(file, error)
        self._outcomes.put(
            FileClosed(
                recording=file.recording,
                samples=file.samples,
                size_bytes=file.at,
                sha256=file.digest.hexdigest() if file.handle >= 0 else "",
                because=because,
                chunks_left_out=file.left_out,
            )
        )


def _work(jobs: "queue.SimpleQueue[Callable[[], None]]") -> None:
    while True:
        jobs.get()()


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file as safe as its content. fsync(2)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
