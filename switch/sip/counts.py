"""What a stack has done and what it holds now, for metrics and for tests that count leaks.

Source: chosen; the names of the series are in `signalling.md` section 11 (RFC 6076 builds on them).
"""

from collections import Counter

import msgspec


class StackCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot. Everything but the last five rows is zero when all calls are over."""

    transactions: dict[str, int]
    """By `kind:state`, as `invite_server:PROCEEDING`; finished ones are `lingering:server`."""
    dialogs: dict[str, int]
    """By state; those that are over are not here."""
    unanswered: int
    """Requests that were passed up and wait for `respond_to`."""
    successes: int
    """2xx that wait for their ACK."""
    waits: int
    """Cancelled INVITEs and glares that wait."""
    retransmissions: int
    requests: dict[str, int]
    """By `in:METHOD` or `out:METHOD`, repeats not counted."""
    responses: dict[str, int]
    """By `in:status` or `out:status`, repeats not counted."""
    dropped: dict[str, int]
    """By reason."""
    refused: dict[str, int]
    """By what was refused by the stack itself."""
    shed: dict[str, int] = {}
    """Requests that got 503 because of load, by method."""
    digest_failures: int = 0
    """Digest answers that were wrong."""

    @property
    def held(self) -> int:
        """How much is held in all."""
        transactions, dialogs = sum(self.transactions.values()), sum(self.dialogs.values())
        return transactions + dialogs + self.unanswered + self.successes + self.waits


class Tally:
    """What has happened so far."""

    def __init__(self) -> None:
        self.retransmissions = 0
        self.requests: Counter[str] = Counter()
        self.responses: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.shed: Counter[str] = Counter()
        self.digest_failures = 0
