"""Shows results: JSON for programs, tables and lists for people."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

CELL_MAX: Final = 48
"""Characters of one cell of a table. Chosen: five columns fit a wide terminal."""


def render(result: Any, *, as_json: bool) -> str:  # noqa: ANN401 - any JSON
    """Write one result, ending in a line break."""
    if as_json:
        return json.dumps(result, default=str) + "\n"
    if isinstance(result, Mapping):
        return _mapping(result)
    if isinstance(result, Sequence) and not isinstance(result, str):
        return _table(list(result))
    return f"{result}\n"


def _mapping(result: Mapping[str, Any]) -> str:
    parts = []
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            parts.append(f"{key}:\n{_table(value)}")
        elif isinstance(value, Mapping) and value:
            inner = "".join(f"  {k}: {_text(v)}\n" for k, v in value.items())
            parts.append(f"{key}:\n{inner}")
        else:
            parts.append(f"{key}: {_text(value)}\n")
    return "".join(parts)


def _table(rows: list[Any]) -> str:
    if not rows:
        return "(none)\n"
    if not isinstance(rows[0], Mapping):
        return "".join(f"{_text(row)}\n" for row in rows)
    names = [n for n in rows[0] if not isinstance(rows[0][n], list | dict)]
    cells = [names, *([_short(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    lines = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in cells)
    return "".join(line.rstrip() + "\n" for line in lines)


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON
    text = _text(value)
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
