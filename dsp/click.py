"""Clicks of a hook: bursts far shorter than speech or an impact, alone or as a pair.

Source: limits measured on 150 synthetic events per codec path: on G.711, Opus and GSM duration to
-20 dB ≤ 12 ms with crest ≥ 13 dB parts clicks from impacts and speech. A hookflash is 0.3 to 1.1 s
(TIA-464, from a secondary source). A click alone proves nothing: a pen makes one too.
"""

from typing import Final, NamedTuple

import numpy as np

from dsp import fired
from dsp.fired import Fired, fire
from dsp.frame import FRAME_S, FloatArray, IntArray, power_of_dbm0
from dsp.jit import stage, summing_stage
from dsp.measure import CELLS, Measures
from dsp.spectrum import BAND_EDGES, BANDS
from dsp.state import Column, StateOwner

PEAK_MIN: Final = 2 * power_of_dbm0(-35.0)
"""Square of the peak. Chosen: below it a click is lost in line noise."""
CREST_MIN: Final = 20.0
"""13 dB, in 20 ms around the peak. Measured."""
SPAN_CELLS_MAX: Final = 19
"""12 ms to -20 dB. Measured."""
FLATNESS_MIN: Final = 0.3
"""Geometric over arithmetic mean of the bands' power per bin. Chosen."""
FLAT_BANDS: Final = (2, 23)
"""300 to 3400 Hz: outside, a telephone line has nothing."""
QUIET_UNDER: Final = 316.0
"""Quiet is 25 dB under the peak. Chosen."""
QUIET_POWER_MAX: Final = power_of_dbm0(-40.0)
QUIET_FRAMES: Final = 5
"""100 ms of quiet on one side at least. Chosen."""

FLASH_FRAMES: Final = (15, 55)
"""0.3 to 1.1 s. TIA-464."""

_PENDING, _SINCE, _NUMBERS = range(3)
_PENDING_PEAK, _LAST_PEAK, _BETWEEN, _DELAYED, _VALUES = range(5)
HISTORY: Final = QUIET_FRAMES + 1


class Clicks(NamedTuple):
    """State: the last frame's cells and bands, recent powers, the last click."""

    number: IntArray
    value: FloatArray
    powers: FloatArray
    cell_power: FloatArray
    """[rows, 64] cells of the last and this frame."""
    cell_peak: FloatArray
    bands: FloatArray


def allocate(owner: StateOwner) -> Clicks:
    """The arrays."""
    return owner.allocate(
        Clicks,
        {
            "number": Column(np.int32, (_NUMBERS,)),
            "value": Column(np.float32, (_VALUES,)),
            "powers": Column(np.float32, (HISTORY,)),
            "cell_power": Column(np.float32, (2 * CELLS,)),
            "cell_peak": Column(np.float32, (2 * CELLS,)),
            "bands": Column(np.float32, (BANDS,)),
        },
    )


@stage
def hear_click(i: int, measures: Measures, clicks: Clicks, talking: int, codes: Fired) -> None:
    """Take one leg's frame; fires CLICK and FLASH, up to 0.1 s late."""
    row = measures.row[i]
    number = clicks.number[row]
    value = clicks.value[row]
    power = measures.power[i]
    for cell in range(CELLS):
        clicks.cell_power[row, cell] = clicks.cell_power[row, CELLS + cell]
        clicks.cell_peak[row, cell] = clicks.cell_peak[row, CELLS + cell]
        clicks.cell_power[row, CELLS + cell] = measures.cell_power[i, cell]
        clicks.cell_peak[row, CELLS + cell] = measures.cell_peak[i, cell]
    if number[_SINCE] > 0:
        number[_SINCE] += 1
        if number[_SINCE] > 4:
            value[_BETWEEN] = max(value[_BETWEEN], clicks.powers[row, HISTORY - 1])
        if number[_SINCE] > FLASH_FRAMES[1] + 2:
            number[_SINCE] = 0
    if number[_PENDING] > 0:
        await_quiet(row, power, talking, clicks, codes)
    at = find_peak(clicks.cell_peak[row])
    crest = crest_of(clicks.cell_power[row], clicks.cell_peak[row], at)
    if crest >= CREST_MIN:
        bands = measures.bands[i] if at >= CELLS else clicks.bands[row]
        if is_click(clicks.cell_peak[row], at) and flatness(bands) >= FLATNESS_MIN:
            take_click(row, clicks, (clicks.cell_peak[row, at], crest), talking, codes)
    for k in range(HISTORY - 1):
        clicks.powers[row, k] = clicks.powers[row, k + 1]
    clicks.powers[row, HISTORY - 1] = value[_DELAYED]
    value[_DELAYED] = power
    for band in range(BANDS):
        clicks.bands[row, band] = measures.bands[i, band]


