"""Talk-off: digits heard in talk and music that hold none, on the re-speeded tape.

Source: the idea of the Bellcore talk-off tapes; the tape itself is made by `tape`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dsp.event import Kind
from tests.detection import anchors
from tests.detection.legs import hear_rows
from tests.detection.sources import Pcm
from tests.detection.tape import ROW_S, Rows, tapes

ROWS_AT_ONCE = 512
TAPE_SHARE_MULTIMON = 0.1
"""multimon-ng is slow: it hears this share of the tape. Its hours are in the report."""


@dataclass
class TalkOff:
    """False digits of one receiver."""

    hours: float = 0.0
    digits: int = 0
    speeds: int = 0

    def add(self, rows: Rows, digits: int) -> None:
        """Count one more part of the tape."""
        self.hours += len(rows) * ROW_S / 3600
        self.digits += digits

    def per_100_h(self) -> float:
        """Rate."""
        return 100 * self.digits / max(self.hours, 1e-9)

    def bound_per_100_h(self) -> float:
        """Upper 95 % bound of the rate, Poisson."""
        return 100 * poisson_upper(self.digits) / max(self.hours, 1e-9)


def poisson_upper(count: int) -> float:
    """The mean of which `count` or fewer would be seen in 5 of 100 cases."""
    low, high = 0.0, 10.0 + 3.0 * count
    for _ in range(60):
        mean = (low + high) / 2
        terms = np.cumprod(np.concatenate([[1.0], mean / np.arange(1, count + 1)]))
        if np.exp(-mean) * terms.sum() > 0.05:
            low = mean
        else:
            high = mean
    return high


def measure(
    sound: Pcm, hours: float, progress: Callable[[str], None], *, shift: float = 0.0
) -> dict[str, TalkOff]:
    """Play the tape to the bank and both anchors until `hours` have passed.

    Args:
        sound: talk or music as it is.
        hours: length of the tape over all speeds.
        progress: told after each part.
        shift: another set of speeds, in steps.
    """
    ours, spandsp, multimon = TalkOff(), TalkOff(), TalkOff()
    length_h = len(sound) / 8000 / 3600
    count = max(round(hours / length_h / 0.98), 1)
    for rows in parts(sound, count, shift):
        ours.add(rows, len(hear_rows(rows, frozenset({Kind.DTMF}))))
        for row in rows:
            spandsp.add(row[None], len(anchors.spandsp(anchors.linear(row))))
        few = rows[:: round(1 / TAPE_SHARE_MULTIMON)]
        multimon.add(few, len(anchors.multimon(anchors.linear(few))))
        progress(
            f"{ours.hours:.1f} of about {hours:.0f} h: {ours.digits} false digits, "
            f"libspandsp {spandsp.digits}, multimon-ng {multimon.digits} in {multimon.hours:.1f} h"
        )
    for one in (ours, spandsp, multimon):
        one.speeds = count
    return {"kinline": ours, "libspandsp": spandsp, "multimon-ng": multimon}


def parts(sound: Pcm, count: int, shift: float) -> Iterator[Rows]:
    """The tape in parts of about 512 rows, of as many speeds as that takes."""
    waiting: list[Rows] = []
    for _, rows in tapes(sound, count, shift):
        waiting.append(rows)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
