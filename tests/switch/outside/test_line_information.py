import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from switch.billing.line import LineInfo, LineVerdict
from switch.errors import SettingsError
from switch.outside.line_information import (
    FAILURES_MAX,
    LINE_TYPE_S,
    PORTING_S,
    REST_S,
    FileSource,
    LineBook,
)
from switch.store.engine import Store, driver
from tests.support.house_rig import CONFIG, HouseClock

NUMBER = "+15552345678"


class Paid:
    """A dear source: counts, and does what it is told."""

    name = "paid"
    is_local = False

    def __init__(self, *, budget_per_day_max: int = 0) -> None:
        self.budget_per_day_max = budget_per_day_max
        self.asked = 0
        self.fails = False
        self.hangs = False

    async def ask(self, number: str, *, purpose: str) -> LineInfo | None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise OSError("connection refused")
        return LineInfo(verdict=LineVerdict.ALLOW, line_type="voip", carrier="Example VoIP")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "kinline.db", clock=HouseClock())
    yield opened
    await opened.close()


def book(store: Store, *sources: Paid | FileSource) -> tuple[LineBook, HouseClock]:
    clock = HouseClock()
    return LineBook(store, clock, sources), clock


async def ask(lines: LineBook, deadline_ms: int = 800) -> LineInfo:
    return await lines.line_info(NUMBER, purpose="screening", deadline_ms=deadline_ms)


async def test_the_bundled_file_answers_with_the_first_row_that_fits(store: Store) -> None:
    lines, _ = book(store, FileSource(CONFIG / "lines" / "lab.toml"))
    found = await ask(lines)
    assert (found.verdict, found.line_type, found.source) == (LineVerdict.ALLOW, "mobile", "file")
    denied = await lines.line_info("+15552340666", purpose="screening")
    assert (denied.verdict, denied.payphone) == (LineVerdict.DENY, True)
    unknown = await lines.line_info("+15550000000", purpose="screening")
    assert unknown.verdict is LineVerdict.UNKNOWN


async def test_without_a_source_nothing_is_known(store: Store) -> None:
    lines, _ = book(store)
    assert (await ask(lines)).verdict is LineVerdict.UNKNOWN


async def test_an_answer_is_remembered_for_a_day_and_kept_for_disputes(store: Store) -> None:
    paid = Paid()
    lines, clock = book(store, paid)
    await ask(lines)
    await ask(lines)
    assert paid.asked == 1
    again, _ = book(store, paid)
    assert (await ask(again)).carrier == "Example VoIP"
    assert paid.asked == 1
    clock.at += PORTING_S
    await ask(lines)
    assert paid.asked == 2
    kept = await store.read(
        lambda c: driver(c).execute("SELECT count(*) FROM line_answer").fetchone()
    )
    assert kept == (2,)


async def test_no_answer_in_time_is_not_a_no(store: Store) -> None:
    paid = Paid()
    paid.hangs = True
    lines, _ = book(store, paid)
    assert (await ask(lines, deadline_ms=1)).verdict is LineVerdict.UNKNOWN


async def test_an_old_answer_keeps_the_type_of_line_and_nothing_else(store: Store) -> None:
    paid = Paid()
    lines, clock = book(store, paid)
    await ask(lines)
    paid.fails = True
    clock.at += PORTING_S
    stale = await ask(lines)
    assert (stale.verdict, stale.line_type) == (LineVerdict.UNKNOWN, "voip")
    clock.at += LINE_TYPE_S
    assert (await ask(lines)).line_type == ""


async def test_a_source_that_fails_rests_and_the_next_one_is_asked(store: Store) -> None:
    failing, other = Paid(), Paid()
    failing.fails = True
    lines, clock = book(store, failing)
    for _ in range(FAILURES_MAX + 2):
        await ask(lines)
    assert failing.asked == FAILURES_MAX
    clock.at += REST_S
    await ask(lines)
    assert failing.asked == FAILURES_MAX + 1
    other.name = "other"
    both, _ = book(store, failing, other)
    assert (await ask(both)).source == "other"


async def test_a_budget_ends_for_the_day(store: Store) -> None:
    paid = Paid(budget_per_day_max=1)
    lines, clock = book(store, paid)
    await ask(lines)
    await lines.line_info("+15552345679", purpose="screening")
    assert paid.asked == 1
    clock.at += 86_400
    await lines.line_info("+15552345679", purpose="screening")
    assert paid.asked == 2


@pytest.mark.parametrize("text", ["line = 3", "[[line]]\npattern = 'x'", "[[line]]\nkind = 1"])
def test_a_file_that_is_wrong_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lines.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="lines"):
        FileSource(path)
