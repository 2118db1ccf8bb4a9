"""The privileged register: proved whole at start, then answered from memory.

A call is answered from entries that were verified, not from the table, so what somebody does to
the file afterwards shows at the next proof and changes no call before it. If the register cannot
be proved whole, it answers nothing: every call goes on, and none is inspected (calls.md P2, P8).
"""

import asyncio
import logging
import sqlite3
from collections import defaultdict
from typing import Final

import msgspec
from sqlalchemy import Connection

from switch.chain import FIRST_LINK, link
from switch.errors import StoreError, UserError
from switch.routing.number import E164
from switch.screening.register import (
    UNANSWERED,
    RegisterAnswer,
    RegisterEntry,
    RegisterHead,
    SealedEntry,
    body_of,
    entry_of,
    fault_of,
    standing,
)
from switch.store import outbox_store
from switch.store.engine import Store, driver
from switch.store.house_keys import HouseKeys
from switch.store.recording_store import seal_number

NOT_PROVED: Final = "not proved yet"
_ALL: Final = "SELECT seq, body, signature, link FROM privileged_register ORDER BY seq"
_LAST: Final = "SELECT seq, link FROM privileged_register ORDER BY seq DESC LIMIT 1"
_ADD: Final = """
INSERT INTO privileged_register (seq, number, body, signature, link) VALUES (?, ?, ?, ?, ?)
"""
_ASK: Final = """
INSERT INTO register_withdrawal (number, facility, person, by, note, at) VALUES (?, ?, ?, ?, ?, ?)
"""
_ASKED: Final = """
SELECT id, by, note FROM register_withdrawal
 WHERE number = ? AND facility = ? AND person = ? AND done_at IS NULL ORDER BY id LIMIT 1
"""
_DONE: Final = "UPDATE register_withdrawal SET done_at = ? WHERE id = ?"

log = logging.getLogger(__name__)


