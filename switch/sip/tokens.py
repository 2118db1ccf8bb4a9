"""Tags, branches, Call-IDs. Source: RFC 3261 sections 19.3 and 8.1.1.7 (32 random bits or more)."""

from typing import Final, Protocol

MAGIC_COOKIE: Final = "z9hG4bK"
"""How every branch of RFC 3261 begins. RFC 3261 section 8.1.1.7."""

TAG_BITS: Final = 64
"""Chosen: twice what RFC 3261 section 19.3 demands, so that a dialog cannot be guessed."""

BRANCH_BITS: Final = 64
"""Chosen, for the same reason: a CANCEL needs nothing but the branch."""

CALL_ID_BITS: Final = 96
"""Chosen: unique over all nodes without naming the host."""

INSTANCE_BITS: Final = 40
"""Marks our own branches, so that a request that comes back to us is known as a loop. Chosen."""


class Randomness(Protocol):
    """What the stack asks of `random.Random`."""

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of k random bits."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """Return a float between both."""
        ...


class Tokens:
    """Makes the random names of one stack.

    Args:
        random: `SystemRandom` in service, seeded in tests.
    """

    def __init__(self, random: Randomness) -> None:
        self._random = random
        self.instance = f"k{random.getrandbits(INSTANCE_BITS):010x}"
        """Part of every branch of ours and of nobody else's."""

    def tag(self) -> str:
        """Return a From or To tag."""
        return f"{self._random.getrandbits(TAG_BITS):016x}"

    def branch(self) -> str:
        """Return the branch of a new client transaction."""
        return f"{MAGIC_COOKIE}{self.instance}.{self._random.getrandbits(BRANCH_BITS):016x}"

    def call_id(self) -> str:
        """Return a Call-ID."""
        return f"{self._random.getrandbits(CALL_ID_BITS):024x}"

    def cnonce(self) -> str:
        """Return a client nonce for digest. RFC 7616 section 3.4."""
        return f"{self._random.getrandbits(TAG_BITS):016x}"

    def between(self, low: float, high: float) -> float:
        """Return a random wait between both, in seconds."""
        return self._random.uniform(low, high)
