"""Hundreds of legs heard at once by the real bank."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsp.bank import Bank
from dsp.event import Event, Kind
from dsp.g711 import ULAW_SILENCE
from dsp.leg import LegSpec, Note, Role

Frames = NDArray[np.uint8]
"""[frames, 160] µ-law"""

ROWS_MAX = 512


def hear(
    legs: Sequence[Frames],
    kinds: frozenset[Kind],
    *,
    role: Role = Role.B,
    notes: Sequence[Note] = (),
) -> list[list[Event]]:
    """What the bank says of each leg; each is alone, all are in the same pushes."""
    found: list[list[Event]] = []
    for first in range(0, len(legs), ROWS_MAX):
        found += _hear(legs[first : first + ROWS_MAX], kinds, role, notes)
    return found


def _hear(
    legs: Sequence[Frames], kinds: frozenset[Kind], role: Role, notes: Sequence[Note]
) -> list[list[Event]]:
    rows = len(legs)
    bank = Bank(legs_max=rows)
    found: list[list[Event]] = [[] for _ in legs]
    for row in range(rows):
        bank.open(row, LegSpec(role, kinds=kinds))
        for note in notes:
            found[row] += bank.note(row, note)
    sizes = np.array([len(leg) for leg in legs])
    payload = np.full((rows, 160), ULAW_SILENCE, np.uint8)
    flags = np.zeros(rows, np.uint16)
    for tick in range(int(sizes.max())):
        valid = sizes > tick
        for at in map(int, np.flatnonzero(valid)):
            payload[at] = legs[at][tick]
        for event in bank.push(payload, valid, flags):
            found[event.leg].append(event)
    return found


def hear_rows(rows: NDArray[np.uint8], kinds: frozenset[Kind]) -> list[Event]:
    """As `hear`, for rows of one length [rows, frames, 160]."""
    bank = Bank(legs_max=len(rows))
    for row in range(len(rows)):
        bank.open(row, LegSpec(Role.B, kinds=kinds))
    valid, flags = np.ones(len(rows), np.bool_), np.zeros(len(rows), np.uint16)
    ticks = np.ascontiguousarray(rows.transpose(1, 0, 2))
    found: list[Event] = []
    for payload in ticks:
        found += bank.push(payload, valid, flags)
    return found
