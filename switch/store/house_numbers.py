"""Rules of numbers: lists, blocks of four kinds, exemptions, the called party's own block.

Inside a deed. A rule is never deleted: it ends, and who ended it stays written. Exact numbers are
found by their index; wildcards of a facility are few (200) and are matched one by one.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from switch.errors import UserError
from switch.routing.number import E164
from switch.routing.treatment import Treatment
from switch.routing.wildcard import canonical_pattern, is_wildcard, matches, precedence
from switch.screening.facts import Block, BlockKind
from switch.store import house_rows

RuleKind = Literal["allow", "security", "facility", "agent"]
KeypadScope = Literal["person", "facility", "agency"]

_COLUMNS: Final = "id, facility, pattern, kind, treatment, note, by, at"
_LIVE: Final = "removed_at IS NULL AND facility IN ('', :facility)"
_EXACT: Final = f"SELECT {_COLUMNS} FROM number_rule WHERE pattern = :number AND {_LIVE}"  # noqa: S608 - columns only
_WILD: Final = f"SELECT {_COLUMNS} FROM number_rule WHERE is_wildcard = 1 AND {_LIVE}"  # noqa: S608 - columns only
_LIST: Final = f"""
SELECT {_COLUMNS} FROM number_rule
 WHERE removed_at IS NULL AND (:facility = '' OR facility IN ('', :facility))
   AND (:kind = '' OR kind = :kind)
 ORDER BY kind, pattern LIMIT :rows_max
