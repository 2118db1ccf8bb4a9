r"""A recording on the disk: a header in the clear, then sealed chunks of a second.

    "KINREC1\n"  length u32  header (JSON)           who, when, the wrapped key
    prefix       sealed chunk                         sound of one second, both channels
    ...
    prefix       sealed end                           how many samples there are, and why it ended

All numbers are little-endian. A chunk is sealed by AES-256-GCM (NIST SP 800-38D) under the file's
own key, with a random nonce; what is not secret about it (its place, its time, the header) is
sealed with it, so a chunk that was changed, moved, or carried over from another file is refused. A
file without an end was cut: what is before the cut can still be played. Nothing lies on the disk in
the clear at any moment.

A chunk holds the gaps of each channel (where nobody sent anything) and the sound of both: 8 kHz
u-law, left the terminal, right the outside. Within a gap the sound is silence, but the gap says
that it is not.
"""

import hashlib
import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import msgspec
import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from switch.errors import KinlineError

MAGIC: Final = b"KINREC1\n"

RATE_HZ: Final = 8000
CHANNELS: Final = ("terminal", "outside")

CHUNK_SAMPLES: Final = 8000
"""A second. Chosen: what a dead machine may lose, and what playing from the middle must open."""

GAPS_MAX: Final = 501
"""Gaps of one channel in one chunk: every second millisecond."""

HEADER_BYTES_MAX: Final = 65_536
"""Chosen: a header is half a kilobyte; a longer one is no header."""

NONCE_BYTES: Final = 12
"""NIST SP 800-38D section 8.2.2. Random: a file has some thousand chunks, far below 2^32."""

TAG_BYTES: Final = 16
SEALED_BYTES_MAX: Final = 65_536
"""Chosen: a chunk of a second with all gaps is 24 kB."""

SILENCE: Final = 0xFF
"""No sound, u-law. ITU-T G.711 table 2b."""

_LENGTH: Final = struct.Struct("<I")
_PREFIX: Final = struct.Struct(f"<IIQIB3x{NONCE_BYTES}s")
_GAPS: Final = struct.Struct("<HH")

PREFIX_BYTES: Final = _PREFIX.size

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]


class RecordingError(KinlineError):
    """A file is not a recording of ours, or not the one that was written."""


