"""Music: sound without a pause whose spectrum moves slowly, while its level does not stand still.

Source: spectral flux and the course of the level are the oldest features of speech and music
detectors: syllables move a spectrum faster than notes do. Steady noise moves slowly as well, but
soon becomes its own floor. The weights are fitted, the window is chosen.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp import fired
from dsp.fired import Fired, fire
from dsp.floor import total
from dsp.frame import FRAME_S, FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage, summing_stage
from dsp.measure import Measures
from dsp.spectrum import BANDS
from dsp.state import Column, StateOwner

HOP_FRAMES: Final = 25
HOPS: Final = 6
"""3 s in six steps: in less, one long sentence in forty passes for music (measured)."""
LIKELY_HOPS: Final = 3
"""1.5 s keep a voice from being judged, and tell that the music is over. Chosen."""
STEP_DB_MIN: Final = 0.5
"""A lasting tone stands still. Chosen: one music window in twenty has less than 0.9 dB."""
LEVEL_MIN: Final = power_of_dbm0(-48.0)
"""As of a voice."""
LOUD_SHARE_MIN: Final = 0.8
"""Music may be soft for a while. Chosen; talk is told by the other figures (measured)."""
LOUD_SHARE_OFF: Final = 0.3
"""Where music has ended in silence nobody is back yet. Chosen."""

FLUX_NATS: Final = -107.8
SPREAD_NATS: Final = -0.36
STEP_NATS: Final = 2.27
BUSY_NATS: Final = 6.66
BIAS_NATS: Final = 6.15
"""Logistic regression of: mean flux, spread of the level in dB, its mean step from frame to frame,
share of frames that stand over the floor as a voice does. Fitted on the fitting family (two tracks,
nine voices that talk without pause; G.711, AMR 12.2 and 4.75; fans, showers). Two tracks are few:
on the reporting family one of three pieces of hold music was told."""
ON_NATS: Final = 2.3
OFF_NATS: Final = -1.5
"""Measured on the fitting family, with the same figures taken by numpy: over 1.8 nats are 0.03 % of
the stretches of unbroken talk, over 2.3 none of 3330, and 89 and 87 % of those of music. Two in a
row are needed."""

RUN_HOPS: Final = 2

_FRAMES, _HOP, _HEARD, _ON, _LIKELY, _RUN, _NUMBERS = range(7)
_LOUD, _FLUX, _STEP, _BUSY, _LEVEL, _SQUARE, _SUMS = range(7)
LEVEL_MIDDLE: Final = -40.0
"""Levels are summed from here, in dB of full scale: small numbers keep their squares exact."""


class Music(NamedTuple):
    """State: the last frame, and the sums of the last hops."""

    number: IntArray
    roots: FloatArray
    """Square roots of the last frame's bands; the first is below zero if there was none."""
    level: FloatArray
    sums: FloatArray
    """[rows, 6, 6]"""


def allocate(owner: StateOwner) -> Music:
    """The arrays."""
    return owner.allocate(
        Music,
        {
            "number": Column(np.int32, (_NUMBERS,)),
            "roots": Column(np.float32, (BANDS,), -1.0),
            "level": Column(np.float32),
            "sums": Column(np.float32, (HOPS, _SUMS)),
        },
    )


@stage
def is_music(row: int, music: Music) -> bool:
    """Whether it is on."""
    return bool(music.number[row, _ON] >= HOPS)


def is_likely(row: int, music: Music) -> bool:
    """Whether the last 1.5 s may have been music."""
    return bool(music.number[row, _LIKELY] != 0 or music.number[row, _ON] != 0)


