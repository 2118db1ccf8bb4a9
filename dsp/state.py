"""The one owner of per-leg state: what is registered here is cleared when a row is opened.

Source: chosen. Arrays are `[rows, …]`, allocated once; a stage declares a NamedTuple of its arrays
and gets it filled, so that no stage can keep an array that `clear` does not know.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]


class Column(NamedTuple):
    """One array of a stage: the shape of a row, the dtype, and what a fresh row holds."""

    dtype: type[np.generic] = np.float32
    shape: Shape = ()
    fresh: float = 0.0


StageT = TypeVar("StageT", bound=tuple[Any, ...])


class StateOwner:
    """Allocates the arrays of all stages and clears a row of all of them at once."""

    def __init__(self, rows_max: int) -> None:
        self.rows_max: Final = rows_max
        self._arrays: list[tuple[NDArray[Any], float]] = []

    def allocate(self, stage: type[StageT], columns: Mapping[str, Column]) -> StageT:
        """The stage's tuple, every field an array `[rows_max, *shape]` full of its fresh value."""
        made = []
        for column in columns.values():
            array = np.full((self.rows_max, *column.shape), column.fresh, column.dtype)
            self._arrays.append((array, column.fresh))
            made.append(array)
        return stage(**dict(zip(columns, made, strict=True)))

    def clear(self, row: int) -> None:
        """Make a row as it was when the arrays were allocated."""
        for array, fresh in self._arrays:
            array[row] = fresh

    def snapshot(self, row: int) -> list[NDArray[Any]]:
        """Copies of everything held for a row, for tests."""
        return [np.array(array[row]) for array, _ in self._arrays]
