"""The privileged register as values: signed entries, a count, a hash chain, and what they say.

An entry never changes. Who is privileged now is what all entries say, read in their order. The
register is whole if every link follows the one before, every signature is ours, the numbers run
from 1 without a gap, and the head that is kept outside the database is among them: so a row that
was changed, removed, added or cut off the end is found. calls.md section 6, P8 and P11.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from switch.chain import FIRST_LINK, link
from switch.routing.number import E164


class RegisterEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of the register."""

    seq: int
    """From 1, without a gap."""
    action: Literal["add", "remove"]
    number: E164
    kind: str = "attorney"
    """`attorney`, `clergy`, `doctor`…"""
    name: str = ""
    facility: str = ""
    """'' is every facility."""
    person: str = ""
    """'' is every person."""
    passive: bool = False
    """Needs no acceptance: agreed at registration, for trunks without telephone events. P6."""
    agency_pays: bool = False
    language: str = ""
    tell: str = ""
    """Where the attorney wants to be told: an address for mail."""
    by: tuple[str, ...]
    """Who decided: one to add, two to remove. P11."""
    note: str = ""
    at: float
    """Wall seconds."""


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry as it is stored."""

    seq: int
    body: bytes
    signature: bytes
    link: str


class RegisterHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long the register was when it last grew; kept beside the key, not in the database."""

    count: int
    link: str


@dataclass(frozen=True, slots=True)
class RegisterAnswer:
    """What the register says of one number, for one person at one facility."""

    whole: bool
    """False: it cannot be proved whole, so it cannot answer."""
    entry: RegisterEntry | None


UNANSWERED = RegisterAnswer(whole=False, entry=None)
"""The register is broken or could not be read."""


def body_of(entry: RegisterEntry) -> bytes:
    """The bytes that are signed and chained."""
    return msgspec.json.encode(entry, order="sorted")


def entry_of(body: bytes) -> RegisterEntry:
    """Read what `body_of` wrote.

    Raises:
        msgspec.ValidationError: it did not write this.
    """
    return msgspec.json.decode(body, type=RegisterEntry)


def fault_of(
    rows: Sequence[SealedEntry],
    head: RegisterHead | None,
    is_signed: Callable[[bytes, bytes], bool],
) -> str:
    """Say what is wrong with the register, or '' if it is whole.

    Args:
        rows: all of it, by sequence.
        head: what stands beside the key; None if nothing was ever written there.
        is_signed: whether (body, signature) is ours.
    """
    previous = FIRST_LINK
    for place, row in enumerate(rows, start=1):
        if row.seq != place:
            return f"entry {place} is missing"
        if link(previous, row.body + row.signature) != row.link:
            return f"entry {place} does not follow the one before it"
        if not is_signed(row.body, row.signature):
            return f"entry {place} is not signed by us"
        if not _says_its_place(row):
            return f"entry {place} says that it is another one"
        previous = row.link
    return _fault_of_head(rows, head)


def standing(
    entries: Iterable[RegisterEntry], *, facility: str, person: str | None
) -> RegisterEntry | None:
    """Return the entry that makes a number privileged now, or None.

    Args:
        entries: all entries of one number, in their order.
        facility: where the call comes from.
        person: who calls, if that is known.
    """
    live: dict[tuple[str, str], RegisterEntry] = {}
    for entry in entries:
        scope = (entry.facility, entry.person)
        if entry.action == "add":
            live[scope] = entry
        else:
            live.pop(scope, None)
    for scope in ((facility, person or ""), ("", person or ""), (facility, ""), ("", "")):
        if scope in live:
            return live[scope]
    return None


def _says_its_place(row: SealedEntry) -> bool:
    try:
        return entry_of(row.body).seq == row.seq
    except msgspec.MsgspecError:
        return False


def _fault_of_head(rows: Sequence[SealedEntry], head: RegisterHead | None) -> str:
    if head is None:
        return "" if not rows else "the head beside the key is missing"
    if head.count > len(rows):
        return f"{head.count} entries were written, {len(rows)} are there"
    if head.count and rows[head.count - 1].link != head.link:
        return f"entry {head.count} is not the one that was written"
    return ""
