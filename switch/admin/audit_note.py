"""What the audit trail keeps of a command: who, what, on what, why; never a secret."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from switch.admin.command import Command
from switch.call.news import AuditNews

READING_VERBS: Final = frozenset({"list", "show", "verify", "quote", "after", "names"})
READING_NOUNS: Final = frozenset({"why", "health"})
"""Nouns without a verb that change nothing; `cut` is one that does."""

VIEWS: Final = frozenset(
    {
        "account list", "account show", "audit list", "calls after", "calls list", "calls show",
        "claim show", "contact list",
        "limit list", "money-file show", "number list", "outbox list", "pan list",
        "person list", "person names",
        "person show", "privileged list", "why",
    }
)  # fmt: skip
"""What shows somebody's number or name, or the trail itself: a look is kept. calls.md section 7."""

VIEW_AGAIN_S: Final = 60.0
"""The same look by the same person is one entry for so long. Chosen: a list that refreshes itself
would bury what matters."""

VIEWS_MAX: Final = 1_000
"""Looks that are remembered; the oldest goes. Chosen: far more than people at one site."""

_WINDOW: Final = frozenset({"rows", "position"})
"""Arguments that only move along a list."""

KEPT_NOUNS: Final = frozenset({"recordings"})
"""Nouns of which even a look is kept: who searched for what. calls.md section 7."""

SECRET_WORDS: Final = ("passcode", "password")
"""An argument with one of these in its name is left out."""

SECRET_NAMES: Final = frozenset({"code"})
"""An argument of this very name, too: what proves an address."""


def is_kept(command: Command) -> bool:
    """Say whether a command changes something, and so belongs into the trail."""
    if command.noun in KEPT_NOUNS:
        return True
    if not command.verb:
        return command.noun not in READING_NOUNS
    return command.verb not in READING_VERBS


def is_view(command: Command) -> bool:
    """Say whether a command shows a number or a name."""
    return f"{command.noun} {command.verb}".strip() in VIEWS


class Looks:
    """Who has looked at what a moment ago."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def is_new(self, command: Command, given: Mapping[str, Any], *, by: str, now: float) -> bool:
        """Say whether this look belongs into the trail, and remember it."""
        about = {name: value for name, value in given.items() if name not in _WINDOW}
        key = (by, f"{command.noun} {command.verb}", json.dumps(about, default=str, sort_keys=True))
        last = self._seen.get(key)
        if last is not None and now - last < VIEW_AGAIN_S:
            return False
        self._seen[key] = now
        self._seen.move_to_end(key)
        if len(self._seen) > VIEWS_MAX:
            self._seen.popitem(last=False)
        return True


def news_of(
    command: Command,
    given: Mapping[str, Any],
    *,
    by: str,
    address: str,
    outcome: str,
    at_wall: float,
    result: Any = None,  # noqa: ANN401 - JSON
) -> AuditNews:
    """Make the entry of one command.

    Args:
        command: what was asked.
        given: its arguments.
        by: who asked.
        address: where from.
        outcome: '' if it was done, else the sentence that says why not.
        at_wall: when.
        result: what the command answered. One that changes a thing that was there says `before`
            and `after`; the trail keeps both.
    """
    said = {
        name: value
        for name, value in given.items()
        if value not in ("", None, False)
        and name not in SECRET_NAMES
        and not any(word in name for word in SECRET_WORDS)
    }
    asked = json.dumps(said, default=str, sort_keys=True)
    changed = result if isinstance(result, Mapping) and "after" in result else {}
    return AuditNews(
        who=by,
        role="command line",
        address=address,
        what=f"{command.noun} {command.verb}".strip(),
        target=_target(command, said),
        before=_text(changed.get("before")),
        after=f"refused: {outcome}" if outcome else _text(changed.get("after")) or asked,
        why=str(given.get("why") or given.get("note") or ""),
        at_wall=at_wall,
    )


def _target(command: Command, said: Mapping[str, Any]) -> str:
    """Return what was acted on: the id if one was given, else what the command asks for first."""
    keys = [argument.key for argument in command.arguments if argument.key in said]
    first = next((key for key in ("id", *keys) if key in said), None)
    return str(said[first] if first is not None else next(iter(said.values()), ""))


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    return "" if value is None else json.dumps(value, default=str, sort_keys=True)
