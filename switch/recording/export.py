"""Gives a recording out: WAV or Opus, and a signed manifest that says what was given to whom.

Nothing is written in the clear but the files that were asked for. Opus comes from a program that
is there (ffmpeg with libopus, or opusenc), fed through a pipe.
"""

import hashlib
import json
import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from switch.errors import UserError
from switch.recording.file_format import CHANNELS, RATE_HZ, Bytes
from switch.recording.reader import Gaps, Sound, file_hash, seconds

SCHEMA: Final = "kinline.recording-export/1"

OPUS_BIT_S: Final = 48_000
"""Both channels. Chosen: speech of 8 kHz loses nothing that can be heard."""

ENCODE_S_MAX: Final = 300.0
"""How long an encoder may take. Chosen: 99 minutes take a few seconds."""

PLAYERS: Final = (
    ("ffplay", "-v", "error", "-nodisp", "-autoexit"),
    ("aplay", "-q"),
    ("paplay",),
    ("pw-play",),
    ("play", "-q"),
)
"""Programs that play a WAV file, the best first."""

_RIFF: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


@dataclass(frozen=True, slots=True)
class Given:
    """One file that was given out."""

    path: Path
    sha256: str


def linear_of(codes: Bytes) -> "np.ndarray[Any, np.dtype[np.int16]]":
    """Turn u-law into 16-bit samples. ITU-T G.711 table 2b."""
    return _LINEAR[codes]


def _table() -> "np.ndarray[Any, np.dtype[np.int16]]":
    """The 16-bit value of each code: G.711's 14-bit value times four."""
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = code >> 4 & 7, code & 15
    magnitude = (((2 * mantissa + 33) << exponent) - 33) * 4
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_LINEAR: Final = _table()


def wave_bytes(sound: Sound) -> bytes:
    """Return a WAV file: stereo, 16 bit, 8 kHz, left the terminal. A gap is silence there."""
    frames = np.ascontiguousarray(linear_of(sound.samples).T).astype("<i2").tobytes()
    channels, width = len(CHANNELS), 2
    head = _RIFF.pack(
        b"RIFF", 36 + len(frames), b"WAVE", b"fmt ", 16, 1, channels, RATE_HZ,
        RATE_HZ * channels * width, channels * width, 8 * width, b"data", len(frames),
    )  # fmt: skip
    return head + frames


def opus_program() -> list[str] | None:
    """Return the command that turns a WAV file on its input into Opus on its output."""
    if shutil.which("ffmpeg"):
        return [
            *("ffmpeg", "-v", "error", "-f", "wav", "-i", "pipe:0"),
            *("-c:a", "libopus", "-b:a", str(OPUS_BIT_S), "-f", "ogg", "pipe:1"),
        ]
    if shutil.which("opusenc"):
        return ["opusenc", "--quiet", "--bitrate", str(OPUS_BIT_S // 1000), "-", "-"]
    return None


def opus_bytes(wave: bytes) -> bytes:
    """Turn a WAV file into Opus in Ogg. RFC 7845.

    Raises:
        UserError: no program is there that can, or it failed.
    """
    program = opus_program()
    if program is None:
        raise UserError(
            "Opus needs the program ffmpeg (with libopus) or opusenc (opus-tools), and neither is"
            " here. Install one of them, or export as WAV."
        )
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            program, input=wave, capture_output=True, timeout=ENCODE_S_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{program[0]} failed: {error}") from error
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise UserError(f"{program[0]} could not make Opus: {said or done.returncode}")
    return done.stdout


def player() -> tuple[str, ...] | None:
    """Return the command that plays a WAV file, or None."""
    return next((words for words in PLAYERS if shutil.which(words[0])), None)


def give(path: Path, data: bytes) -> Given:
    """Write one file for the outside; never over one that is there.

    Raises:
        UserError: it is there already, or cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise UserError(f"{path} is there already. Choose another folder.") from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    return Given(path, hashlib.sha256(data).hexdigest())


def gaps_in_seconds(gaps: tuple[Gaps, Gaps]) -> dict[str, list[list[float]]]:
    """Say where nothing was sent: (begin, length) in seconds since the bridge."""
    return {
        name: [[seconds(at), seconds(length)] for at, length in side]
        for name, side in zip(CHANNELS, gaps, strict=True)
    }


def manifest(facts: dict[str, Any], files: Sequence[Given], key: Ed25519PrivateKey) -> bytes:
    """Say what was given out, by hash, and sign it.

    Args:
        facts: about the recording, and who wanted it why.
        files: what was written.
        key: signs.
    """
    body: dict[str, Any] = {"schema": SCHEMA} | facts
    body["files"] = [
        {"name": one.path.name, "bytes": one.path.stat().st_size, "sha256": one.sha256}
        for one in files
    ]
    public = key.public_key().public_bytes_raw()
    body["signature"] = {
        "algorithm": "ed25519",
        "public_key": public.hex(),
        "value": key.sign(_signed(body)).hex(),
    }
    return json.dumps(body, indent=2, sort_keys=True).encode() + b"\n"


def check_manifest(path: Path) -> list[str]:
    """Say what is wrong with an export: its signature, its files. Nothing: it is what was given.

    Raises:
        UserError: it is no manifest.
    """
    try:
        body = json.loads(path.read_bytes())
        signature = body["signature"]
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature["public_key"]))
        value = bytes.fromhex(signature["value"])
        files = [(str(one["name"]), str(one["sha256"])) for one in body["files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no manifest of an export: {error}") from error
    faults = []
    try:
        public.verify(value, _signed(body))
    except InvalidSignature:
        faults.append("the manifest is not what was signed")
    for name, wanted in files:
        there = path.parent / Path(name).name
        if not there.is_file():
            faults.append(f"{name} is missing")
        elif file_hash(there) != wanted:
            faults.append(f"{name} is not what was exported")
    return faults


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Read the key that signs exports, made at first use. RFC 8032."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def _signed(body: dict[str, Any]) -> bytes:
    """The bytes that are signed: everything but the signature, in one order."""
    bare = {name: value for name, value in body.items() if name != "signature"}
    return json.dumps(bare, sort_keys=True, separators=(",", ":")).encode()
