"""Sounds that lab telephones make: tones, keys, voices. µ-law, 8 kHz, in frames of 20 ms.

Source: ITU-T G.711 (µ-law), ITU-T Q.23 (keys), ITU-T E.180 (North American tones).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 8000
FRAME_SAMPLES: Final = 160
SILENCE: Final = b"\xff" * FRAME_SAMPLES
"""A frame of digital silence. ITU-T G.711."""

ROWS_HZ: Final = (697, 770, 852, 941)
COLUMNS_HZ: Final = (1209, 1336, 1477, 1633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
"""The keypad. ITU-T Q.23."""

RINGBACK_HZ: Final = (440, 480)
DIAL_HZ: Final = (350, 440)
BUSY_HZ: Final = (480, 620)

Sound = npt.NDArray[np.float64]


def encode(samples: Sound) -> bytes:
    """Turn samples (±1.0 is full scale) into µ-law. ITU-T G.711 section 2, table 2a."""
    linear = np.clip(np.round(samples * 32635.0), -32635, 32635).astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    biased = np.abs(linear) + 132
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    out: npt.NDArray[np.int32] = 0xFF ^ (sign | (exponent << 4) | mantissa)
    return out.astype(np.uint8).tobytes()


def decode(ulaw: bytes) -> Sound:
    """Turn µ-law into samples of ±1.0. ITU-T G.711 section 2, table 2a."""
    code = ~np.frombuffer(ulaw, np.uint8)
    exponent = (code >> 4) & 7
    size = ((((code & 0x0F).astype(np.int32) << 3) + 132) << exponent) - 132
    return np.where(code & 0x80, -size, size) / 32768.0


def tone(frequencies_hz: Iterable[float], seconds: float, level: float = 0.1) -> Sound:
    """Add sines, each with amplitude `level`."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(sum(level * np.sin(2 * np.pi * f * at) for f in frequencies_hz))


def silence(seconds: float) -> Sound:
    """Return nothing for a while."""
    return np.zeros(round(seconds * RATE_HZ))


def key(name: str, seconds: float = 0.1, level: float = 0.15) -> Sound:
    """Return the two tones of a key."""
    row = next(i for i, keys in enumerate(KEYS) if name in keys)
    column = KEYS[row].index(name)
    return tone((ROWS_HZ[row], COLUMNS_HZ[column]), seconds, level)


def keys(names: str, *, on_s: float = 0.1, off_s: float = 0.08) -> Sound:
    """Return keys one after the other."""
    return np.concatenate([part for n in names for part in (key(n, on_s), silence(off_s))])


def hiss(seconds: float, *, level: float = 0.002, seed: int = 1) -> Sound:
    """Return the noise of a room."""
    noise: Sound = np.random.default_rng(seed).normal(0.0, level, round(seconds * RATE_HZ))
    return noise


def voice(path: Path, *, speed: float = 1.0, level: float = 1.0) -> Sound:
    """Return a prompt file as somebody's voice; `speed` moves its pitch too."""
    samples = decode(path.read_bytes())
    wanted = np.arange(0, len(samples) - 1, speed)
    said: Sound = np.interp(wanted, np.arange(len(samples)), samples) * level
    return said


def frames(sound: Sound | bytes) -> Iterator[bytes]:
    """Cut a sound into frames; the last one is filled with silence."""
    ulaw = sound if isinstance(sound, bytes) else encode(sound)
    for start in range(0, len(ulaw), FRAME_SAMPLES):
        yield ulaw[start : start + FRAME_SAMPLES].ljust(FRAME_SAMPLES, b"\xff")


def power_at(sound: Sound, frequency_hz: float) -> float:
    """Return the share of a sound's power that is within a hertz or so of a frequency, 0 to 1."""
    if len(sound) == 0:
        return 0.0
    at = np.arange(len(sound)) / RATE_HZ
    total = float(np.sum(sound**2)) or 1.0
    part = abs(np.sum(sound * np.exp(-2j * np.pi * frequency_hz * at))) ** 2
    return float(2 * part / len(sound) / total)