@stage
def find_peak(cell_peak: FloatArray) -> int:
    """The highest cell of the middle 20 ms of two frames."""
    best = CELLS // 2
    for cell in range(CELLS // 2, CELLS + CELLS // 2):
        if cell_peak[cell] > cell_peak[best]:
            best = cell
    return best


@summing_stage
def crest_of(cell_power: FloatArray, cell_peak: FloatArray, at: int) -> float:
    """Peak over mean square in the 20 ms around a cell; 0 if it is too weak to matter."""
    if cell_peak[at] < PEAK_MIN:
        return 0.0
    mean = 0.0
    for cell in range(at - CELLS // 2, at + CELLS // 2):
        mean += cell_power[cell]
    return float(cell_peak[at] * CELLS / (mean + 1e-12))


@stage
def is_click(cell_peak: FloatArray, at: int) -> bool:
    """Whether all that comes within 20 dB of the peak is within 12 ms."""
    first = at
    last = at
    for cell in range(at - CELLS // 2, at + CELLS // 2):
        if cell_peak[cell] * 100.0 >= cell_peak[at]:
            first = min(first, cell)
            last = max(last, cell)
    return last - first < SPAN_CELLS_MAX


@stage
def flatness(bands: FloatArray) -> float:
    """Geometric over arithmetic mean of power per bin."""
    logs = 0.0
    mean = 0.0
    for band in range(FLAT_BANDS[0], FLAT_BANDS[1]):
        density = bands[band] / (BAND_EDGES[band + 1] - BAND_EDGES[band]) + 1e-12
        logs += np.log(density)
        mean += density
    count = FLAT_BANDS[1] - FLAT_BANDS[0]
    return float(np.exp(logs / count) / (mean / count))


@stage
def take_click(
    row: int, clicks: Clicks, burst: tuple[float, float], talking: int, codes: Fired
) -> None:
    """A burst with the form of a click: quiet before it, or wait for quiet after it."""
    number = clicks.number[row]
    value = clicks.value[row]
    peak, crest = burst
    pair = FLASH_FRAMES[0] <= number[_SINCE] <= FLASH_FRAMES[1]
    limit = min(min(peak, value[_LAST_PEAK]) / QUIET_UNDER, QUIET_POWER_MAX)
    if pair and value[_BETWEEN] <= limit:
        fire(codes, row, fired.FLASH, number[_SINCE] * FRAME_S, 0.0)
    before = 0.0
    for k in range(HISTORY - 1):
        before = max(before, clicks.powers[row, k + 1])
    if before <= peak / QUIET_UNDER:
        fire(codes, row, fired.CLICK, 10.0 * np.log10(crest), talking)
    else:
        number[_PENDING] = QUIET_FRAMES + 1
        value[_PENDING_PEAK] = peak
    number[_SINCE] = 1
    value[_LAST_PEAK] = peak
    value[_BETWEEN] = 0.0


@stage
def await_quiet(row: int, power: float, talking: int, clicks: Clicks, codes: Fired) -> None:
    """A click with sound before it counts once 100 ms after it were quiet."""
    number = clicks.number[row]
    value = clicks.value[row]
    number[_PENDING] -= 1
    if number[_PENDING] < QUIET_FRAMES and power > value[_PENDING_PEAK] / QUIET_UNDER:
        number[_PENDING] = 0
    elif number[_PENDING] == 0:
        fire(codes, row, fired.CLICK, 10.0 * np.log10(CREST_MIN), talking)


@stage
def forget(row: int, clicks: Clicks) -> None:
    """Frames are missing: what is half heard is dropped."""
    clicks.number[row, :] = 0
    for cell in range(2 * CELLS):
        clicks.cell_power[row, cell] = 0.0
        clicks.cell_peak[row, cell] = 0.0
