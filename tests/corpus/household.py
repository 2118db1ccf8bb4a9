"""What happens at home during an honest call, and must not be taken for a third party.

Source: what providers tell families to avoid (call waiting, cordless sets, speaker, headset,
Bluetooth, long silence, weak signal) and what kitchens sound like. All of it is synthetic; levels
and rhythms are chosen. A class is a function (track of the far room, generator) that adds itself.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from tests.corpus import tones
from tests.corpus.conversation import Track
from tests.corpus.scripts import click, paste
from tests.corpus.voices import RATE_HZ, rms_of_dbm0

Disturb = Callable[[Track, np.random.Generator], None]
"""Changes the track in place."""


def level(dbm0: float) -> float:
    """Rms of a level."""
    return rms_of_dbm0(dbm0)


def burst(rng: np.random.Generator, seconds: float, decay_s: float, pole: float) -> Track:
    """Noise that rings off; `pole` towards 1 is dull."""
    size = int(seconds * RATE_HZ)
    noise = np.convolve(rng.standard_normal(size), pole ** np.arange(40))[:size]
    return np.asarray(noise / np.std(noise) * np.exp(-np.arange(size) / (decay_s * RATE_HZ)), "f4")


def tone(hz: float, seconds: float, dbm0: float) -> Track:
    """A sine with soft edges."""
    made = tones.tones((hz,), seconds, dbm0)
    edge = np.minimum(np.arange(len(made)), np.arange(len(made))[::-1]) / (0.005 * RATE_HZ)
    return np.asarray(made * np.clip(edge, 0, 1), np.float32)


def times(track: Track, rng: np.random.Generator, per_minute: float) -> list[float]:
    """Poisson moments."""
    seconds = len(track) / RATE_HZ
    return sorted(rng.uniform(0, seconds, rng.poisson(per_minute * seconds / 60)))


def repeated(
    per_minute: float, make: Callable[[np.random.Generator], Track], dbm0: tuple[float, float]
) -> Disturb:
    """A class whose sound comes at random moments; `make` gives it at an rms of about one."""

    def disturb(track: Track, rng: np.random.Generator) -> None:
        for at_s in times(track, rng, per_minute):
            paste(track, at_s, make(rng) * np.float32(level(rng.uniform(*dbm0))))

    return disturb


def lasting(pole: float, dbm0: tuple[float, float], wobble_hz: float) -> Disturb:
    """Steady noise that is switched on and off: vacuum, fan, shower."""

    def disturb(track: Track, rng: np.random.Generator) -> None:
        at = 0.0
        while at < len(track) / RATE_HZ:
            at += rng.uniform(15, 60)
            seconds = rng.uniform(5, 40)
            size = int(seconds * RATE_HZ)
            noise = np.convolve(rng.standard_normal(size), pole ** np.arange(40))[:size]
            beat = 1 + 0.3 * np.sin(2 * np.pi * wobble_hz / RATE_HZ * np.arange(size))
            edge = np.minimum(np.arange(size), np.arange(size)[::-1]) / (0.5 * RATE_HZ)
            noise *= beat * np.clip(edge, 0, 1) * level(rng.uniform(*dbm0)) / np.std(noise)
            paste(track, at, noise.astype(np.float32))
            at += seconds

    return disturb


def beeps(hz: tuple[float, ...], on_s: float, off_s: float, count: int, gap_s: float) -> Disturb:
    """A rhythm of pure tones: microwave, smoke alarm, a toy's chime, a telephone nearby."""

    def disturb(track: Track, rng: np.random.Generator) -> None:
        at, seconds = rng.uniform(3, gap_s + 3), len(track) / RATE_HZ
        dbm0 = rng.uniform(-34, -18)
        while at < seconds:
            for k in range(count):
                paste(track, at, tone(hz[k % len(hz)], on_s, dbm0))
                at += on_s + off_s
            at += gap_s * rng.uniform(0.5, 1.5)

    return disturb


