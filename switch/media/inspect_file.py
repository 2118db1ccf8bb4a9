"""`kinline inspect FILE.wav`: run the detectors over a recorded call, print events as JSON lines.

Left is the terminal's leg, right the outside leg; 8 kHz, PCM16, µ-law or A-law. Source of the
format: RIFF WAVE, Microsoft/IBM 1991; format tags 1, 6 and 7 (RFC 2361). Anything else is refused
by its name.
"""

import json
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

import msgspec
import numpy as np

from dsp.event import Event, Kind
from dsp.frame import RATE_HZ, ByteArray
from dsp.g711 import ALAW_TO_ULAW, encode_ulaw
from dsp.inspect import TALKING_FROM_THE_START, TimedNote, inspect
from dsp.leg import Note, NoteKind, Role
from switch.media.inspect_plot import plot

PCM, ALAW, ULAW, EXTENSIBLE = 1, 6, 7, 0xFFFE
FORMAT_NAMES: Final = {
    2: "ADPCM", 3: "floating point", 17: "IMA ADPCM", 49: "GSM", 85: "MP3", 0x704F: "Opus",
}  # fmt: skip
"""Names of format tags that are refused. RFC 2361."""

FILE_BYTES_MAX: Final = 1 << 30
"""Four hours of stereo PCM16 are 460 MB. Chosen."""


class NotInspectable(ValueError):  # noqa: N818 - a refusal with a reason, not a fault of ours
    """The file is not a call that can be inspected; the text says why."""


class SidecarNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One note of a sidecar."""

    t_s: float
    leg: Role
    note: NoteKind
    form: str = ""
    value: str = ""
    frames: int = 0
    level_dbov: int = 0
    ms: int = 0


class Sidecar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What signalling saw, beside a recording."""

    version: int
    notes: tuple[SidecarNote, ...] = ()
    kinds_off: frozenset[Kind] = frozenset()

    def timed_notes(self) -> tuple[TimedNote, ...]:
        """The notes as the detectors take them."""
        return tuple(
            TimedNote(n.t_s, n.leg, Note(n.note, n.form, n.value, n.frames, n.level_dbov, n.ms))
            for n in self.notes
        )


def read_sidecar(data: bytes) -> Sidecar:
    """Parse a sidecar; a fault is named with its place."""
    try:
        sidecar = msgspec.json.decode(data, type=Sidecar)
    except msgspec.MsgspecError as error:
        raise NotInspectable(f"sidecar: {error}") from error
    if sidecar.version != 1:
        raise NotInspectable(f"sidecar: version {sidecar.version} is not known")
    return sidecar


def read_wave(data: bytes) -> tuple[ByteArray, ByteArray]:
    """Both legs of a stereo WAVE file as µ-law codes."""
    if data[:4] == b"OggS":
        raise NotInspectable("Ogg (Opus) is not read yet; decode it to WAVE at 8 kHz")
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NotInspectable("not a RIFF WAVE file")
    chunks = dict(_chunks(data))
    if b"fmt " not in chunks or len(chunks[b"fmt "]) < 16:
        raise NotInspectable("no format chunk")
    if b"data" not in chunks:
        raise NotInspectable("no data chunk")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if tag == EXTENSIBLE and len(chunks[b"fmt "]) >= 26:
        (tag,) = struct.unpack_from("<H", chunks[b"fmt "], 24)
    if channels != 2:
        raise NotInspectable(f"{channels} channel(s); two are needed: terminal left, outside right")
    if rate != RATE_HZ:
        raise NotInspectable(f"{rate} Hz; 8000 Hz is needed")
    codes = _codes(chunks[b"data"], tag, bits)
    pairs = codes[: len(codes) // 2 * 2].reshape(-1, 2)
    return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _codes(samples: bytes, tag: int, bits: int) -> ByteArray:
    """Samples of any format that is read, as µ-law, so that the live path runs."""
    if tag == PCM and bits == 16:
        return encode_ulaw(np.frombuffer(samples[: len(samples) // 2 * 2], "<i2"))
    if tag == ULAW and bits == 8:
        return np.frombuffer(samples, np.uint8)
    if tag == ALAW and bits == 8:
        codes: ByteArray = ALAW_TO_ULAW[np.frombuffer(samples, np.uint8)]
        return codes
    name = FORMAT_NAMES.get(tag, "PCM" if tag == PCM else f"format tag {tag}")
    raise NotInspectable(f"{name} of {bits} bit is not read; PCM16, µ-law or A-law is")


def to_json(event: Event) -> str:
    """One line; the leg is `a` or `b`."""
    line = event.to_json_dict()
    line["leg"] = "b" if event.leg else "a"
    return json.dumps(line, ensure_ascii=False)


def inspect_file(
    wave: Path, sidecar: Path | None, tell: Callable[[str], None], picture: Path | None = None
) -> list[Event]:
    """Events of a recorded call, by time.

    Args:
        wave: the recording.
        sidecar: what signalling saw, or None: the call counts as talking from 0, without loss.
        tell: takes a remark for the operator.
        picture: where to draw the call, if anywhere.

    Raises:
        NotInspectable: the file or the sidecar cannot be read, and why.
        OSError: the world failed.
    """
    if wave.stat().st_size > FILE_BYTES_MAX:
        raise NotInspectable(f"larger than {FILE_BYTES_MAX >> 20} MiB")
    a, b = read_wave(wave.read_bytes())
    if sidecar is None:
        tell("no sidecar: the call counts as talking from 0 s, without loss")
        events = inspect(a, b, TALKING_FROM_THE_START)
    else:
        told = read_sidecar(sidecar.read_bytes())
        events = inspect(a, b, told.timed_notes(), kinds=frozenset(Kind) - told.kinds_off)
    if picture is not None:
        picture.write_bytes(plot(a, b, events))
    return events


def main(arguments: Sequence[str], out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> int:
    """`FILE.wav [--sidecar FILE.json] [--plot FILE.png] [--json]`; returns the exit code."""
    words = [word for word in arguments if word != "--json"]
    sidecar, picture = _taken(words, "--sidecar"), _taken(words, "--plot")
    if len(words) != 1 or words[0].startswith("-"):
        err.write("usage: inspect FILE.wav [--sidecar FILE.json] [--plot FILE.png] [--json]\n")
        return 2
    try:
        events = inspect_file(Path(words[0]), sidecar, lambda text: print(text, file=err), picture)
    except (NotInspectable, OSError) as error:
        err.write(f"{words[0]}: {error}\n")
        return 1
    out.writelines(to_json(event) + "\n" for event in events)
    return 0


def _taken(words: list[str], option: str) -> Path | None:
    """Take an option and its file out of the words."""
    if option not in words[:-1]:
        return None
    at = words.index(option)
    file = Path(words[at + 1])
    del words[at : at + 2]
    return file


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