class Kind(IntEnum):
    """What a sealed part is."""

    SOUND = 0
    END = 1


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in the clear. No number, no name: who talked is in the store."""

    recording: str
    call: int
    began_at: float
    """Wall seconds of the bridge."""
    key_id: str
    """Which master key wrapped the file's key."""
    wrapped_key: bytes
    rate_hz: int = RATE_HZ
    law: str = "PCMU"
    channels: tuple[str, ...] = CHANNELS
    chunk_samples: int = CHUNK_SAMPLES


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The last part of a file."""

    samples: int
    because: str = ""
    """'' the bridge ended; else why the recording ended before it."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands in the clear before each sealed part."""

    size: int
    """Bytes of the sealed part, its tag included."""
    number: int
    first: int
    """Its first sample, counted from the bridge."""
    count: int
    kind: Kind
    nonce: bytes

    def as_bytes(self) -> bytes:
        """Write it."""
        return _PREFIX.pack(self.size, self.number, self.first, self.count, self.kind, self.nonce)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The sound of a second."""

    first: int
    sound: Bytes
    """[2, count]"""
    gaps: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
    """Of each channel: (first sample, length), counted from the bridge."""


def build_header(header: Header) -> bytes:
    """Return the bytes that a file begins with."""
    body = msgspec.json.encode(header)
    return MAGIC + _LENGTH.pack(len(body)) + body


def parse_header(data: bytes) -> tuple[Header, bytes]:
    """Read the beginning of a file; return the header and its bytes.

    Raises:
        RecordingError: it is not the beginning of a recording.
    """
    start = len(MAGIC) + _LENGTH.size
    if len(data) < start or not data.startswith(MAGIC):
        raise RecordingError("This is not a recording of Kinline.")
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    if length > HEADER_BYTES_MAX or len(data) < start + length:
        raise RecordingError("The header of the recording is cut.")
    try:
        header = msgspec.json.decode(data[start : start + length], type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"The header of the recording is broken: {error}") from error
    return header, data[: start + length]


def parse_prefix(data: bytes) -> Prefix | None:
    """Read what stands before a sealed part; None: it is cut.

    Raises:
        RecordingError: nothing of ours looks so.
    """
    if len(data) < PREFIX_BYTES:
        return None
    size, number, first, count, kind, nonce = _PREFIX.unpack_from(data)
    if not TAG_BYTES <= size <= SEALED_BYTES_MAX or count > CHUNK_SAMPLES or kind > max(Kind):
        raise RecordingError(f"Part {number} of the recording has an impossible length.")
    prefix = Prefix(size, number, first, count, Kind(kind), nonce)
    if prefix.as_bytes() != data[:PREFIX_BYTES]:
        raise RecordingError(f"Part {number} of the recording has something where nothing stands.")
    return prefix


class Sealer:
    """Seals and opens the parts of one file.

    Args:
        key: the file's own key, 32 bytes.
        header: the bytes of the file's header; every part is bound to them.
    """

    def __init__(self, key: bytes, header: bytes) -> None:
        self._cipher = AESGCM(key)
        self._bound = hashlib.sha256(header).digest()

    def seal(self, number: int, first: int, count: int, kind: Kind, plain: bytes) -> bytes:
        """Return prefix and sealed part."""
        nonce = os.urandom(NONCE_BYTES)
        prefix = Prefix(len(plain) + TAG_BYTES, number, first, count, kind, nonce).as_bytes()
        return prefix + self._cipher.encrypt(nonce, plain, self._bound + prefix)

    def open(self, prefix: Prefix, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            RecordingError: it was changed, or the key is another file's.
        """
        try:
            return self._cipher.decrypt(prefix.nonce, sealed, self._bound + prefix.as_bytes())
        except InvalidTag as error:
            raise RecordingError(
                f"Part {prefix.number} of the recording is not what was written."
            ) from error


def build_chunk(sound: Bytes, gaps: tuple[Ints, Ints]) -> bytes:
    """Return the plain bytes of a chunk.

    Args:
        sound: [2, count] u-law.
        gaps: of each channel, int32 pairs: first sample within the chunk, length.
    """
    left, right = (gap.tobytes() for gap in gaps)
    counts = _GAPS.pack(len(left) // 8, len(right) // 8)
    return b"".join((counts, left, right, sound[0].tobytes(), sound[1].tobytes()))


def parse_chunk(prefix: Prefix, plain: bytes) -> Chunk:
    """Read the plain bytes of a chunk.

    Raises:
        RecordingError: the lengths in it do not fit.
    """
    left, right = _GAPS.unpack_from(plain) if len(plain) >= _GAPS.size else (0, 0)
    sound_at = _GAPS.size + 8 * (left + right)
    if len(plain) != sound_at + 2 * prefix.count:
        raise RecordingError(f"Part {prefix.number} of the recording has the wrong length.")
    pairs = np.frombuffer(plain, np.dtype("<i4"), 2 * (left + right), _GAPS.size).reshape(-1, 2)
    places = [(prefix.first + int(at), int(length)) for at, length in pairs]
    sound = np.frombuffer(plain, np.uint8, offset=sound_at).reshape(2, prefix.count)
    return Chunk(prefix.first, sound, (tuple(places[:left]), tuple(places[left:])))


def build_end(end: End) -> bytes:
    """Return the plain bytes of the end."""
    return msgspec.json.encode(end)


def parse_end(plain: bytes) -> End:
    """Read the plain bytes of the end.

    Raises:
        RecordingError: they are not one.
    """
    try:
        return msgspec.json.decode(plain, type=End)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"The end of the recording is broken: {error}") from error