"""  # noqa: S608 - columns only
_ADD: Final = """
INSERT INTO number_rule (facility, pattern, is_wildcard, kind, treatment, note, by, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (pattern, facility, kind) WHERE removed_at IS NULL
DO UPDATE SET treatment = excluded.treatment, note = excluded.note,
  by = excluded.by, at = excluded.at
"""
_REMOVE: Final = """
UPDATE number_rule SET removed_at = ?, removed_by = ?, removed_why = ?
 WHERE pattern = ? AND facility = ? AND kind = ? AND removed_at IS NULL
"""
_EXEMPT: Final = """
INSERT OR REPLACE INTO block_exemption (person, number, by, note, at) VALUES (?, ?, ?, ?, ?)
"""
_EXEMPTED: Final = "SELECT 1 FROM block_exemption WHERE person = ? AND number = ?"
_KEYPAD: Final = """
SELECT id, scope FROM keypad_block
 WHERE number = ? AND undone_at IS NULL AND (scope, target) IN (VALUES
   ('person', ?), ('facility', ?), ('agency', ?)) ORDER BY id LIMIT 1
"""
_KEYPAD_ADD: Final = """
INSERT INTO keypad_block (number, scope, target, call_id, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (number, scope, target) WHERE undone_at IS NULL DO NOTHING
"""
_KEYPAD_ANY: Final = "SELECT 1 FROM keypad_block WHERE number = ? AND undone_at IS NULL LIMIT 1"
_KEYPAD_LIST: Final = """
SELECT id, scope, target, at FROM keypad_block WHERE number = ? AND undone_at IS NULL ORDER BY id
"""
_KEYPAD_UNDO_ONE: Final = """
UPDATE keypad_block SET undone_at = ? WHERE id = ? AND number = ? AND undone_at IS NULL
"""
_KEYPAD_UNDO: Final = """
UPDATE keypad_block SET undone_at = ? WHERE number = ? AND undone_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class KeypadBlock:
    """Whom the owner of a number wants no calls from."""

    id: int
    scope: KeypadScope
    target: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRule:
    """One rule that is in force."""

    id: int
    facility: str
    """'' is every facility."""
    pattern: str
    kind: RuleKind
    treatment: Treatment
    note: str
    by: str
    at: float


def rules_for(raw: sqlite3.Connection, number: str, *, facility: str) -> list[NumberRule]:
    """Return the rules that a number falls under, the one that says most first."""
    key = {"number": number, "facility": facility}
    found = [_rule(row) for row in raw.execute(_EXACT, key)]
    found += [_rule(row) for row in raw.execute(_WILD, key) if matches(row[2], number)]
    return sorted(found, key=lambda rule: (precedence(rule.pattern), rule.facility == "", rule.id))


def listed(
    raw: sqlite3.Connection, *, facility: str = "", kind: str = "", rows_max: int = 1_000
) -> list[NumberRule]:
    """List rules in force."""
    key = {"facility": facility, "kind": kind, "rows_max": rows_max}
    return [_rule(row) for row in raw.execute(_LIST, key)]


def add_rule(
    raw: sqlite3.Connection,
    pattern: str,
    *,
    kind: RuleKind,
    facility: str,
    by: str,
    at: float,
    note: str = "",
    treatment: Treatment | None = None,
) -> str:
    """Put a rule into force; return its pattern as it is kept.

    Raises:
        UserError: it is no pattern, or a block has no note.
    """
    canonical = canonical_pattern(pattern)
    if kind != "allow" and not note.strip():
        raise UserError("A block needs a note that says why.")
    body = msgspec.json.encode(treatment or Treatment()).decode()
    row = (facility, canonical, is_wildcard(canonical), kind, body, note, by, at)
    raw.execute(_ADD, row)
    house_rows.touch(raw)
    return canonical


def remove_rule(
    raw: sqlite3.Connection,
    pattern: str,
    *,
    kind: RuleKind,
    facility: str,
    by: str,
    why: str,
    at: float,
) -> bool:
    """End a rule; return whether there was one."""
    key = (at, by, why, canonical_pattern(pattern), facility, kind)
    ended = raw.execute(_REMOVE, key).rowcount > 0
    house_rows.touch(raw)
    return ended


def blocks_of(rules: list[NumberRule]) -> list[Block]:
    """Return the blocks among the rules of a number, best first within each kind."""
    return [
        Block(BlockKind(rule.kind), rule.id, rule.pattern, rule.note)
        for rule in rules
        if rule.kind != "allow"
    ]


def exempt(
    raw: sqlite3.Connection, person: str, number: str, *, by: str, note: str, at: float
) -> None:
    """Let a person call a number that the facility blocked.

    Raises:
        UserError: nobody says why.
    """
    if not note.strip():
        raise UserError("Say why: an exemption needs a note.")
    raw.execute(_EXEMPT, (person, number, by, note, at))


def is_exempt(raw: sqlite3.Connection, person: str, number: str) -> bool:
    """Say whether staff exempted a person from the facility's block of a number."""
    return raw.execute(_EXEMPTED, (person, number)).fetchone() is not None


def keypad_block_of(
    raw: sqlite3.Connection, number: str, *, person: str, facility: str, agency: str
) -> Block | None:
    """Return the called party's own block that meets this call."""
    row = raw.execute(_KEYPAD, (number, person, facility, agency)).fetchone()
    return None if row is None else Block(BlockKind.KEYPAD, row[0], number, f"of the {row[1]}")


def has_keypad_block(raw: sqlite3.Connection, number: str) -> bool:
    """Say whether the owner of a number blocked anybody."""
    return raw.execute(_KEYPAD_ANY, (number,)).fetchone() is not None


def block_by_keypad(
    raw: sqlite3.Connection,
    number: E164,
    *,
    scope: KeypadScope,
    target: str,
    call: int | None,
    at: float,
) -> None:
    """The called party wants no more calls from a person, a facility or an agency."""
    raw.execute(_KEYPAD_ADD, (number, scope, target, call, at))


def undo_keypad(raw: sqlite3.Connection, number: E164, *, at: float) -> int:
    """The called party takes their blocks back; return how many there were.

    They come back all together: whom they blocked does not reach them any more, be it a person,
    a facility or an agency, so they could never be asked about one of them on a call of theirs.
    """
    return raw.execute(_KEYPAD_UNDO, (at, number)).rowcount


def keypad_blocks_of(raw: sqlite3.Connection, number: E164) -> list[KeypadBlock]:
    """Return the blocks of the owner of a number that are in force."""
    return [KeypadBlock(*row) for row in raw.execute(_KEYPAD_LIST, (number,))]


def undo_keypad_one(raw: sqlite3.Connection, number: E164, block: int, *, at: float) -> bool:
    """The called party takes one block back; False if it is none of theirs."""
    return raw.execute(_KEYPAD_UNDO_ONE, (at, block, number)).rowcount == 1


def _rule(row: tuple[int, str, str, RuleKind, str, str, str, float]) -> NumberRule:
    id_, facility, pattern, kind, treatment, note, by, at = row
    return NumberRule(
        id=id_,
        facility=facility,
        pattern=pattern,
        kind=kind,
        treatment=msgspec.json.decode(treatment, type=Treatment),
        note=note,
        by=by,
        at=at,
    )
