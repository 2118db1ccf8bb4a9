"""Who pays for a call. The choice falls before ringing and stays for the call."""

from enum import StrEnum
from typing import Final


class Payer(StrEnum):
    """The five payers of the trade."""

    CALLED_PREPAID = "called_prepaid"
    """A contact's prepaid account."""
    CALLER_DEBIT = "caller_debit"
    """The person's own account."""
    CALLED_DIRECT = "called_direct"
    """A monthly invoice with a credit limit."""
    CALLED_COLLECT = "called_collect"
    """The called line's own bill."""
    AGENCY_FREE = "agency_free"
    """The agency; free for both people on the call."""


SERVED_PAYERS: Final = frozenset(Payer)
"""Those that have accounts; all of them."""
