"""Takes a spoken name: begins when somebody speaks, ends when they stop.

Source: chosen; the level that counts as speech is well below the quietest talker of ITU-T P.56
practice and above a usual room.
"""

from pathlib import Path
from typing import Final

import numpy as np

from dsp import g711
from switch.ids import LegId
from switch.media.legs import FRAME_BYTES, Bytes

FRAME_S: Final = 0.02

SPEECH_DBM0: Final = -38.0
"""A frame above this is speech. Chosen."""

SPEECH_FRAMES_MIN: Final = 10
"""Less than 0.2 s of it is no name. Chosen: a click or a cough."""

SILENCE_END_S: Final = 1.0
"""So long a pause ends the name. Chosen: longer than a pause between two names."""

NOTHING_S: Final = 5.0
"""So long without speech, and nothing was said. Chosen."""

LEAD_FRAMES: Final = 8
"""Kept before the first speech frame: 160 ms, for soft beginnings. Chosen."""

_FULL_SCALE_DBM0: Final = 3.17


def level_dbm0(frame: Bytes, *, is_alaw: bool) -> float:
    """Return the level of a frame of G.711, full-scale sine +3.17 dBm0."""
    samples = g711.TO_FLOAT[int(is_alaw)][frame]
    power = float(np.mean(samples * samples))
    return _FULL_SCALE_DBM0 + 3.01 + 10 * float(np.log10(power + 1e-12))


class NameRecorder:
    """One name of one leg.

    Args:
        leg: whose.
        path: the file to write, 8 kHz u-law without a header.
        max_s: longer is cut.
        is_alaw: law of the frames.
    """

    def __init__(self, leg: LegId, *, path: Path, max_s: float, is_alaw: bool) -> None:
        self.leg = leg
        self._path = path
        self._frames_max = max(1, round(max_s / FRAME_S))
        self._is_alaw = is_alaw
        self._frames: list[Bytes] = []
        self._speech_frames = 0
        self._quiet_frames = 0

    def put(self, frame: Bytes) -> bool:
        """Take 20 ms; return whether the name is over."""
        speaks = level_dbm0(frame, is_alaw=self._is_alaw) > SPEECH_DBM0
        self._frames.append(frame.copy())
        self._quiet_frames = 0 if speaks else self._quiet_frames + 1
        self._speech_frames += speaks
        if self._speech_frames == 0:
            del self._frames[:-LEAD_FRAMES]
            return self._quiet_frames * FRAME_S >= NOTHING_S
        ended = self._quiet_frames * FRAME_S >= SILENCE_END_S
        return ended or len(self._frames) >= self._frames_max

    def finish(self) -> tuple[str, float]:
        """Write the file; return its path ('' if nothing was said) and the seconds of speech."""
        if self._speech_frames < SPEECH_FRAMES_MIN:
            return "", 0.0
        kept = self._frames[: max(1, len(self._frames) - self._quiet_frames + LEAD_FRAMES)]
        sound = np.concatenate(kept)
        if self._is_alaw:
            sound = g711.ALAW_TO_ULAW[sound]
        assert sound.size % FRAME_BYTES == 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(sound.tobytes())
        return str(self._path), round(self._speech_frames * FRAME_S, 2)
