"""Makes recordings for tests: sealed as the worker seals them, without a worker."""

from functools import cache
from pathlib import Path

import numpy as np

from switch.recording import file_format as ff
from switch.recording.file_format import End, Header, Kind, Sealer
from switch.recording.keys import MasterKey, new_key, seal_beside
from switch.recording.reader import beside_path

MASTER = MasterKey(bytes(range(32)))
KEY = new_key()
BEGAN_AT = 1_790_000_000.0


@cache
def header_of(recording: str = "abc") -> bytes:
    header = Header(
        recording=recording,
        call=0xABC,
        began_at=BEGAN_AT,
        key_id=MASTER.id,
        wrapped_key=MASTER.wrap(KEY, recording),
    )
    return ff.build_header(header)


def code(sample: int, side: int) -> int:
    """What lies at a place: any function that never repeats soon will do."""
    return (sample * 7 + sample // 251 + 101 * side) % 251


def sound_of(first: int, count: int) -> ff.Bytes:
    places = np.arange(first, first + count)
    sides = [(places * 7 + places // 251 + 101 * side) % 251 for side in (0, 1)]
    return np.stack(sides).astype(np.uint8)


def no_gaps() -> tuple[ff.Ints, ff.Ints]:
    return np.zeros((0, 2), np.int32), np.zeros((0, 2), np.int32)


def write(
    path: Path,
    chunks: list[tuple[int, int]],
    *,
    end: int | None = None,
    recording: str = "abc",
    peaks: bytes | None = None,
) -> Path:
    """Write a file of chunks (first, count); with an end if it is closed."""
    header = header_of(recording)
    sealer = Sealer(KEY, header)
    data = [header]
    for number, (first, count) in enumerate(chunks):
        plain = ff.build_chunk(sound_of(first, count), no_gaps())
        data.append(sealer.seal(number, first, count, Kind.SOUND, plain))
    if end is not None:
        plain = ff.build_end(End(samples=end))
        data.append(sealer.seal(len(chunks), end, 0, Kind.END, plain))
    path.write_bytes(b"".join(data))
    if peaks is not None:
        beside_path(path, "peaks").write_bytes(seal_beside(KEY, recording, "peaks", peaks))
    return path
