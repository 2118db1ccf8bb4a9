"""Tells what happens, for people in a terminal or as JSON lines for programs."""

import json
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any, Final, TextIO

WHO_WIDTH: Final = 9
COLOURS: Final = {
    "switch": "36", "terminal": "33", "outside": "35", "meter": "32", "ledger": "32", "flag": "31",
}  # fmt: skip
"""ANSI colours, used on a real terminal only."""


class Narrator:
    """Writes one line per event, with the seconds since the start.

    Args:
        out: where to.
        as_json: one JSON line per event.
    """

    def __init__(self, out: TextIO, *, as_json: bool) -> None:
        self._out = out
        self._as_json = as_json
        self._colour = out.isatty() and not as_json
        self._start = perf_counter()

    def line(self, who: str, text: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody does something."""
        at = perf_counter() - self._start
        if self._as_json:
            self._write(json.dumps({"at_s": round(at, 2), "who": who, "text": text} | facts))
            return
        name = f"{who:<{WHO_WIDTH}}"
        if self._colour and who in COLOURS:
            name = f"\x1b[{COLOURS[who]}m{name}\x1b[0m"
        self._write(f"{at:6.1f}  {name} {text}")

    def flag(self, text: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
        """A detector has something to say."""
        self.line("flag", text, **facts)

    def item(self, text: str) -> None:
        """One of a list that belongs to the line above."""
        if not self._as_json:
            self._write(f"{'':<{8 + WHO_WIDTH}} {text}")

    def table(self, title: str, fields: Mapping[str, Any]) -> None:
        """A record, field by field."""
        if self._as_json:
            self._write(json.dumps({"table": title} | dict(fields), default=str))
            return
        self._write(f"\n{title}")
        for key, value in fields.items():
            self._write(f"    {key:<22} {_text(value)}")

    def rows(self, title: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Records, one per line."""
        if self._as_json:
            self._write(json.dumps({"rows": title, "of": [dict(r) for r in rows]}, default=str))
            return
        self._write(f"\n{title}")
        for row in rows:
            self._write("    " + "  ".join(_text(v) for v in row.values()))

    def done(self, record: Mapping[str, Any]) -> None:
        """The call is over."""
        if self._as_json:
            self._write(json.dumps({"done": dict(record)}, default=str))
        else:
            self._write("")

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def dollars(micros: int) -> str:
    """Write an amount exactly, as people read it."""
    whole, part = divmod(micros, 1_000_000)
    return f"${whole}.{part:06d}"


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None or value in ("", [], {}):
        return "-"
    return json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
