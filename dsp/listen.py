"""The kernels of a tick: pack and decode, then every per-leg machine, in two compiled calls.

Source: numba documentation, "Notes on caching" (see `jit.py`). With `Kernels.NUMPY` the very same
functions are run by the interpreter.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

from dsp import dtmf, fired, frame, jit, measure, spectrum
from dsp.dtmf import Digits, hear_digits
from dsp.fired import Fired
from dsp.frame import BoolArray, ByteArray, FlagArray, FloatArray
from dsp.leg import Kernels
from dsp.measure import Legs, Measures, gather
from dsp.state import StateOwner

STAMP: Final = jit.stamp(dtmf, fired, frame, measure, spectrum)

Gather = Callable[
    [
        ByteArray,
        BoolArray,
        FlagArray,
        tuple[int, int],
        Legs,
        FloatArray,
        FloatArray,
        Measures,
    ],
    tuple[int, int, int],
]


class Ears(NamedTuple):
    """The state of every per-leg machine."""

    digits: Digits


Listen = Callable[[tuple[int, int, int], Measures, FloatArray, FloatArray, Legs, Ears, Fired], None]


def allocate(owner: StateOwner) -> Ears:
    """State of all machines, registered with the one owner."""
    return Ears(digits=dtmf.allocate(owner))


def _make_gather(stamp: int) -> Gather:
    def gather_kernel(
        payload: ByteArray,
        valid: BoolArray,
        flags: FlagArray,
        rows: tuple[int, int],
        legs: Legs,
        table: FloatArray,
        samples: FloatArray,
        measures: Measures,
    ) -> tuple[int, int, int]:
        assert stamp >= 0
        return gather(payload, valid, flags, rows, legs, table, samples, measures)

    return gather_kernel


def _make_listen(stamp: int) -> Listen:
    def listen_kernel(
        counts: tuple[int, int, int],
        measures: Measures,
        frame_z: FloatArray,
        halves_z: FloatArray,
        legs: Legs,
        ears: Ears,
        codes: Fired,
    ) -> None:
        assert stamp >= 0
        for i in range(counts[1]):
            hear_digits(i, measures, halves_z, ears.digits, codes)

    return listen_kernel


def make(kernels: Kernels) -> tuple[Gather, Listen]:
    """Both kernels, compiled or plain."""
    plain: tuple[Callable[..., Any], ...] = (_make_gather(STAMP), _make_listen(STAMP))
    if kernels is Kernels.NUMBA:
        plain = tuple(jit.compiled(kernel) for kernel in plain)
    return cast("tuple[Gather, Listen]", plain)
