"""Sound files for prompts: any WAV or synthetic voice becomes 8 kHz µ-law at one level.

Sources: ITU-T G.711 (µ-law); ITU-T P.56 says how loud active speech should be measured, and the
level of about -20 dBm0 is that of telephone announcements.
"""

import math
import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dsp.frame import FRAME_SAMPLES, RATE_HZ, dbm0_of_power
from dsp.g711 import encode_ulaw
from switch.errors import UserError

Samples = NDArray[np.float64]

FULL_SCALE: Final = 32768.0
"""Of 16-bit samples."""

SPEECH_DBM0: Final = -20.0
"""Level of active speech. Chosen: telephone speech arrives at about -20; a prompt is no louder."""

ACTIVE_DB: Final = 30.0
"""A 20 ms stretch this far below the loudest is a pause, and counts for no level. Chosen."""

PASS_HZ: Final = 3500.0
STOP_HZ: Final = 3950.0
"""The low-pass falls as a half cosine between these, to nothing. The band of ITU-T G.712 ends at
3400 Hz; above 4000 Hz sound would fold back."""

EDGE_S: Final = 0.02
"""Silence kept before and after the words. Chosen: joins of pieces stay short."""

PAUSES_S: Final = {".": 0.25, "!": 0.25, "?": 0.25, ",": 0.1, ";": 0.1, ":": 0.1}
"""Silence after a piece that ends so. Chosen: as a speaker breathes at these signs."""

QUIET: Final = 200.0
"""Peak below which a synthetic voice is silent, of 32768. Chosen: -44 dB."""


def resample(samples: Samples, rate_hz: int) -> Samples:
    """Bring samples to 8 kHz; what lies above the telephone band is gone.

    Args:
        samples: float64, shape (n,), full scale 32768.
        rate_hz: their rate.

    The whole piece is filtered in one transform, between silences, so that its end does not wrap
    into its beginning.
    """
    if rate_hz == RATE_HZ or not samples.size:
        return samples
    divisor = math.gcd(rate_hz, RATE_HZ)
    up, down = RATE_HZ // divisor, rate_hz // divisor
    guard = rate_hz // 20
    blocks = -(-(samples.size + 2 * guard) // down)
    blocks += blocks % 2
    size_in, size_out = blocks * down, blocks * up
    padded = np.zeros(size_in)
    padded[guard : guard + samples.size] = samples
    spectrum = np.fft.rfft(padded)
    kept = min(spectrum.size, size_out // 2 + 1)
    hz = np.arange(kept) * rate_hz / size_in
    fall = np.clip((hz - PASS_HZ) / (STOP_HZ - PASS_HZ), 0.0, 1.0)
    narrow = np.zeros(size_out // 2 + 1, np.complex128)
    narrow[:kept] = spectrum[:kept] * 0.5 * (1 + np.cos(np.pi * fall))
    whole = np.fft.irfft(narrow, size_out) * (size_out / size_in)
    first = round(guard * RATE_HZ / rate_hz)
    return whole[first : first + -(-samples.size * up // down)]


def level_dbm0(samples: Samples) -> float:
    """Return the level of the active stretches of 8 kHz speech."""
    count = samples.size // FRAME_SAMPLES
    if not count:
        return -math.inf
    power = np.mean(samples[: count * FRAME_SAMPLES].reshape(count, -1) ** 2, axis=1)
    peak = float(power.max())
    if peak <= 0:
        return -math.inf
    active = power[power >= peak * 10 ** (-ACTIVE_DB / 10)]
    return dbm0_of_power(float(active.mean()) / FULL_SCALE**2)


def trim(samples: Samples, rate_hz: int) -> Samples:
    """Cut the silence before and after the words."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    if not loud.size:
        return samples
    edge = int(EDGE_S * rate_hz)
    return samples[max(0, loud[0] - edge) : loud[-1] + edge + 1]


def pause_after(text: str, rate_hz: int) -> Samples:
    """Return the silence that belongs after a text; a text of nothing is a whole pause."""
    seconds = PAUSES_S.get(text[-1:] or ".", 0.0)
    return np.zeros(int(seconds * rate_hz))


def to_ulaw(samples: Samples, rate_hz: int, *, level: float | None = SPEECH_DBM0) -> bytes:
    """Make a prompt file of speech.

    Args:
        samples: float64, shape (n,), full scale 32768.
        rate_hz: their rate.
        level: dBm0 of its speech; None leaves it as it is.
    """
    narrow = resample(samples, rate_hz)
    if level is not None:
        present = level_dbm0(narrow)
        if math.isfinite(present):
            narrow = narrow * 10 ** ((level - present) / 20)
    whole = np.clip(np.rint(narrow), -32768, 32767).astype(np.int16)
    return encode_ulaw(whole).tobytes()


def wav_to_ulaw(path: Path) -> bytes:
    """Read a facility's own recording; several channels are mixed, the level is kept.

    Raises:
        UserError: it is no PCM WAV of 8 or 16 bits; says which file.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise UserError(f"{path}: not a PCM WAV file: {error}") from error
    if width not in {1, 2}:
        raise UserError(f"{path}: {8 * width} bits per sample; 8 or 16 are read")
    if width == 1:
        samples = (np.frombuffer(raw, np.uint8).astype(np.float64) - 128) * 256
    else:
        samples = np.frombuffer(raw, "<i2").astype(np.float64)
    mono = samples.reshape(-1, channels).mean(axis=1)
    return to_ulaw(mono, rate_hz, level=None)