def chord_toy(track: Track, rng: np.random.Generator) -> None:
    """A toy whose chords lie near to keys, some exactly on them."""
    for at_s in times(track, rng, 6):
        row, column = rng.choice(tones.ROWS_HZ), rng.choice(tones.COLUMNS_HZ)
        off = rng.choice([0.0, 0.02, 0.03, 0.05]) * rng.choice([-1, 1])
        both = tone(row * (1 + off), 0.18, -24) + tone(column * (1 + off * 0.5), 0.18, -24)
        rest = tone(row * 1.5, 0.18, -30)
        paste(track, at_s, np.asarray(both + rest, np.float32))


def baby(rng: np.random.Generator) -> Track:
    """A cry: a glide with harmonics, 0.6 to 1.2 s."""
    size = int(rng.uniform(0.6, 1.2) * RATE_HZ)
    t = np.arange(size) / size
    pitch = rng.uniform(380, 550) * (1 + 0.25 * np.sin(np.pi * t))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 6))
    return np.asarray(voice * np.sin(np.pi * t) ** 0.5, np.float32)


def bark(rng: np.random.Generator) -> Track:
    """One to three barks."""
    one = burst(rng, 0.18, 0.05, 0.8)
    rest = np.zeros(int(0.25 * RATE_HZ), np.float32)
    return np.concatenate([one, rest] * int(rng.integers(1, 4)))


def keys_typed(rng: np.random.Generator) -> Track:
    """Two seconds of a keyboard."""
    track = np.zeros(2 * RATE_HZ, np.float32)
    for at_s in np.cumsum(rng.uniform(0.08, 0.3, 12)):
        paste(track, float(at_s), burst(rng, 0.02, 0.003, 0.3))
    return track


def siren(track: Track, rng: np.random.Generator) -> None:
    """A siren passes."""
    for at_s in times(track, rng, 0.5):
        size = 12 * RATE_HZ
        t = np.arange(size) / RATE_HZ
        pitch = 900 + 350 * np.sin(2 * np.pi * 0.25 * t)
        sound = np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ) * np.sin(np.pi * t / 12)
        paste(track, at_s, np.asarray(sound * level(rng.uniform(-34, -22)), np.float32))


def dropouts(low_s: float, high_s: float, per_minute: float) -> Disturb:
    """Stretches of digital silence, sharp: Bluetooth, a weak cordless set."""

    def disturb(track: Track, rng: np.random.Generator) -> None:
        for at_s in times(track, rng, per_minute):
            first = int(at_s * RATE_HZ)
            track[first : first + int(rng.uniform(low_s, high_s) * RATE_HZ)] = 0

    return disturb


def pocket(track: Track, rng: np.random.Generator) -> None:
    """The telephone in a pocket for some seconds: all is dull and low, with rubbing."""
    for at_s in times(track, rng, 1):
        first = int(at_s * RATE_HZ)
        part = track[first : first + int(rng.uniform(3, 12) * RATE_HZ)]
        part[:] = np.convolve(part, np.ones(16, np.float32) / 16)[: len(part)] * 0.3
        rub = burst(rng, max(len(part) / RATE_HZ, 0.1), 100.0, 0.97)[: len(part)]
        part[: len(rub)] += rub * np.float32(level(-48))


def speakerphone(track: Track, rng: np.random.Generator) -> None:
    """Gates itself: where nobody speaks the room falls by 15 to 25 dB, with sharp edges."""
    gate(track, 10 ** (-rng.uniform(15, 25) / 20), hang_s=0.3)


def noise_suppressor(track: Track, rng: np.random.Generator) -> None:
    """Is switched on and off in mid-call: the room all but vanishes in pauses, and is back."""
    seconds = len(track) / RATE_HZ
    at = 0.0
    while at < seconds:
        at += rng.uniform(20, 60)
        first = int(at * RATE_HZ)
        gate(track[first : first + int(rng.uniform(10, 40) * RATE_HZ)], 0.03, hang_s=0.15)
        at += 40