class Register:
    """The privileged register of this node.

    Args:
        store: the open database.
        keys: where its key and its head stand.
    """

    def __init__(self, store: Store, keys: HouseKeys) -> None:
        self.fault = NOT_PROVED
        """Why it cannot answer; '' if it is whole."""
        self._store = store
        self._keys = keys
        self._entries: dict[str, list[RegisterEntry]] = {}

    # ---- what a call asks

    def answer(self, number: str | None, *, facility: str, person: str | None) -> RegisterAnswer:
        """Say whether a number is privileged for this person at this facility."""
        if self.fault:
            return UNANSWERED
        entries = self._entries.get(number or "", [])
        return RegisterAnswer(whole=True, entry=standing(entries, facility=facility, person=person))

    def mentions(self, number: str | None) -> bool:
        """Say whether a number was ever privileged for anybody."""
        return number in self._entries

    def may_hold(self, number: str) -> bool:
        """Say whether a number may be privileged for somebody: it cannot be ruled out."""
        return bool(self.fault) or self.mentions(number)

    def listed(self) -> list[RegisterEntry]:
        """Return every entry, in order."""
        every = [entry for entries in self._entries.values() for entry in entries]
        return sorted(every, key=lambda entry: entry.seq)

    # ---- proof

    async def verify(self) -> str:
        """Prove the register whole, from the first entry to the head beside the key.

        Returns:
            What is wrong, or ''. `fault` says the same until the next proof.
        """
        try:
            rows = await self._store.read(_rows)
            self.fault = await asyncio.to_thread(self._fault, rows)
            self._entries = _by_number(rows) if not self.fault else {}
        except StoreError as error:
            self.fault = str(error)
            self._entries = {}
        if self.fault:
            log.error("the privileged register is not whole: %s; no call is inspected", self.fault)
        return self.fault

    def _fault(self, rows: list[SealedEntry]) -> str:
        if not self._keys.can_sign():
            return "its key is missing"
        return fault_of(rows, self._keys.head(), self._keys.is_signed)

    # ---- change

    async def add(self, entry: RegisterEntry) -> RegisterEntry:
        """Write one entry that makes a number privileged. One approval is enough (P11).

        Raises:
            UserError: the register is not whole, or somebody is missing.
        """
        if not entry.by or not entry.by[0]:
            raise UserError("Say who approves it.")
        return await self._append(msgspec.structs.replace(entry, action="add"))

    async def remove(
        self, number: E164, *, facility: str, person: str, by: str, note: str, at: float
    ) -> RegisterEntry | None:
        """Ask to withdraw a number, or agree to it as the second person.

        Returns:
            The entry that withdraws it, or None while a second person is missing.

        Raises:
            UserError: it is not registered so, a note is missing, or the same person asked.
        """
        if not note.strip():
            raise UserError("Say why: a note is required to withdraw a number.")
        found = self._exactly(number, facility=facility, person=person)
        asked = await self._store.write(
            lambda c: _ask(driver(c), (number, facility, person), by=by, note=note, at=at)
        )
        if asked is None:
            return None
        first, first_note, request = asked
        entry = msgspec.structs.replace(
            found, action="remove", by=(first, by), note=f"{first_note} / {note}", at=at
        )
        written = await self._append(entry)
        await self._store.write(lambda c: _withdrawn(driver(c), written, request))
        return written

    def _exactly(self, number: E164, *, facility: str, person: str) -> RegisterEntry:
        if self.fault:
            raise UserError(f"The privileged register is not whole: {self.fault}.")
        live: RegisterEntry | None = None
        for entry in self._entries.get(number, []):
            if (entry.facility, entry.person) == (facility, person):
                live = entry if entry.action == "add" else None
        if live is None:
            raise UserError(f"{number} is not registered for exactly this facility and person.")
        return live

    async def _append(self, entry: RegisterEntry) -> RegisterEntry:
        if self.fault:
            raise UserError(f"The privileged register is not whole: {self.fault}.")
        written, head = await self._store.write(lambda c: self._write(c, entry))
        await asyncio.to_thread(self._keys.set_head, head)
        await self.verify()
        return written

    def _write(
        self, connection: Connection, entry: RegisterEntry
    ) -> tuple[RegisterEntry, RegisterHead]:
        """Write an entry; what it makes privileged is sealed in the same transaction."""
        raw = driver(connection)
        seq, previous = raw.execute(_LAST).fetchone() or (0, FIRST_LINK)
        placed = msgspec.structs.replace(entry, seq=seq + 1)
        body = body_of(placed)
        signature = self._keys.sign(body)
        sealed = link(previous, body + signature)
        raw.execute(_ADD, (placed.seq, placed.number, body, signature, sealed))
        if placed.action == "add":
            seal_number(connection, placed)
        return placed, RegisterHead(count=placed.seq, link=sealed)


def _rows(connection: Connection) -> list[SealedEntry]:
    raw = driver(connection)
    return [
        SealedEntry(int(seq), _bytes(body), _bytes(signature), str(sealed))
        for seq, body, signature, sealed in raw.execute(_ALL)
    ]


def _bytes(value: object) -> bytes:
    """Read a column as bytes, whatever type somebody made of it; the proof says the rest."""
    return value if isinstance(value, bytes) else str(value).encode()


def _by_number(rows: list[SealedEntry]) -> dict[str, list[RegisterEntry]]:
    found: defaultdict[str, list[RegisterEntry]] = defaultdict(list)
    for row in rows:
        entry = entry_of(row.body)
        found[entry.number].append(entry)
    return dict(found)


def _ask(
    raw: sqlite3.Connection, key: tuple[str, str, str], *, by: str, note: str, at: float
) -> tuple[str, str, int] | None:
    """Note the first request; return (first, note, id) when a second person agrees."""
    row = raw.execute(_ASKED, key).fetchone()
    if row is None:
        raw.execute(_ASK, (*key, by, note, at))
        return None
    request, first, first_note = row
    if first == by:
        raise UserError(f"{by} asked for this already. A second person must agree.")
    return first, first_note, request


def _withdrawn(raw: sqlite3.Connection, entry: RegisterEntry, request: int) -> None:
    """Close the request and queue the notice to the attorney."""
    raw.execute(_DONE, (entry.at, request))
    body = {"number": entry.number, "by": entry.by, "note": entry.note}
    outbox_store.queue(raw, "privileged_removed", recipient=entry.tell, body=body, at=entry.at)
