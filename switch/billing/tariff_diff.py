"""What a new version of a contract changes, row by row, and whether it rewrites history. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from switch.billing.dated import Dated
from switch.billing.tariff import Tariff

_TABLES: Final = ("rate", "tax", "fee", "band")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference."""

    what: str
    """`added`, `removed` or `changed`."""
    row: str
    """`rate lab-all`, or the name of a field of the contract itself."""
    before: Mapping[str, Any]
    """What was said; only the fields that differ."""
    after: Mapping[str, Any]
    rewrites_history: bool = False
    """True: it changes what was in force on a day that is over. Quotes of that time stay as they
    are, but nobody could find the row again that they name."""


def differences(old: Tariff | None, new: Tariff, *, today: str) -> list[Change]:
    """Compare a contract with the version that is in force.

    Args:
        old: the version before; None if the contract is new.
        new: the version that is to come.
        today: `2026-11-24`.
    """
    changes = list(_fields(old, new))
    for table in _TABLES:
        before = {} if old is None else _by_id(getattr(old, table))
        after = _by_id(getattr(new, table))
        for id_ in sorted(before.keys() | after.keys()):
            changes += _row(f"{table} {id_}", before.get(id_), after.get(id_), today=today)
    return changes


def _fields(old: Tariff | None, new: Tariff) -> Iterator[Change]:
    for name in ("currency", "kind", "adp", "state", "levies"):
        before = None if old is None else getattr(old, name)
        after = getattr(new, name)
        if before != after:
            yield Change(
                what="added" if old is None else "changed",
                row=name,
                before={} if old is None else {name: before},
                after={name: after},
            )


def _row(
    name: str, old: msgspec.Struct | None, new: msgspec.Struct | None, *, today: str
) -> list[Change]:
    before = {} if old is None else msgspec.to_builtins(old)
    after = {} if new is None else msgspec.to_builtins(new)
    if before == after:
        return []
    what = "added" if old is None else "removed" if new is None else "changed"
    differ = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return [
        Change(
            what=what,
            row=name,
            before={key: before[key] for key in sorted(differ & before.keys())},
            after={key: after[key] for key in sorted(differ & after.keys())},
            rewrites_history=_is_past(old, new, differ, today=today),
        )
    ]


def _is_past(
    old: Any,  # noqa: ANN401 - a row of any table
    new: Any,  # noqa: ANN401
    differ: set[str],
    *,
    today: str,
) -> bool:
    """Say whether a day before today would have had another row."""
    if not hasattr(old if old is not None else new, "valid_from"):
        return False
    dates = [row.valid_from for row in _dated(old, new)]
    if old is None or new is None:
        return min(dates) < today
    if differ == {"valid_to"}:
        # An end may be set or moved, as long as neither end lies before today.
        return any(end and end < today for end in (old.valid_to, new.valid_to))
    return min(dates) < today


def _dated(*rows: Dated | None) -> list[Dated]:
    return [row for row in rows if row is not None]


def _by_id(rows: Sequence[Any]) -> dict[str, Any]:
    return {row.id: row for row in rows}
