"""Codec chains that a call's outside leg goes through before it is µ-law: by ffmpeg and sox.

Source: Debian's `ffmpeg` (G.726, GSM, Opus) and `sox` with `libsox-fmt-all` (AMR: 0 is 4.75,
4 is 7.4, 7 is 12.2 kbit/s). They are test tools and run as processes of their own.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.corpus.conversation import Track
from tests.corpus.scripts import ADAPTER, ANALOG, MOBILE, Line


@dataclass(frozen=True)
class PathClass:
    """A class of paths."""

    name: str
    line: Line
    codec: str = ""
    """A key of `FFMPEG` or `amr` with its mode; empty: G.711 alone."""
    loss: float = 0.0
    target_min: float | None = None


PATHS = (
    PathClass("analog, G.711", ANALOG, target_min=0.97),
    PathClass("adapter, G.711", ADAPTER, target_min=0.97),
    PathClass("adapter, G.711, 2 % loss", ADAPTER, loss=0.02),
    PathClass("adapter, G.726-32", ADAPTER, "g726"),
    PathClass("mobile, GSM-FR", MOBILE, "gsm"),
    PathClass("app, Opus 12k", MOBILE, "opus"),
    PathClass("mobile, AMR 12.2", MOBILE, "amr 7", target_min=0.90),
    PathClass("mobile, AMR 7.40", MOBILE, "amr 4", target_min=0.90),
    PathClass("mobile, AMR 4.75, 2 % loss", MOBILE, "amr 0", loss=0.02, target_min=0.80),
)

FFMPEG = {
    "g726": (".wav", ("-c:a", "g726", "-b:a", "32k")),
    "gsm": (".gsm", ("-c:a", "libgsm")),
    "opus": (".ogg", ("-c:a", "libopus", "-b:a", "12k", "-application", "voip")),
}


def check() -> None:
    """Stop with a word on what to install.

    Raises:
        SystemExit: a tool is missing.
    """
    missing = [tool for tool in ("ffmpeg", "sox") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; run deploy/install-anchors as root")


def through(codec: str, tracks: Sequence[Track]) -> list[Track]:
    """The tracks as a codec leaves them, each with its own coder state.

    Raises:
        subprocess.CalledProcessError: the tool cannot do this codec.
    """
    if not codec:
        return list(tracks)
    with tempfile.TemporaryDirectory() as folder:
        return [_one(codec, track, Path(folder)) for track in tracks]


def _one(codec: str, track: Track, folder: Path) -> Track:
    pcm = np.round(np.clip(track, -1, 1) * 32635).astype("<i2").tobytes()
    if codec.startswith("amr"):
        raw = ("-t", "s16", "-r", "8000", "-c", "1")
        coded = folder / "coded.amr-nb"
        _run(("sox", *raw, "-", "-C", codec.split()[1], str(coded)), pcm)
        out = _run(("sox", str(coded), *raw, "-"), b"")
    else:
        ending, options = FFMPEG[codec]
        coded = folder / f"coded{ending}"
        raw = ("-f", "s16le", "-ar", "8000", "-ac", "1")
        quiet = ("ffmpeg", "-v", "error", "-nostdin", "-y", "-threads", "1")
        _run((*quiet, *raw, "-i", "pipe:0", *options, str(coded)), pcm)
        out = _run((*quiet, "-i", str(coded), *raw, "pipe:1"), b"")
    sound = np.frombuffer(out, "<i2").astype(np.float32) / 32635
    made = np.zeros_like(track)
    made[: len(sound)] = sound[: len(made)]
    return made


def _run(command: Sequence[str], given: bytes) -> bytes:
    return subprocess.run(command, input=given, check=True, capture_output=True).stdout
