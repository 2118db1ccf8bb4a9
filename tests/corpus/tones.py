"""Seeded telephone tones: digits, call progress, SIT, TTY."""

import numpy as np

from tests.corpus.voices import RATE_HZ, Sound, silence

ROWS_HZ = (697.0, 770.0, 852.0, 941.0)
COLUMNS_HZ = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS = "123A456B789C*0#D"


def amplitude(level_dbm0: float) -> float:
    """Of a sine."""
    return float(10 ** ((level_dbm0 - 3.17) / 20))


def tones(
    frequencies_hz: tuple[float, ...], seconds: float, level_dbm0: float = -16.0, phase: float = 0.3
) -> Sound:
    """A sum of sines, each at the level."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    waves = [np.sin(2 * np.pi * f * t + phase * k) for k, f in enumerate(frequencies_hz)]
    return np.asarray(amplitude(level_dbm0) * np.sum(waves, axis=0))


def digit(
    key: str,
    seconds: float = 0.05,
    *,
    level_dbm0: float = -13.0,
    twist_db: float = 0.0,
    deviation: float = 0.0,
) -> Sound:
    """One key; twist is high minus low, and lowers the weaker one."""
    k = KEYS.index(key)
    low = level_dbm0 - max(twist_db, 0.0)
    high = level_dbm0 + min(twist_db, 0.0)
    return tones((ROWS_HZ[k // 4] * (1 + deviation),), seconds, low) + tones(
        (COLUMNS_HZ[k % 4] * (1 + deviation),), seconds, high, 1.0
    )


def digits(keys: str, on_s: float = 0.05, off_s: float = 0.05, **kwargs: float) -> Sound:
    """Keys one after the other, with a pause before and after each."""
    parts = [silence(off_s)]
    for key in keys:
        parts += [digit(key, on_s, **kwargs), silence(off_s)]
    return np.concatenate(parts)


def dial_tone(seconds: float, level_dbm0: float = -16.0) -> Sound:
    """350+440 Hz."""
    return tones((350.0, 440.0), seconds, level_dbm0)


def ringback(seconds: float = 2.0, level_dbm0: float = -22.0) -> Sound:
    """One period of 440+480 Hz."""
    return tones((440.0, 480.0), seconds, level_dbm0)


def busy(cycles: int, on_s: float = 0.5, off_s: float = 0.5, level_dbm0: float = -27.0) -> Sound:
    """480+620 Hz in a cadence; 0.25/0.25 s is reorder."""
    one = [tones((480.0, 620.0), on_s, level_dbm0), silence(off_s)]
    return np.concatenate(one * cycles)


def sit(lengths: str, pitches: str, level_dbm0: float = -24.0) -> Sound:
    """Special information tone: `SSL` and `LLL` is intercept."""
    low, high = (913.8, 1370.6, 1776.7), (985.2, 1428.5, 1776.7)
    parts = []
    for k in range(3):
        hz = high[k] if pitches[k] == "H" else low[k]
        parts += [tones((hz,), 0.38 if lengths[k] == "L" else 0.274, level_dbm0), silence(0.003)]
    return np.concatenate(parts)


def tty(seconds: float, rng: np.random.Generator, level_dbm0: float = -16.0) -> Sound:
    """Random bits of 22 ms at 1400 and 1800 Hz, phase continuous."""
    bits = rng.integers(0, 2, int(seconds / 0.022) + 1)
    hz = np.repeat(np.where(bits == 1, 1400.0, 1800.0), 176)[: int(seconds * RATE_HZ)]
    return np.asarray(amplitude(level_dbm0) * np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ))
