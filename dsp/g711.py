"""µ-law and A-law: tables to and from linear, and from one law to the other.

Source: ITU-T G.711 (1988), Tables 1a-2b (laws), Tables 3 and 4 (conversion between the laws; the
values were taken from public statements of them, with the corrections of 1988).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dsp.frame import FULL_SCALE_DBM0, ByteArray, FloatArray

ULAW_OVERLOAD: Final = 8159
"""Virtual decision value 128 of µ-law, 14 bit. ITU-T G.711 Table 2a."""

ALAW_OVERLOAD: Final = 4096
"""Virtual decision value 128 of A-law, 13 bit. ITU-T G.711 Table 1a."""

ALAW_FULL_SCALE_DBM0: Final = 3.14
"""Level of a sine at A-law's overload point. ITU-T G.711 §4."""

ULAW_SILENCE: Final = 0xFF
ALAW_SILENCE: Final = 0xD5

_ULAW_BIAS: Final = 33
_ULAW_CLIP: Final = ULAW_OVERLOAD - 1


def _ulaw_to_linear() -> NDArray[np.int32]:
    """14-bit value of each µ-law code. Table 2: all bits are inverted on the line."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((2 * (code & 15) + _ULAW_BIAS) << ((code >> 4) & 7)) - _ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int32)


def _alaw_to_linear() -> NDArray[np.int32]:
    """13-bit value of each A-law code. Table 1: even bits are inverted on the line."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = np.where(segment == 0, 2 * step + 1, (2 * step + 33) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int32)


def _linear_to_ulaw() -> ByteArray:
    """µ-law code of each 14-bit value from -8192, by the decision values of Table 2."""
    value = np.arange(-8192, 8192, dtype=np.int32)
    biased = np.minimum(np.abs(value), _ULAW_CLIP) + _ULAW_BIAS
    segment = np.floor(np.log2(biased)).astype(np.int32) - 5
    code = (segment << 4) | ((biased >> (segment + 1)) & 15)
    return np.asarray(~np.where(value < 0, code | 0x80, code) & 0xFF, np.uint8)


def _linear_to_alaw() -> ByteArray:
    """A-law code of each 13-bit value from -4096, by the decision values of Table 1."""
    value = np.arange(-4096, 4096, dtype=np.int32)
    magnitude = np.where(value < 0, -value - 1, value)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 4, 0)
    code = (segment << 4) | ((magnitude >> np.maximum(segment, 1)) & 15)
    return (np.where(value < 0, code, code | 0x80) ^ 0x55).astype(np.uint8)


# fmt: off
_ULAW_TO_ALAW_NUMBER: Final = (
    *(n for n in range(1, 9) for _ in range(2)),         # µ  1..16: two to one
    *range(9, 26), 27, 29, 31,                           # µ 17..36
    *range(33, 45), 46,                                  # µ 37..49
    *range(48, 63),                                      # µ 50..64
    *range(64, 81),                                      # µ 65..81
    *range(82, 129),                                     # µ 82..128
)
"""ITU-T G.711 Table 3: A-law output number (1..128) for each µ-law output number."""

_ALAW_TO_ULAW_NUMBER: Final = (
    *range(1, 16, 2),                                    # A  1..8
    *range(16, 32),                                      # A  9..24
    *(n for n in range(32, 36) for _ in range(2)),       # A 25..32
    *range(36, 48),                                      # A 33..44
    48, 48, 49, 49,                                      # A 45..48
    *range(50, 64), 64, 64,                              # A 49..64
    *range(65, 81),                                      # A 65..80
    *range(80, 128),                                     # A 81..128
)
"""ITU-T G.711 Table 4: µ-law output number (0..127) for each A-law output number."""
# fmt: on


def _ulaw_to_alaw() -> ByteArray:
    code = np.arange(256, dtype=np.int32)
    number = np.array(_ULAW_TO_ALAW_NUMBER, np.int32)[~code & 0x7F] - 1
    return np.asarray(number ^ 0x55 | (code & 0x80), np.uint8)


def _alaw_to_ulaw() -> ByteArray:
    code = np.arange(256, dtype=np.int32)
    number = np.array(_ALAW_TO_ULAW_NUMBER, np.int32)[(code ^ 0x55) & 0x7F]
    return np.asarray(number ^ 0x7F | (code & 0x80), np.uint8)


ULAW_TO_LINEAR14: Final = _ulaw_to_linear()
ALAW_TO_LINEAR13: Final = _alaw_to_linear()
_LINEAR14_TO_ULAW: Final = _linear_to_ulaw()
_LINEAR13_TO_ALAW: Final = _linear_to_alaw()

ULAW_TO_ALAW: Final = _ulaw_to_alaw()
"""uint8[256]: the A-law code that replaces a µ-law code. ITU-T G.711 Table 3."""

ALAW_TO_ULAW: Final = _alaw_to_ulaw()
"""uint8[256]: the µ-law code that replaces an A-law code. ITU-T G.711 Table 4."""

_ALAW_SCALE: Final = 10 ** ((ALAW_FULL_SCALE_DBM0 - FULL_SCALE_DBM0) / 20) / ALAW_OVERLOAD

TO_FLOAT: Final[FloatArray] = np.stack(
    [ULAW_TO_LINEAR14 / ULAW_OVERLOAD, ALAW_TO_LINEAR13 * _ALAW_SCALE]
).astype(np.float32)
"""float32[2, 256]: sample of each code; row 0 µ-law, row 1 A-law, both on the µ-law scale."""


def encode_ulaw(pcm16: NDArray[np.int16]) -> ByteArray:
    """µ-law codes of 16-bit linear samples, any shape. ITU-T G.711 Table 2."""
    codes: ByteArray = _LINEAR14_TO_ULAW[(pcm16.astype(np.int32) >> 2) + 8192]
    return codes


def encode_alaw(pcm16: NDArray[np.int16]) -> ByteArray:
    """A-law codes of 16-bit linear samples, any shape. ITU-T G.711 Table 1."""
    codes: ByteArray = _LINEAR13_TO_ALAW[(pcm16.astype(np.int32) >> 3) + 4096]
    return codes
