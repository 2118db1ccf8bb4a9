"""Payers who are signed in, and the accounts that are theirs. Inside a deed.

Whoever proved an address is signed in as that address; an account is theirs if the address was
proved to belong to it. A mail address is the same in capitals and in small letters; here it is
always given in small ones.
"""

from dataclasses import dataclass
from typing import Final

from switch.billing.ledger import Account
from switch.ids import AccountId
from switch.money import Micros
from switch.store import ledger_statements
from switch.store.vault import Raw

ACCOUNTS_MAX: Final = 20
"""Of one address. Chosen: an attorney's office has a handful."""

_BEGIN: Final = """
INSERT INTO payer_session (hash, way, address, client, began_at, seen_at, ends_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_FIND: Final = "SELECT way, address, seen_at, ends_at FROM payer_session WHERE hash = ?"
_SEEN: Final = "UPDATE payer_session SET seen_at = ? WHERE hash = ?"
_END: Final = "DELETE FROM payer_session WHERE hash = ?"
_END_ALL: Final = "DELETE FROM payer_session WHERE address = ?"
_LAPSED: Final = "DELETE FROM payer_session WHERE ends_at <= ?"
_ACCOUNTS: Final = """
SELECT DISTINCT account_id FROM account_contact WHERE lower(address) = ?
 ORDER BY account_id LIMIT ?
"""
_TELEPHONES: Final = """
SELECT DISTINCT address FROM account_contact
 WHERE account_id = ? AND way IN ('sms', 'voice') ORDER BY address
"""
_ADDRESSES: Final = """
SELECT way, address FROM account_contact WHERE account_id = ? ORDER BY way, address
"""
_LIVE: Final = """
SELECT coalesce(sum(charged - posted), 0), coalesce(sum(hold), 0) FROM live_meter
 WHERE account_id = ?
"""


@dataclass(frozen=True, slots=True)
class PayerSession:
    """One sign-in. Times are wall seconds."""

    way: str
    address: str
    seen_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """An account as its owner sees it: every second of a live call is gone already."""

    balance: Micros
    set_aside: Micros
    """For a payment that is disputed; what a live call holds is not counted."""
    floor: Micros
    """0, or minus the credit limit."""

    @property
    def left(self) -> Micros:
        """What there is to talk with."""
        return Micros(self.balance - self.set_aside - self.floor)


def begin(
    raw: Raw, hash_: str, *, way: str, address: str, client: str, at: float, ends_at: float
) -> None:
    """Write a sign-in down; those whose time is over go."""
    raw.execute(_LAPSED, (at,))
    raw.execute(_BEGIN, (hash_, way, address, client, at, at, ends_at))


def find(raw: Raw, hash_: str) -> PayerSession | None:
    """Return a sign-in, be its time over or not; None if there is none."""
    row = raw.execute(_FIND, (hash_,)).fetchone()
    return None if row is None else PayerSession(*row)


def seen(raw: Raw, hash_: str, *, at: float) -> None:
    """Note that it is used."""
    raw.execute(_SEEN, (at, hash_))


def end(raw: Raw, hash_: str) -> None:
    """End a sign-in."""
    raw.execute(_END, (hash_,))


def end_all(raw: Raw, address: str) -> int:
    """End every sign-in of an address, on every device; return how many there were."""
    return raw.execute(_END_ALL, (address,)).rowcount


def accounts_of(raw: Raw, address: str) -> list[Account]:
    """Return the accounts that an address was proved to belong to."""
    rows = raw.execute(_ACCOUNTS, (address, ACCOUNTS_MAX)).fetchall()
    found = (ledger_statements.find(raw, AccountId(id_)) for (id_,) in rows)
    return [account for account in found if account is not None]


def telephones_of(raw: Raw, account: AccountId) -> list[str]:
    """Return the numbers that were proved to belong to a payer."""
    return [number for (number,) in raw.execute(_TELEPHONES, (account,))]


def addresses_of(raw: Raw, account: AccountId) -> list[str]:
    """Return every address that was proved to belong to a payer, each once."""
    return list(dict.fromkeys(address for _, address in raw.execute(_ADDRESSES, (account,))))


def standing_of(raw: Raw, account: Account) -> Standing:
    """Return what stands on an account at this second."""
    charged, of_calls = (int(one) for one in raw.execute(_LIVE, (account.id,)).fetchone())
    purse = account.purse
    return Standing(
        balance=Micros(purse.posted - charged),
        set_aside=Micros(purse.held - of_calls),
        floor=purse.floor or Micros(0),
    )


def left_on(raw: Raw, account: AccountId) -> Micros:
    """Return what there is to talk with on an account that exists."""
    found = ledger_statements.find(raw, account)
    assert found is not None
    return standing_of(raw, found).left