@stage
def hear_music(i: int, measures: Measures, music: Music, codes: Fired) -> bool:
    """Take one leg's frame; fires MUSIC every half second of it, and MUSIC_OVER.

    Args:
        i: place of the leg in `measures`.
        measures: its frame's bands are read, and whether it stands over the floor as speech does.
        music: state.
        codes: what fires.

    Returns:
        Whether a hop of half a second has ended.
    """
    row = measures.row[i]
    bands = measures.bands[i]
    power = total(bands)
    number = music.number[row]
    sums = music.sums[row, number[_HOP]]
    level = np.float32(10.0) * np.log10(np.float32(power) + np.float32(1e-9))
    known = music.roots[row, 0] >= np.float32(0.0)
    flux = move(bands, music.roots[row])
    sums[_LEVEL] += level - np.float32(LEVEL_MIDDLE)
    sums[_SQUARE] += (level - np.float32(LEVEL_MIDDLE)) ** 2
    if power > LEVEL_MIN:
        sums[_LOUD] += np.float32(1.0)
    if measures.speech[i] != 0:
        sums[_BUSY] += np.float32(1.0)
    if known:
        sums[_FLUX] += flux
        sums[_STEP] += abs(level - music.level[row])
    music.level[row] = level
    number[_FRAMES] += 1
    if number[_FRAMES] < HOP_FRAMES:
        return False
    end_hop(row, music, codes)
    return True


@summing_stage
def move(bands: FloatArray, roots: FloatArray) -> float:
    """Distance of two spectra, 0 to 1: the square of the difference of amplitudes over power."""
    apart = np.float32(0.0)
    both = np.float32(1e-9)
    for band in range(BANDS):
        root = np.sqrt(bands[band])
        change = root - roots[band]
        apart += change * change
        both += bands[band] + roots[band] * roots[band]
        roots[band] = root
    return float(apart / both)


@stage
def end_hop(row: int, music: Music, codes: Fired) -> None:
    """Weigh the last hops, and begin the next."""
    number = music.number[row]
    number[_FRAMES] = 0
    number[_HEARD] = min(number[_HEARD] + 1, HOPS)
    loud, half = nats_of(row, LIKELY_HOPS, music)
    number[_LIKELY] = 1 if loud >= LOUD_SHARE_MIN and half > 0.0 else 0
    if number[_ON] == 0:
        loud, nats = nats_of(row, HOPS, music)
        found = nats >= ON_NATS and loud >= LOUD_SHARE_MIN and number[_HEARD] >= HOPS
        number[_RUN] = number[_RUN] + 1 if found else 0
        if number[_RUN] >= RUN_HOPS:
            number[_ON] = HOPS + RUN_HOPS - 1
            number[_RUN] = 0
    elif half < OFF_NATS and loud >= LOUD_SHARE_OFF:
        number[_ON] = 0
        fire(codes, row, fired.MUSIC_OVER, 0.0, 0.0)
    else:
        number[_ON] += 1
    if number[_ON] != 0:
        fire(codes, row, fired.MUSIC, number[_ON] * HOP_FRAMES * FRAME_S, 0.0)
    number[_HOP] = (number[_HOP] + 1) % HOPS
    music.sums[row, number[_HOP], :] = np.float32(0.0)


@stage
def nats_of(row: int, hops: int, music: Music) -> tuple[float, float]:
    """Of the last hops: the share of loud frames, and how much they speak for music."""
    loud, flux, step, busy, level, square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    frames = hops * HOP_FRAMES
    for back in range(hops):
        sums = music.sums[row, (music.number[row, _HOP] - back) % HOPS]
        loud += sums[_LOUD]
        flux += sums[_FLUX]
        step += sums[_STEP]
        busy += sums[_BUSY]
        level += sums[_LEVEL]
        square += sums[_SQUARE]
    spread = np.sqrt(max(square / frames - (level / frames) ** 2, 0.0))
    if step < STEP_DB_MIN * frames:
        return 0.0, 0.0
    nats = (FLUX_NATS * flux + STEP_NATS * step + BUSY_NATS * busy) / frames
    return loud / frames, nats + SPREAD_NATS * spread + BIAS_NATS


@stage
def lose_music(row: int, music: Music) -> None:
    """20 ms without sound: the next frame has none before it."""
    music.roots[row, 0] = np.float32(-1.0)
