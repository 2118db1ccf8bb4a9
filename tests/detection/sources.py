"""Voices and music: Debian packages, fetched with apt and unpacked into the build folder.

Source: `asterisk-core-sounds-*-wav`, `asterisk-moh-opsound-wav` (CC-BY-SA-3.0; Russian CC-BY-3.0).
English and Spanish are, judging by their names, one woman; Russian is another. French and Italian
are not touched: they are kept for an independent check.
"""

import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

PACKAGES = {
    "en": "asterisk-core-sounds-en-wav",
    "es": "asterisk-core-sounds-es-wav",
    "ru": "asterisk-core-sounds-ru-wav",
    "music": "asterisk-moh-opsound-wav",
}
FAMILIES = {"fit": ("ru",), "report": ("en", "es")}
"""Split by voice: no voice is in both."""
TRACKS = {"fit": slice(0, 2), "report": slice(2, None)}
"""Split by music track."""


def fetch(build: Path) -> None:
    """Download and unpack what is not there yet.

    Raises:
        subprocess.CalledProcessError: apt has no such package, or no network.
    """
    for package in PACKAGES.values():
        folder = build / "sound" / package
        if folder.is_dir():
            continue
        downloads = build / "download"
        downloads.mkdir(parents=True, exist_ok=True)
        apt = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
        subprocess.run(apt, cwd=downloads, check=True)
        archive = max(downloads.glob(f"{package}_*.deb"))
        unpacked = downloads / package
        unpacked.mkdir(exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", archive, unpacked], check=True)
        folder.parent.mkdir(exist_ok=True)
        unpacked.rename(folder)
        archive.unlink()


def recordings(build: Path, name: str) -> list[Pcm]:
    """Every recording of one package, in the order of its file names."""
    return [read(path) for path in sorted((build / "sound" / PACKAGES[name]).rglob("*.wav"))]


def read(path: Path) -> Pcm:
    """One 8 kHz mono PCM16 file."""
    with wave.open(str(path)) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, 2, 8000):
            raise ValueError(f"{path}: {shape} is not 8 kHz mono PCM16")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def speech(build: Path, family: str) -> Pcm:
    """All prompts of a family's voices, one after the other; pure silence is left out."""
    parts = [one for name in FAMILIES[family] for one in recordings(build, name)]
    return np.concatenate([one for one in parts if np.abs(one).max(initial=0) > 300])


def music(build: Path, family: str) -> Pcm:
    """The family's tracks, one after the other."""
    return np.concatenate(recordings(build, "music")[TRACKS[family]])
