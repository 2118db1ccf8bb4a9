"""Live calls and their accounts as columns: a structure of arrays that a second goes through whole.

Row n of every column is about the same call (or account). A row stays where it is until its call
ends; then the next call may have it. So a row that was written down is good as long as it still
names the same call. Row 0 names nobody.
"""

from typing import Final

import numpy as np

from switch.billing import rating
from switch.billing.ledger import Purse
from switch.billing.rating import Rate, to_ns
from switch.billing.rating_columns import Flags, Float64s, Int64s, charge, is_ample, seconds_for
from switch.ids import AccountId, CallId
from switch.money import Micros

ROWS: Final = 256
"""Room at the start; doubled when it is full. Chosen: a small site never grows."""


class _Rows:
    """Rows that are given away and taken back.

    Args:
        columns: the name of each column, and what it is made of.
    """

    def __init__(self, columns: dict[str, type]) -> None:
        self._columns = columns
        self._free: list[int] = []
        self.rows: dict[int, int] = {}
        """Who has which row."""
        self.end = 1
        """No row from here on was ever given away."""
        for name, kind in columns.items():
            setattr(self, name, np.zeros(ROWS, kind))

    def take(self, who: int) -> int:
        """Give away a row; every column of it is 0."""
        if self._free:
            row = self._free.pop()
        else:
            row = self.end
            self.end += 1
            if self.end > len(getattr(self, next(iter(self._columns)))):
                self._double()
        self.rows[who] = row
        return row

    def give_back(self, who: int) -> None:
        """Clear a row, for the next one."""
        row = self.rows.pop(who)
        for name in self._columns:
            getattr(self, name)[row] = 0
        self._free.append(row)

    def _double(self) -> None:
        for name in self._columns:
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))


class AccountColumns(_Rows):
    """The accounts that live calls are paid from, as the store last said."""

    id: Int64s
    posted: Int64s
    available: Int64s
    funded: Int64s
    is_known: Flags
    """The store has said what stands on it."""
    calls: Int64s
    micros_per_minute: Int64s
    """Of all its calls together."""

    def __init__(self) -> None:
        names = ("id", "posted", "available", "funded", "calls", "micros_per_minute")
        super().__init__({**dict.fromkeys(names, np.int64), "is_known": np.bool_})

    def add_call(self, account: AccountId, rate: Rate, purse: Purse | None) -> int:
        """Count a call in; return the account's row."""
        row = self.rows.get(account) or self.take(account)
        self.id[row] = account
        self.calls[row] += 1
        self.micros_per_minute[row] += rate.micros_per_minute
        if purse is not None:
            self.posted[row], self.available[row] = purse.posted, purse.available
            self.funded[row], self.is_known[row] = purse.funded, True
        return row

    def drop_call(self, row: int, micros_per_minute: int) -> None:
        """Count a call out; an account without one is forgotten."""
        self.calls[row] -= 1
        self.micros_per_minute[row] -= micros_per_minute
        if not self.calls[row]:
            self.give_back(int(self.id[row]))

    def are_ample(self) -> Flags:
        """Say of each row whether the account is ample; one that nobody knows is not."""
        live = self.micros_per_minute
        return self.is_known & is_ample(self.available, live_micros_per_minute=live)


