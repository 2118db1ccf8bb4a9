"""Reads recordings: a part of one, or the proof of all of it.

Reading a part opens only the chunks that it touches. A file that was cut (the machine died, the
disk filled) is read up to its last whole chunk; `is_closed` says so. A file that was changed is
refused.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from switch.recording import file_format as ff
from switch.recording.file_format import (
    HEADER_BYTES_MAX,
    PREFIX_BYTES,
    RATE_HZ,
    SILENCE,
    Bytes,
    Chunk,
    End,
    Header,
    Kind,
    Prefix,
    RecordingError,
    Sealer,
)
from switch.recording.keys import MasterKey, open_beside

READ_BYTES: Final = 1 << 20
"""Read at a time while hashing. Chosen: memory stays flat."""

PEAK_SAMPLES: Final = 400
"""50 ms, as the recorder takes them."""

Gaps = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Where a sealed part stands."""

    prefix: Prefix
    offset: int
    """Of the sealed bytes, behind the prefix."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of a recording."""

    first: int
    samples: Bytes
    """[2, count] u-law."""
    gaps: tuple[Gaps, Gaps]
    """Of each channel: (first sample, length), counted from the bridge."""


class RecordingReader:
    """One recording.

    Args:
        path: the file.
        master: opens its key.

    Raises:
        RecordingError: not a recording, not ours, or changed.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, master: MasterKey) -> None:
        self.path = path
        with path.open("rb") as file:
            start = file.read(len(ff.MAGIC) + 4 + HEADER_BYTES_MAX)
        self.header, raw = ff.parse_header(start)
        self._key = master.unwrap(
            self.header.wrapped_key, self.header.recording, key_id=self.header.key_id
        )
        self._sealer = Sealer(self._key, raw)
        self._start = len(raw)
        self._parts = _scan(path, self._start)
        self.end = self._end()

    @property
    def is_closed(self) -> bool:
        """Whether the file has its end: nothing was cut off."""
        return self.end is not None

    @property
    def samples(self) -> int:
        """How long it is. Without an end: up to the last whole chunk."""
        if self.end is not None:
            return self.end.samples
        return max((p.prefix.first + p.prefix.count for p in self._parts), default=0)

    @property
    def whole_bytes(self) -> int:
        """Where the last whole part ends: what a successor goes on from."""
        if not self._parts:
            return self._start
        last = self._parts[-1]
        return last.offset + last.prefix.size

    @property
    def parts_count(self) -> int:
        """How many sealed parts there are."""
        return len(self._parts)

    def chunks(self, first: int = 0, until: int | None = None) -> Iterator[Chunk]:
        """Open the chunks that touch a range of samples.

        Raises:
            RecordingError: one was changed.
        """
        stop = self.samples if until is None else until
        with self.path.open("rb") as file:
            for part in self._parts:
                prefix = part.prefix
                is_wanted = prefix.first < stop and prefix.first + prefix.count > first
                if prefix.kind is not Kind.SOUND or not is_wanted:
                    continue
                file.seek(part.offset)
                plain = self._sealer.open(prefix, file.read(prefix.size))
                yield ff.parse_chunk(prefix, plain)

    def sound(self, first: int = 0, until: int | None = None) -> Sound:
        """Return a range of samples. What is between the chunks is a gap of both channels.

        Raises:
            RecordingError: a chunk in it was changed.
        """
        stop = min(self.samples if until is None else until, self.samples)
        first = max(0, min(first, stop))
        samples = np.full((2, stop - first), SILENCE, np.uint8)
        gaps: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        at = first
        for chunk in self.chunks(first, stop):
            count = chunk.sound.shape[1]
            begin, end = max(chunk.first, first), min(chunk.first + count, stop)
            samples[:, begin - first : end - first] = chunk.sound[
                :, begin - chunk.first : end - chunk.first
            ]
            for side in (0, 1):
                _join(gaps[side], at, begin)
                for gap_at, length in chunk.gaps[side]:
                    _join(gaps[side], max(gap_at, first), min(gap_at + length, stop))
            at = end
        for side in (0, 1):
            _join(gaps[side], at, stop)
        return Sound(first, samples, (tuple(gaps[0]), tuple(gaps[1])))

    def beside(self, purpose: str) -> bytes | None:
        """Return what stands beside the file (`peaks`, `events`); None: nothing does.

        Raises:
            RecordingError: it was changed.
        """
        try:
            sealed = beside_path(self.path, purpose).read_bytes()
        except FileNotFoundError:
            return None
        return open_beside(self._key, self.header.recording, purpose, sealed)

    def prove(self) -> str:
        """Open every part; return the SHA-256 of the file.

        Raises:
            RecordingError: a part was changed, or stands where it does not belong.
        """
        for _ in self.chunks():
            pass
        return file_hash(self.path)

    def _end(self) -> End | None:
        if not self._parts or self._parts[-1].prefix.kind is not Kind.END:
            return None
        part = self._parts[-1]
        with self.path.open("rb") as file:
            file.seek(part.offset)
            sealed = file.read(part.prefix.size)
        return ff.parse_end(self._sealer.open(part.prefix, sealed))


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    return digest.hexdigest()


def beside_path(path: Path, purpose: str) -> Path:
    """Return the file beside a recording that holds its peaks or events."""
    return path.with_suffix(f".{purpose}")


def header_of(path: Path) -> Header:
    """Read the header alone; nothing is opened.

    Raises:
        RecordingError: not a recording.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return ff.parse_header(file.read(len(ff.MAGIC) + 4 + HEADER_BYTES_MAX))[0]


def seconds(samples: int) -> float:
    """Turn samples into seconds."""
    return round(samples / RATE_HZ, 6)


def _scan(path: Path, start: int) -> list[Part]:
    """Find every whole part; a cut one ends the list."""
    parts: list[Part] = []
    size = path.stat().st_size
    at = start
    with path.open("rb") as file:
        while at + PREFIX_BYTES <= size:
            file.seek(at)
            prefix = ff.parse_prefix(file.read(PREFIX_BYTES))
            if prefix is None or at + PREFIX_BYTES + prefix.size > size:
                break
            _check_place(prefix, parts)
            parts.append(Part(prefix, at + PREFIX_BYTES))
            at += PREFIX_BYTES + prefix.size
    return parts


def _check_place(prefix: Prefix, before: list[Part]) -> None:
    if prefix.number != len(before):
        raise RecordingError(f"Part {len(before)} of the recording is missing.")
    if before:
        last = before[-1].prefix
        if last.kind is Kind.END or prefix.first < last.first + last.count:
            raise RecordingError(f"Part {prefix.number} of the recording is out of its place.")


def _join(gaps: list[tuple[int, int]], begin: int, end: int) -> None:
    """Add a gap; one that touches the last is one with it."""
    if end <= begin:
        return
    if gaps and gaps[-1][0] + gaps[-1][1] >= begin:
        gaps[-1] = (gaps[-1][0], max(end, sum(gaps[-1])) - gaps[-1][0])
    else:
        gaps.append((begin, end - begin))
