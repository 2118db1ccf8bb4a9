"""Reads `name=value` changes of a configured thing, and says what is allowed where one is wrong.

A name is a path of dots: `rules.velocity`, `settings.pin_mode`. A value is read as the field wants
it: text as it stands, numbers and `true` in words, lists and tables as JSON. `name=` gives a field
its default back.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from switch.call.settings import ScriptSettings
from switch.errors import UserError
from switch.settings_range import allowed_at

_WHERE: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>[^`]*)`)?$", re.DOTALL)
_STEP: Final = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+|\.\.\.)\]")
_CHANGE: Final = re.compile(r"(?P<path>[a-z][a-z0-9_.]*)=(?P<value>.*)", re.DOTALL)

SETTINGS: Final = "settings"
"""The field of a facility that holds its own choices of calls.md section 2.3."""

T = TypeVar("T", bound=msgspec.Struct)


def changed(fields: Mapping[str, Any], changes: Sequence[str], made: type[T]) -> T:
    """Lay changes over the fields of a thing and check the whole.

    Args:
        fields: of the thing as it stands, plain.
        changes: `name=value`.
        made: what it is.

    Raises:
        UserError: says which field is wrong and what is allowed there.
    """
    fresh = json.loads(json.dumps(dict(fields)))
    for change in changes:
        _lay(fresh, change)
    return checked(fresh, made)


def checked(fields: Mapping[str, Any], made: type[T]) -> T:
    """Make a thing of plain fields.

    Raises:
        UserError: as `changed` does.
    """
    whole = dict(fields)
    if isinstance(whole.get(SETTINGS), Mapping):
        whole[SETTINGS] = _choices(whole[SETTINGS])
    try:
        return msgspec.convert(whole, made, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(_sentence(str(error), made)) from error


def _lay(fields: dict[str, Any], change: str) -> None:
    match = _CHANGE.fullmatch(change)
    if match is None:
        raise UserError(f"{change!r} is not a change. Write it like zone=America/Denver.")
    *tables, name = match["path"].split(".")
    inner = fields
    for table in tables:
        inner = inner.setdefault(table, {})
        if not isinstance(inner, dict):
            raise UserError(f"{match['path']}: {table} holds no further names.")
    if match["value"] == "":
        inner.pop(name, None)
        return
    inner[name] = _value(match["value"], match["path"])


def _value(text: str, path: str) -> Any:  # noqa: ANN401 - JSON
    if text[0] not in '[{"':
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(
            f'{path}: {text} is not JSON ({error}). Write it like ["a", "b"].'
        ) from None


def _choices(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read a facility's own choices as the life of a call will."""
    try:
        read = msgspec.convert(dict(given), ScriptSettings, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"{SETTINGS}.{_sentence(str(error), ScriptSettings)}") from error
    return {name: msgspec.to_builtins(getattr(read, name)) for name in given}


def _sentence(message: str, made: type[msgspec.Struct]) -> str:
    match = _WHERE.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    steps: list[str | int] = [m[1] or 0 for m in _STEP.finditer(path)]
    allowed = allowed_at(made, steps)
    said = f"{path.lstrip('.') or 'it'}: {what[:1].lower()}{what[1:]}"
    return f"{said} (allowed: {allowed})" if allowed else said
