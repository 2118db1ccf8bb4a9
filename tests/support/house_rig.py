"""A house on a real database file, seeded like the lab's, for tests of screening and its store."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec

from switch.billing.settings import BillingSettings
from switch.clock import Clock
from switch.routing.seed import HouseSeed
from switch.store.engine import Store
from switch.store.house_seed import apply
from switch.store.house_store import HouseStore
from switch.store.price_files import load_price_book

CONFIG = Path(__file__).parents[2] / "config"

TUESDAY_NOON_IN_DENVER = 1_795_546_800.0
"""2026-11-24 19:00 UTC."""


class HouseClock:
    """A clock that stands until it is moved."""

    def __init__(self, wall: float = TUESDAY_NOON_IN_DENVER) -> None:
        self.at = wall

    def monotonic(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at


class _File(msgspec.Struct):
    house: HouseSeed


def lab_seed(name: str = "lab") -> HouseSeed:
    """Return the `[house]` table of a configuration."""
    return msgspec.toml.decode((CONFIG / f"{name}.toml").read_bytes(), type=_File).house


@asynccontextmanager
async def open_house(
    data: Path, clock: Clock, *, seed: HouseSeed | None = None
) -> AsyncIterator[tuple[Store, HouseStore]]:
    """Open a house in a folder, seeded."""
    store = await Store.open(data / "kinline.db", clock=clock)
    try:
        tariffs = ("tariffs/lab.toml", "tariffs/bench.toml")
        prices = load_price_book(CONFIG, BillingSettings(tariffs=tariffs))
        house = await HouseStore.open(store, data=data, prices=prices)
        await apply(seed or lab_seed(), store=store, house=house)
        yield store, house
    finally:
        await store.close()


def block_in_bulk(raw: sqlite3.Connection, kind: Literal["facility", "allow"] = "facility") -> None:
    """Block (or allow) ten thousand numbers and two hundred wildcards at F1, as an import would."""
    row = f"('F1', ?, ?, '{kind}', '{{}}', 'bulk', 'import', 0)"
    insert = (
        "INSERT INTO number_rule (facility, pattern, is_wildcard, kind, treatment, note, by, at)"
        f" VALUES {row}"
    )
    raw.executemany(insert, [(f"+1555300{n:04d}", 0) for n in range(10_000)])
    raw.executemany(insert, [(f"+1555{n:03d}99??", 1) for n in range(200)])
