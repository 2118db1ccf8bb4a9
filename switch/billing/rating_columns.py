"""The rules of `rating` and `horizon` for whole columns of calls at once. Pure.

Each function says for every row what its namesake says for one call; int64 in, int64 out, exact.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from switch.billing.horizon import AMPLE_S
from switch.billing.rating import GUARD_NS, NS_PER_S, SECONDS_MAX, to_ns

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MICROS_MAX: Final = 10**16
"""No account counts for more than this when seconds are named: sixty times it is still an int64.
Chosen: ten billion dollars buy `SECONDS_MAX` at any price."""


def charge(micros_per_minute: Int64s, free_s: Int64s, seconds: Int64s) -> Int64s:
    """Price the first `seconds` seconds of each call."""
    priced_s: Int64s = np.maximum(seconds - free_s, 0)
    return micros_per_minute * priced_s // 60


def whole_seconds(duration_ns: Int64s) -> Int64s:
    """Count the seconds that were finished; nothing for a negative duration."""
    return np.maximum(duration_ns + GUARD_NS, 0) // NS_PER_S


def through(elapsed_ns: Int64s, horizon_s: float) -> Int64s:
    """The second through which money is to be held: ceil(elapsed + horizon)."""
    return -((GUARD_NS - elapsed_ns - to_ns(horizon_s)) // NS_PER_S)


def seconds_for(micros_per_minute: Int64s, free_s: Int64s, amount: Int64s) -> Int64s:
    """Count what each amount buys from the start: the largest n with charge(n) <= amount."""
    counted = np.minimum(amount, MICROS_MAX)
    bought = free_s + (60 * (counted + 1) - 1) // np.maximum(micros_per_minute, 1)
    most = np.where(micros_per_minute == 0, SECONDS_MAX, np.minimum(bought, SECONDS_MAX))
    return np.where(amount < 0, 0, most)


def affordable_s(
    micros_per_minute: Int64s,
    free_s: Int64s,
    *,
    paid_s: Int64s,
    available: Int64s,
    wanted_s: Int64s,
) -> Int64s:
    """How many of the wanted seconds fit into what is available."""
    whole = charge(micros_per_minute, free_s, paid_s) + np.maximum(available, 0)
    most = seconds_for(micros_per_minute, free_s, whole)
    fits_s: Int64s = np.maximum(np.minimum(wanted_s, most - paid_s), 0)
    return fits_s


def is_ample(available: Int64s, *, live_micros_per_minute: Int64s) -> Flags:
    """Say which accounts could pay `AMPLE_S` more for all their live calls together."""
    return available >= -(-live_micros_per_minute * AMPLE_S // 60)
