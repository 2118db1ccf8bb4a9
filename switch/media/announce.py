"""What is played to a leg: sound files joined into one run of bytes, and generated tones.

Source: ITU-T E.180 / North American precise tone plan (ring tone); files are 8 kHz u-law without a
header.
"""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from dsp import g711
from switch.media.legs import FRAME_BYTES, Bytes, Legs
from switch.media.phrase import Tone

RATE_HZ: Final = 8000

CLIPS_BYTES_MAX: Final = 32 << 20
"""Sound files kept in memory by one worker: about 70 minutes. Chosen."""

FULL_SCALE_DBM0: Final = 3.17
"""A sine at the overload point of u-law. ITU-T G.711 §4."""

RINGBACK_HZ: Final = (440.0, 480.0)
RINGBACK_DBM0: Final = -19.0
RINGBACK_ON_S: Final = 2.0
RINGBACK_OFF_S: Final = 4.0
"""Ring tone of North America, level per frequency. ITU-T E.180 Supplement 2."""

WAIT_HZ: Final = (440.0,)
WAIT_DBM0: Final = -27.0
WAIT_ON_S: Final = 0.2
WAIT_EVERY_S: Final = 5.0
"""Soft, so that nobody takes it for the ring or for call waiting. Chosen."""

EDGE_S: Final = 0.005
"""Fade at both ends of a tone, against clicks. Chosen."""


def tone_pcm(hz: tuple[float, ...], dbm0: float, on_s: float, every_s: float) -> Bytes:
    """Return u-law bytes of one period: sines of this level for `on_s`, then silence."""
    on = np.arange(round(on_s * RATE_HZ)) / RATE_HZ
    peak = 32767 * 10 ** ((dbm0 - FULL_SCALE_DBM0) / 20)
    wave = sum(peak * np.sin(2 * np.pi * f * on) for f in hz)
    edge = np.minimum(1.0, np.minimum(on, on[::-1]) / EDGE_S)
    pcm = np.zeros(round(every_s * RATE_HZ), np.int16)
    pcm[: on.size] = np.round(wave * edge).astype(np.int16)
    return g711.encode_ulaw(pcm)


def tones() -> dict[str, Bytes]:
    """Return one period of each tone, u-law."""
    ring_s = RINGBACK_ON_S + RINGBACK_OFF_S
    return {
        Tone.RINGBACK.value: tone_pcm(RINGBACK_HZ, RINGBACK_DBM0, RINGBACK_ON_S, ring_s),
        Tone.WAIT.value: tone_pcm(WAIT_HZ, WAIT_DBM0, WAIT_ON_S, WAIT_EVERY_S),
    }


class Clips:
    """Sound files, kept while they are unchanged and there is room."""

    def __init__(self, bytes_max: int = CLIPS_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, int], Bytes] = OrderedDict()

    def load(self, path: str) -> Bytes:
        """Return the bytes of a file.

        Raises:
            OSError: it cannot be read.
        """
        key = (path, Path(path).stat().st_mtime_ns)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        clip = np.fromfile(path, np.uint8)
        self._kept[key] = clip
        self._bytes += clip.size
        while self._bytes > self._bytes_max and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].size
        return clip

    def join(self, paths: list[str]) -> Bytes:
        """Return these files as one run of bytes; one that cannot be read is left out."""
        found = []
        for path in paths:
            try:
                found.append(self.load(path))
            except OSError:
                continue
        return np.concatenate(found) if found else np.zeros(0, np.uint8)


class Announcer:
    """Starts and stops what plays; the pump sends it.

    Args:
        legs: the shared arrays.
    """

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._clips = Clips()
        self._tones = tones()
        self._playing: dict[int, tuple[int | None, Bytes]] = {}

    def play(
        self, index: int, paths: list[str], play: int, *, heard: Callable[[int], int] | None = None
    ) -> None:
        """Say files to a leg. Nothing to say: the pump reports the end on the next tick.

        Args:
            index: of the leg.
            paths: the files.
            play: its number.
            heard: of a sound of so many bytes, how many the leg has heard before.
        """
        sound = self._clips.join(paths)
        if sound.size == 0:
            sound = np.zeros(1, np.uint8) + g711.ULAW_SILENCE
        self._begin(index, sound, play, loops=False)
        if heard is not None:
            at = min(heard(sound.size), sound.size - 1)
            self._legs.sound_at[index] = at - at % FRAME_BYTES

    def tone(self, index: int, name: str) -> None:
        """Play a tone until something else."""
        self._begin(index, self._tones[name], None, loops=True)

    def stop(self, index: int) -> tuple[int, float] | None:
        """Be quiet; return the play that was cut off and how long it had played."""
        play, _ = self._playing.pop(index, (None, None))
        played_s = float(self._legs.sound_at[index]) / RATE_HZ
        self._legs.sound[index] = 0
        self._legs.sound_play[index] = -1
        self._legs.talk_fill[index] = self._legs.talk_kept[index] = 0
        self._legs.talk[index] = 0
        return None if play is None else (play, played_s)

    def ended(self, index: int) -> int | None:
        """Take note that the pump came to the end; return which play it was."""
        return self._playing.pop(index, (None, None))[0]

    def _begin(self, index: int, sound: Bytes, play: int | None, *, loops: bool) -> None:
        legs = self._legs
        if legs.law[index]:
            sound = g711.ULAW_TO_ALAW[sound]
        sound = np.ascontiguousarray(sound)
        self._playing[index] = (play, sound)
        legs.sound_bytes[index] = sound.size
        legs.sound_at[index] = 0
        legs.sound_loops[index] = loops
        legs.sound[index] = sound.ctypes.data
        legs.sound_play[index] = -1 if play is None else play


assert round(RATE_HZ * (RINGBACK_ON_S + RINGBACK_OFF_S)) % FRAME_BYTES == 0
assert round(RATE_HZ * WAIT_EVERY_S) % FRAME_BYTES == 0
