"""The commands about prices: what a call costs, a contract that comes in, the rows of the law."""

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from switch.admin.command import Argument, Command, Desk
from switch.admin.money_text import dollars_of
from switch.billing.dated import holds_on
from switch.billing.law import Law, LawRow
from switch.billing.payer import Payer
from switch.billing.price_book import PriceBook
from switch.billing.quote import Quote, QuoteRefusal
from switch.billing.rating import charge
from switch.billing.settings import BillingSettings
from switch.billing.tariff import Tariff, parse_tariff
from switch.billing.tariff_diff import Change, differences
from switch.errors import UserError
from switch.store.price_files import load_price_book
from switch.store.record_store import utc_text

_HOUR: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
TARIFF_BYTES_MAX: Final = 4_000_000
"""Chosen: a contract with a price for each of 250 countries and 20 bands is a tenth of it."""


async def _quote(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    book = await asyncio.to_thread(_price_book, Path(given["config"]))
    date = given["date"] or utc_text(desk.clock.wall())[:10]
    quote = book.quote(
        given["tariff"],
        payer=Payer(given["payer"]),
        call_class=given["class"],
        date=date,
        minute_of_day=_minute_of_day(given["at"]),
        country=given["country"],
    )
    if isinstance(quote, QuoteRefusal):
        raise UserError(f"There is no price for that in the tariff {given['tariff']}.")
    return _shown(quote, minutes=given["minutes"]) | {
        "alarms": [*book.alarms, *book.alarms_on(date)]
    }


def _shown(quote: Quote, *, minutes: int) -> dict[str, Any]:
    cap = quote.cap_micros_per_minute
    return {
        "a_minute": dollars_of(quote.micros_per_minute),
        "price": dollars_of(quote.price_micros_per_minute),
        "taxes": dollars_of(quote.tax_micros_per_minute),
        "lines": [
            {"book": line.book, "label": line.label, "a_minute": dollars_of(line.micros_per_minute)}
            for line in quote.lines
        ],
        "minutes": minutes,
        "all_minutes": dollars_of(charge(quote.rate, 60 * minutes)),
        "free_s": quote.free_s,
        "tier": quote.tier,
        "rate_row": quote.rate_row,
        "band": quote.band,
        "country": quote.country,
        "state_rows": list(quote.state_rows),
        "tax_rows": list(quote.tax_rows),
        "law_row": quote.law_row,
        "cap": "" if cap is None else dollars_of(cap),
        "capped": quote.capped,
        "quote": quote.id,
        "version_hash": quote.version_hash,
    }


def _read_tariff(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the file where the person sits."""
    path = Path(given["file"])
    try:
        if path.stat().st_size > TARIFF_BYTES_MAX:
            raise UserError(f"{path} is over {TARIFF_BYTES_MAX} bytes. That is no tariff.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}. Name a tariff file in TOML.") from error
    return {**given, "file": path.name, "text": text}


async def _import(desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
    today = utc_text(desk.clock.wall())[:10]
    return await asyncio.to_thread(_imported, given, today)


def _imported(given: Mapping[str, Any], today: str) -> dict[str, Any]:
    """Hold a contract against the law, compare it with the one in force, write it if wanted."""
    folder = Path(given["config"])
    book = _price_book(folder)
    new = parse_tariff(given["file"], given["text"].encode())
    others = [tariff for tariff in book.tariffs.values() if tariff.id != new.id]
    alarms = PriceBook(book.law, [*others, new]).alarms
    changes = differences(book.tariffs.get(new.id), new, today=today)
    past = [change.row for change in changes if change.rewrites_history]
    if past and not given["rewrite"] and new.id in book.tariffs:
        raise UserError(
            f"{', '.join(past)}: a price of a day that is over would change. End the row with"
            " valid_to and begin a new one, or say --rewrite. Nothing was written."
        )
    target = _file_of(folder, new)
    if changes and not given["dry_run"]:
        _write(target, given["text"])
    return {
        "tariff": new.id,
        "changes": [_change(change) for change in changes],
        "alarms": [alarm for alarm in alarms if f"tariff {new.id}:" in alarm],
        "file": str(target),
        "written": bool(changes) and not given["dry_run"],
        "note": _note(changes, dry_run=given["dry_run"]),
    }


def _note(changes: list[Change], *, dry_run: bool) -> str:
    if not changes:
        return "nothing differs"
    if dry_run:
        return "a dry run: nothing was written"
    return "the switch takes it up at its next start, if [billing] tariffs names the file"


def _file_of(folder: Path, tariff: Tariff) -> Path:
    """Return the file of a contract: the one that has it now, or a new one of its name."""
    for path in sorted(folder.glob("tariffs/*.toml")):
        if parse_tariff(path.name, path.read_bytes()).id == tariff.id:
            return path
    return folder / "tariffs" / f"{tariff.id}.toml"


def _write(path: Path, text: str) -> None:
    """Put the whole file there or nothing."""
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


def _change(change: Change) -> dict[str, Any]:
    return {
        "what": change.what,
        "row": change.row,
        "before": _words(change.before),
        "after": _words(change.after),
        "rewrites_history": change.rewrites_history,
    }


def _words(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in fields.items())


async def _law(desk: Desk, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    date = given["date"] or utc_text(desk.clock.wall())[:10]
    book = await asyncio.to_thread(_price_book, Path(given["config"]))
    return [
        {
            "id": row.id,
            "says": _says(row),
            "from": row.valid_from,
            "to": row.valid_to,
            "citation": row.citation,
            "verified": row.verified,
            "verified_by": row.verified_by,
        }
        for row in _rows(book.law)
        if given["all"] or holds_on(row, date)
    ]


def _rows(law: Law) -> tuple[LawRow, ...]:
    return law.rows


def _says(row: LawRow) -> str:
    said = {
        name: getattr(row, name)
        for name in ("says", "tier", "medium", "state", "levy", "fee", "value_micros", "free_s",
                     "parts_per_million")
        if getattr(row, name, None) not in {None, ""}
    }  # fmt: skip
    return str(said.pop("says", "")) or " ".join(f"{name}={said[name]}" for name in said)


def _minute_of_day(text: str) -> int:
    if _HOUR.fullmatch(text) is None:
        raise UserError(f"{text!r} is not an hour. Write it like 18:30.")
    return int(text[:2]) * 60 + int(text[3:])


def _price_book(folder: Path) -> PriceBook:
    """Read every file of law and contracts in a configuration folder."""
    law, tariffs = (
        tuple(sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern)))
        for pattern in ("law/*.toml", "tariffs/*.toml")
    )
    return load_price_book(folder, BillingSettings(law=law, tariffs=tariffs))


def _option(name: str, text: str, **more: Any) -> Argument:  # noqa: ANN401 - passed on
    return Argument(name=name, help=text, required=False, **({"default": ""} | more))


_CONFIG: Final = _option("--config", "folder of the configuration", default="config")

COMMANDS: Final = (
    Command(
        noun="rate",
        verb="quote",
        help="what a call would cost",
        arguments=(
            Argument(name="tariff", help="the contract"),
            _option(
                "--payer",
                "who pays",
                default=Payer.CALLED_PREPAID.value,
                choices=tuple(payer.value for payer in Payer),
            ),
            _option("--class", "local, intrastate, interstate, …", default="interstate"),
            _option("--country", "of the number, like MX, for the prices abroad"),
            _option("--date", "the day, like 2026-11-24; today if not given"),
            _option("--at", "the hour at the facility", default="12:00"),
            _option("--minutes", "what so many minutes cost", kind=int, default=15),
            _CONFIG,
        ),
        run=_quote,
        examples=("rate quote lab --class international --country MX --at 18:30",),
    ),
    Command(
        noun="rate",
        verb="import",
        help="take in a contract: held against the law, shown as a difference, then written",
        arguments=(
            Argument(name="file", help="the tariff, in TOML"),
            _option("--dry-run", "only show what would change", kind=bool, default=False),
            _option("--rewrite", "change prices of days that are over", kind=bool, default=False),
            _CONFIG,
        ),
        run=_import,
        prepare=_read_tariff,
        examples=("rate import pine.toml --dry-run",),
    ),
    Command(
        noun="rate",
        verb="law",
        help="the rows of the law of a day, and whether anybody has verified them",
        arguments=(
            _option("--date", "the day, like 2026-11-24; today if not given"),
            _option("--all", "those of other days too", kind=bool, default=False),
            _CONFIG,
        ),
        run=_law,
    ),
)
"""`kinline rate …`."""
