"""The digit receivers that others use, on the same sound: libspandsp and multimon-ng.

Both are Debian packages, called and never linked: libspandsp through ctypes (LGPL-2.1),
multimon-ng (GPL-2) as a program that reads raw sound.
"""

import ctypes
import ctypes.util
import re
import shutil
import subprocess

import numpy as np

from dsp.g711 import ULAW_TO_LINEAR14
from tests.detection.legs import Frames
from tests.detection.sources import Pcm
from tests.detection.tape import respeed

DIGITS_MAX = 128
MULTIMON_RATE_HZ = 22050


def check() -> None:
    """Fail before the work is done, not after.

    Raises:
        SystemExit: an anchor is not installed.
    """
    missing = [] if ctypes.util.find_library("spandsp") else ["libspandsp2"]
    missing += [] if shutil.which("multimon-ng") else ["multimon-ng"]
    if missing:
        raise SystemExit(f"missing: apt-get install {' '.join(missing)}")


def linear(frames: Frames) -> Pcm:
    """The 16-bit samples of µ-law frames."""
    return (ULAW_TO_LINEAR14[frames.reshape(-1)] * 4).astype(np.int16)


class Spandsp:
    """One digit receiver of libspandsp, with its own defaults."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("spandsp")
        if name is None:
            raise FileNotFoundError("libspandsp is missing: apt-get install libspandsp2")
        self._library = ctypes.CDLL(name)
        self._library.dtmf_rx_init.restype = ctypes.c_void_p
        self._library.dtmf_rx_init.argtypes = [ctypes.c_void_p] * 3
        self._library.dtmf_rx.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        self._library.dtmf_rx_get.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        self._library.dtmf_rx_get.restype = ctypes.c_size_t
        self._library.dtmf_rx_free.argtypes = [ctypes.c_void_p]
        self._receiver = self._library.dtmf_rx_init(None, None, None)

    def take(self, sound: Pcm) -> str:
        """The digits that have ended or begun in this sound."""
        keys = ""
        buffer = ctypes.create_string_buffer(DIGITS_MAX + 1)
        for first in range(0, len(sound), 80000):
            part = np.ascontiguousarray(sound[first : first + 80000])
            self._library.dtmf_rx(self._receiver, part.ctypes.data, len(part))
            while self._library.dtmf_rx_get(self._receiver, buffer, DIGITS_MAX):
                keys += buffer.value.decode()
        return keys

    def close(self) -> None:
        """Give the receiver back."""
        self._library.dtmf_rx_free(self._receiver)


def spandsp(sound: Pcm) -> str:
    """All digits that libspandsp hears in a sound."""
    receiver = Spandsp()
    keys = receiver.take(sound)
    receiver.close()
    return keys


def multimon(sound: Pcm) -> str:
    """All digits that multimon-ng hears in a sound; '' where it is not installed.

    Raises:
        FileNotFoundError: it is not installed.
    """
    program = shutil.which("multimon-ng")
    if program is None:
        raise FileNotFoundError("multimon-ng is missing: apt-get install multimon-ng")
    faster = respeed(sound, 8000 / MULTIMON_RATE_HZ)
    run = subprocess.run(
        [program, "-q", "-t", "raw", "-a", "DTMF", "-"],
        input=faster.tobytes(),
        capture_output=True,
        check=True,
    )
    return "".join(re.findall(r"DTMF: (\S)", run.stdout.decode()))
