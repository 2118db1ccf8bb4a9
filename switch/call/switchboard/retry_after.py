"""When a refused terminal may try again: spread, so that not all of them come back at once."""

from random import Random
from typing import Final

RETRY_S_MIN: Final = 5
RETRY_S_MAX: Final = 15
"""Chosen: a person presses the keys again in about this time anyhow."""


def retry_after_header(random: Random) -> tuple[str, str]:
    """Build the header of a 503. RFC 3261 section 20.33."""
    return ("Retry-After", str(random.randint(RETRY_S_MIN, RETRY_S_MAX)))
