"""Conventions of the room: rate, frame, full scale.

Source: ITU-T G.711 §3 (8 kHz), RFC 3551 §4.2 (20 ms). Samples are float32, ±1.0 is the overload
point of µ-law, at which a sine has +3.17 dBm0 (ITU-T G.711 §4, Tmax).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
FlagArray = NDArray[np.uint16]

RATE_HZ: Final = 8000
"""ITU-T G.711 §3."""

FRAME_SAMPLES: Final = 160
"""20 ms. RFC 3551 §4.2, the default packet time of PCMU and PCMA."""

HALF_SAMPLES: Final = 80
"""10 ms, the grain of the digit receiver. Chosen: 40 ms hold three whole halves, 23 ms never."""

FRAME_S: Final = 0.02
FRAMES_PER_S: Final = 50

FULL_SCALE_DBM0: Final = 3.17
"""Level of a sine of amplitude 1.0. ITU-T G.711 §4, µ-law."""


def power_of_dbm0(level_dbm0: float) -> float:
    """Mean square of a signal of this level, full scale ±1.0."""
    return float(0.5 * 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 10))


def amplitude_of_dbm0(level_dbm0: float) -> float:
    """Peak amplitude of a sine of this level."""
    return float(10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20))


def dbm0_of_power(power: float) -> float:
    """Level of this mean square; silence gives -120."""
    return float(10 * np.log10(max(2 * power, 1e-13)) + FULL_SCALE_DBM0)
