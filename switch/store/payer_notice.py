"""Telling a payer about money: on every address that was proved to be theirs.

A notice is written where the ledger is, in the deed of what it tells of. A carrier of each node
takes it from there to the outbox, out of which mail is sent.
"""

import asyncio
import json
import logging
import sqlite3
from typing import Any, Final

from switch.errors import StoreError
from switch.ids import AccountId
from switch.store import outbox_store
from switch.store.engine import Store, driver
from switch.store.vault import Raw, Vault, lock_name

CARRY_S: Final = 5.0
"""How often notices are carried. Chosen: as often as the outbox is looked at."""

BATCH_MAX: Final = 100
"""Notices of one round. Chosen."""

_CONTACTS: Final = """
SELECT way, address FROM account_contact WHERE account_id = ? ORDER BY way, address
"""
_ADD: Final = """
INSERT INTO account_contact (account_id, way, address, verified_at) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, way, address) DO UPDATE SET verified_at = excluded.verified_at
"""
_DROP: Final = "DELETE FROM account_contact WHERE account_id = ? AND address = ?"
_WRITE: Final = "INSERT INTO payer_notice (kind, recipient, body, at) VALUES (?, ?, ?, ?)"
_WAITING: Final = """
SELECT id, kind, recipient, body, at FROM payer_notice WHERE carried_at IS NULL
 ORDER BY id LIMIT ?
"""
_CARRIED: Final = "UPDATE payer_notice SET carried_at = ? WHERE id = ?"
_IN_OUTBOX: Final = "SELECT 1 FROM outbox WHERE kind = ? AND body = ? AND recipient = ?"

log: Final = logging.getLogger(__name__)


def contacts_of(raw: Raw, account: AccountId) -> list[tuple[str, str]]:
    """Return way and address of what was proved to belong to the payer."""
    return [(way, address) for way, address in raw.execute(_CONTACTS, (account,))]


def add_contact(raw: Raw, account: AccountId, way: str, address: str, *, at: float) -> None:
    """Keep an address that was proved to belong to the payer."""
    raw.execute(_ADD, (account, way, address, at))


def drop_contact(raw: Raw, account: AccountId, address: str) -> bool:
    """Take an address away; False if it is none of the account's."""
    return raw.execute(_DROP, (account, address)).rowcount > 0


def tell(raw: Raw, account: AccountId, kind: str, body: dict[str, Any], *, at: float) -> int:
    """Let a notice wait for each proved address; without one, it fails where staff see it.

    Returns:
        How many addresses it goes to.
    """
    # A telephone that was proved by a spoken code takes no messages.
    contacts = [one for one in contacts_of(raw, account) if one[0] != "voice"]
    text = json.dumps({"account": account} | body)
    for _way, address in contacts or [("", "")]:
        raw.execute(_WRITE, (kind, address, text, at))
    return len(contacts)


class NoticeCarrier:
    """Takes notices from the ledger to the outbox of this node.

    Args:
        vault: where the ledger is.
        store: where the outbox is.
    """

    def __init__(self, vault: Vault, store: Store) -> None:
        self._vault = vault
        self._store = store

    async def run(self) -> None:
        """Carry, until cancelled."""
        while True:
            try:
                await self.carry()
            except StoreError as error:
                log.error("Notices cannot be carried: %s", error)  # noqa: TRY400 - the sentence says it all
            await asyncio.sleep(CARRY_S)

    async def carry(self) -> int:
        """Carry what waits; return how many. Carried twice after a crash, one is queued once."""
        at = self._vault.clock.wall()
        rows = await self._vault.read(lambda raw: raw.execute(_WAITING, (BATCH_MAX,)).fetchall())
        if not rows:
            return 0

        def queue(raw: sqlite3.Connection) -> None:
            for id_, kind, recipient, text, since in rows:
                body = json.loads(text) | {"notice": id_}
                known = raw.execute(_IN_OUTBOX, (kind, json.dumps(body), recipient)).fetchone()
                if known is None:
                    outbox_store.queue(raw, kind, recipient=recipient, body=body, at=since)

        def mark(raw: Raw) -> None:
            lock_name(raw, "payer notices")
            raw.executemany(_CARRIED, [(at, row[0]) for row in rows])

        await self._store.write(lambda c: queue(driver(c)))
        await self._vault.write(mark)
        return len(rows)