def gate(track: Track, floor_gain: float, hang_s: float) -> None:
    """Turn everything down in which no voice is, frame by frame."""
    size = 160
    cut = track[: len(track) // size * size].reshape(-1, size)
    if not len(cut):
        return
    loud = np.mean(cut**2, axis=1) > level(-38) ** 2
    hang = max(int(hang_s * 50), 1)
    open_ = np.convolve(loud, np.ones(hang))[: len(loud)] > 0
    cut *= np.where(open_, 1.0, floor_gain).astype(np.float32)[:, None]


def gain_changes(track: Track, rng: np.random.Generator) -> None:
    """The telephone is held otherwise: 4 to 12 dB up or down for a while."""
    for at_s in times(track, rng, 3):
        first = int(at_s * RATE_HZ)
        gain = 10 ** (rng.choice([-1, 1]) * rng.uniform(4, 12) / 20)
        track[first : first + int(rng.uniform(2, 20) * RATE_HZ)] *= np.float32(min(gain, 2.5))


def handset_dropped(track: Track, rng: np.random.Generator) -> None:
    """Thuds, then some seconds of a distant voice."""
    for at_s in times(track, rng, 0.7):
        for k in range(3):
            thud = burst(rng, 0.1, 0.015, 0.85) * np.float32(level(-14))
            paste(track, at_s + 0.2 * k, thud)
        first = int((at_s + 0.6) * RATE_HZ)
        track[first : first + int(rng.uniform(1, 4) * RATE_HZ)] *= np.float32(0.15)


def cordless(track: Track, rng: np.random.Generator) -> None:
    """Static and clicks of a cordless set at the edge of its range."""
    for at_s in times(track, rng, 10):
        seconds = rng.uniform(0.05, 1.0)
        paste(track, at_s, burst(rng, seconds, 100.0, 0.1) * np.float32(level(-30)))
        paste(track, at_s, click(rng))


def call_waiting_ignored(track: Track, rng: np.random.Generator) -> None:
    """Mutes of the exchange for a call-waiting tone, each 10 s, twice or thrice."""
    at = rng.uniform(10, 40)
    while at < len(track) / RATE_HZ:
        mute = 0.4 if rng.random() < 0.5 else rng.uniform(0.8, 1.6)
        for k in range(int(rng.integers(1, 4))):
            first = int((at + 10 * k) * RATE_HZ)
            track[first : first + int(mute * RATE_HZ)] = 0
        at += rng.uniform(60, 150)


def nothing(track: Track, rng: np.random.Generator) -> None:
    """A quiet room."""


CLASSES: Final[Mapping[str, Disturb]] = {
    "quiet room": nothing,
    "doors": repeated(4, lambda rng: burst(rng, 0.5, 0.08, 0.93), (-24, -10)),
    "plates": repeated(10, lambda rng: burst(rng, 0.3, 0.04, 0.2), (-24, -12)),
    "keyboard": repeated(8, keys_typed, (-36, -20)),
    "pen clicks": repeated(12, click, (0, 8)),
    "coughs": repeated(4, lambda rng: burst(rng, 0.35, 0.1, 0.6), (-22, -12)),
    "blowing": repeated(4, lambda rng: burst(rng, 0.8, 0.4, 0.97), (-20, -8)),
    "baby": repeated(10, baby, (-28, -16)),
    "dog": repeated(5, bark, (-26, -12)),
    "vacuum": lasting(0.6, (-38, -26), 11.0),
    "fan": lasting(0.95, (-48, -36), 3.0),
    "shower": lasting(0.2, (-44, -32), 0.4),
    "toy": chord_toy,
    "microwave": beeps((2000.0,), 0.4, 0.4, 5, 40.0),
    "smoke alarm": beeps((3100.0,), 0.5, 0.5, 3, 1.5),
    "doorbell": beeps((660.0, 520.0), 0.5, 0.02, 2, 30.0),
    "telephone nearby": beeps((440.0, 480.0, 620.0), 0.08, 0.02, 20, 12.0),
    "siren": siren,
    "cordless": cordless,
    "Bluetooth": dropouts(0.05, 0.4, 8),
    "weak signal": dropouts(0.3, 2.5, 2),
    "pocket": pocket,
    "speakerphone": speakerphone,
    "noise suppressor": noise_suppressor,
    "held otherwise": gain_changes,
    "handset dropped": handset_dropped,
    "call waiting ignored": call_waiting_ignored,
    "long silence": nothing,
    "handed over": nothing,
    "television": nothing,
}
"""The last three are made by the talk itself: see `tests.detection.household`."""