class CallColumns(_Rows):
    """The meters of live calls. Mirrors their rows in the store as of the last applied beat."""

    call: Int64s
    account: Int64s
    """Its row in `AccountColumns`."""
    micros_per_minute: Int64s
    free_s: Int64s
    seq: Int64s
    paid_s: Int64s
    charged: Int64s
    posted: Int64s
    bridged_ns: Int64s
    refused: Int64s
    """A place in `REFUSALS`."""
    bridged_at: Float64s
    opened_at: Float64s
    is_bridged: Flags
    is_bridge_stored: Flags

    def __init__(self) -> None:
        names = ("call", "account", "micros_per_minute", "free_s", "seq", "paid_s", "charged")
        more = ("posted", "bridged_ns", "refused")
        super().__init__(
            {
                **dict.fromkeys(names + more, np.int64),
                **dict.fromkeys(("bridged_at", "opened_at"), np.float64),
                **dict.fromkeys(("is_bridged", "is_bridge_stored"), np.bool_),
            }
        )

    def open(self, call: CallId, account: int, rate: Rate, paid_s: int, opened_at: float) -> int:
        """Begin a meter; return its row."""
        row = self.take(call)
        self.call[row], self.account[row] = call, account
        self.micros_per_minute[row], self.free_s[row] = rate.micros_per_minute, rate.free_s
        self.paid_s[row], self.opened_at[row] = paid_s, opened_at
        return row

    def bridge(self, row: int, at: float) -> None:
        """Start the seconds, at this reading of the monotonic clock."""
        self.bridged_at[row], self.bridged_ns[row] = at, to_ns(at)
        self.is_bridged[row] = True

    def rate(self, row: int) -> Rate:
        """What a call costs."""
        price = Micros(int(self.micros_per_minute[row]))
        return Rate(micros_per_minute=price, free_s=int(self.free_s[row]))

    def bridged(self) -> Int64s:
        """The rows of the calls that talk."""
        return np.flatnonzero(self.is_bridged[: self.end])

    def of_account(self, account: int) -> Int64s:
        """The rows of the calls that one account pays for."""
        return np.flatnonzero(self.account[: self.end] == account)

    def still(self, rows: Int64s, calls: Int64s) -> Flags | slice:
        """Which of the rows that were written down still name the same call."""
        same = self.call[rows] == calls
        return slice(None) if same.all() else same


def price_of_unused(calls: CallColumns, rows: Int64s) -> Int64s:
    """What the paid seconds that were not talked yet cost."""
    whole = charge(calls.micros_per_minute[rows], calls.free_s[rows], calls.paid_s[rows])
    return whole - calls.charged[rows]


def seconds_left(calls: CallColumns, accounts: AccountColumns) -> Int64s:
    """Count for each row what its call may still talk, shared with the others of its account."""
    rows, end = np.arange(calls.end), accounts.end
    account, unused_s = calls.account[rows], calls.paid_s[rows] - calls.seq[rows]
    money = accounts.available[:end].copy()
    np.add.at(money, account, price_of_unused(calls, rows))
    shared_s = seconds_for(accounts.micros_per_minute[:end], np.zeros(end, np.int64), money)
    # The only call of an account: from its start, so that the fraction given away counts.
    whole = calls.charged[rows] + money[account]
    alone_s = seconds_for(calls.micros_per_minute[rows], calls.free_s[rows], whole)
    alone_s = np.maximum(unused_s, alone_s - calls.seq[rows])
    left_s = np.where(accounts.calls[account] == 1, alone_s, shared_s[account])
    is_fixed = (calls.refused[rows] != 0) | ~accounts.is_known[account]
    return np.where(is_fixed, unused_s, left_s)


def seconds_left_of(calls: CallColumns, accounts: AccountColumns, row: int) -> int:
    """Count the same for one call."""
    account, unused_s = int(calls.account[row]), int(calls.paid_s[row] - calls.seq[row])
    if calls.refused[row] or not accounts.is_known[account]:
        return unused_s
    available = int(accounts.available[account])
    if accounts.calls[account] == 1:
        price = calls.rate(row)
        whole = Micros(available + rating.charge(price, int(calls.paid_s[row])))
        return max(unused_s, rating.seconds_for(price, whole) - int(calls.seq[row]))
    unused = int(price_of_unused(calls, calls.of_account(account)).sum())
    together = Rate(micros_per_minute=Micros(int(accounts.micros_per_minute[account])))
    return rating.seconds_for(together, Micros(available + unused))


def balances(calls: CallColumns, accounts: AccountColumns) -> Int64s:
    """What people are shown, for each row of `accounts`: less what is charged by now."""
    shown = accounts.posted[: accounts.end].copy()
    rows = slice(calls.end)
    np.subtract.at(shown, calls.account[rows], calls.charged[rows] - calls.posted[rows])
    return shown
